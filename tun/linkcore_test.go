package tun

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// model is a backend with a system in memory. It insists on the contract of backend, and fails on demand.
type model struct {
	t         *testing.T
	addresses map[netip.Prefix]bool
	routes    map[netip.Prefix]netip.Addr
	peers     map[netip.Addr]bool
	closed    bool
	log       []string
	failIn    int // the call that fails, counted down; 0 is never
}

var errModel = errors.New("model failure")

func newModel(t *testing.T) *model {
	return &model{t: t, addresses: map[netip.Prefix]bool{}, routes: map[netip.Prefix]netip.Addr{}, peers: map[netip.Addr]bool{}}
}

func (m *model) call(format string, args ...any) error {
	m.log = append(m.log, fmt.Sprintf(format, args...))
	if m.failIn > 0 {
		if m.failIn--; m.failIn == 0 {
			return errModel
		}
	}
	return nil
}

func (m *model) setUp(mtu int) error { return m.call("up %d", mtu) }

func (m *model) addAddress(p netip.Prefix) error {
	if m.addresses[p] {
		m.t.Errorf("address %v added twice", p)
	}
	err := m.call("+address %v", p)
	if err == nil {
		m.addresses[p] = true
	}
	return err
}

func (m *model) removeAddress(p netip.Prefix) error {
	if !m.addresses[p] {
		m.t.Errorf("address %v removed, was not there", p)
	}
	err := m.call("-address %v", p)
	if err == nil {
		delete(m.addresses, p)
	}
	return err
}

func (m *model) addRoute(r Route) error {
	if _, ok := m.routes[r.Dst]; ok {
		m.t.Errorf("route %v added twice", r.Dst)
	}
	err := m.call("+route %v %v", r.Dst, r.Src)
	if err == nil {
		m.routes[r.Dst] = r.Src
	}
	return err
}

func (m *model) changeSource(r Route) error {
	if old, ok := m.routes[r.Dst]; !ok || old == r.Src {
		m.t.Errorf("source of %v changed from %v to %v", r.Dst, old, r.Src)
	}
	err := m.call("=route %v %v", r.Dst, r.Src)
	if err == nil {
		m.routes[r.Dst] = r.Src
	}
	return err
}

func (m *model) repair([]netip.Prefix, []netip.Addr) Restored { return Restored{} }

func (m *model) sweep() error { return nil }

func (m *model) removeRoute(r Route, _ bool) error {
	if src, ok := m.routes[r.Dst]; !ok || src != r.Src {
		m.t.Errorf("route %v %v removed, there was %v %v", r.Dst, r.Src, ok, src)
	}
	err := m.call("-route %v", r.Dst)
	if err == nil {
		delete(m.routes, r.Dst)
	}
	return err
}

func (m *model) exclude(peer netip.Addr) error {
	if m.peers[peer] {
		m.t.Errorf("peer %v excluded twice", peer)
	}
	err := m.call("+peer %v", peer)
	if err == nil {
		m.peers[peer] = true
	}
	return err
}

func (m *model) unexclude(peer netip.Addr) error {
	if !m.peers[peer] {
		m.t.Errorf("peer %v unexcluded, was not", peer)
	}
	err := m.call("-peer %v", peer)
	if err == nil {
		delete(m.peers, peer)
	}
	return err
}

func (m *model) explain(error) string { return "" }

func (m *model) close() error {
	if m.closed {
		m.t.Error("closed twice")
	}
	m.closed = true
	return m.call("close")
}

func (m *model) wantLog(want ...string) {
	m.t.Helper()
	if !slices.Equal(m.log, want) {
		m.t.Errorf("did\n  %s\nwant\n  %s", strings.Join(m.log, "\n  "), strings.Join(want, "\n  "))
	}
	m.log = nil
}

func mustNot(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLinkCounts(t *testing.T) {
	m := newModel(t)
	l := newLink("ipsec0", m)
	r := Route{Dst: netip.MustParsePrefix("10.20.7.9/16")} // host bits are cleared
	a := netip.MustParsePrefix("10.99.0.1/24")             // and kept here
	mustNot(t, l.SetUp(1400))
	mustNot(t, l.AddAddress(a))
	mustNot(t, l.AddAddress(a))
	mustNot(t, l.AddRoute(r))
	mustNot(t, l.AddRoute(r))
	m.wantLog("up 1400", "+address 10.99.0.1/24", "+route 10.20.0.0/16 invalid IP")
	mustNot(t, l.RemoveRoute(r))
	mustNot(t, l.RemoveAddress(a))
	m.wantLog()
	mustNot(t, l.RemoveRoute(r))
	mustNot(t, l.RemoveAddress(a))
	m.wantLog("-route 10.20.0.0/16", "-address 10.99.0.1/24")
	for what, err := range map[string]error{
		"route": l.RemoveRoute(r), "address": l.RemoveAddress(a), "peer": l.Unexclude(netip.MustParseAddr("192.0.2.1")),
	} {
		if !errors.Is(err, ErrNotAdded) {
			t.Errorf("%s removed once too often: %v", what, err)
		}
	}
	m.wantLog()
}

func TestLinkSourceInForce(t *testing.T) {
	m := newModel(t)
	l := newLink("ipsec0", m)
	dst := netip.MustParsePrefix("10.20.0.0/16")
	none, a, b := Route{Dst: dst}, Route{Dst: dst, Src: netip.MustParseAddr("10.1.0.1")}, Route{Dst: dst, Src: netip.MustParseAddr("10.2.0.1")}
	mustNot(t, l.AddRoute(none))
	mustNot(t, l.AddRoute(a)) // better than none
	mustNot(t, l.AddRoute(b)) // second
	m.wantLog("+route 10.20.0.0/16 invalid IP", "=route 10.20.0.0/16 10.1.0.1")
	if err := l.RemoveRoute(Route{Dst: dst, Src: netip.MustParseAddr("10.3.0.1")}); !errors.Is(err, ErrNotAdded) {
		t.Errorf("a source nobody added: %v", err)
	}
	mustNot(t, l.RemoveRoute(a))
	m.wantLog("=route 10.20.0.0/16 10.2.0.1")
	mustNot(t, l.RemoveRoute(b))
	m.wantLog("=route 10.20.0.0/16 invalid IP")
	mustNot(t, l.RemoveRoute(none))
	m.wantLog("-route 10.20.0.0/16")
}

func TestLinkExcludesCoveredPeersOnly(t *testing.T) {
	m := newModel(t)
	l := newLink("ipsec0", m)
	in, out := netip.MustParseAddr("198.51.100.20"), netip.MustParseAddr("192.0.2.20")
	net24, all := Route{Dst: netip.MustParsePrefix("198.51.100.0/24")}, Route{Dst: netip.MustParsePrefix("0.0.0.0/0")}
	mustNot(t, l.Exclude(in))
	mustNot(t, l.Exclude(netip.MustParseAddr("::ffff:192.0.2.20"))) // out, as a socket says it
	mustNot(t, l.Exclude(out))
	m.wantLog() // thousands of road warriors cost nothing
	mustNot(t, l.AddRoute(net24))
	m.wantLog("+peer 198.51.100.20", "+route 198.51.100.0/24 invalid IP") // the peer first
	mustNot(t, l.AddRoute(all))
	m.wantLog("+peer 192.0.2.20", "+route 0.0.0.0/0 invalid IP")
	mustNot(t, l.Unexclude(out))
	m.wantLog()
	mustNot(t, l.Unexclude(out))
	m.wantLog("-peer 192.0.2.20")
	mustNot(t, l.Exclude(out))
	m.wantLog("+peer 192.0.2.20")
	mustNot(t, l.RemoveRoute(all))
	m.wantLog("-route 0.0.0.0/0", "-peer 192.0.2.20") // the route first
	mustNot(t, l.Close())
	m.wantLog("-route 198.51.100.0/24", "-peer 198.51.100.20", "close")
	mustNot(t, l.Close())
	m.wantLog()
	if err := l.AddRoute(all); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
	mustNot(t, l.RemoveRoute(net24)) // a child that ends after Close
}

func TestLinkRefuses(t *testing.T) {
	m := newModel(t)
	l := newLink("ipsec0", m)
	v6 := netip.MustParseAddr("2001:db8::1")
	for what, err := range map[string]error{
		"mtu 0":                  l.SetUp(0),
		"mtu 65536":              l.SetUp(65536),
		"zero route":             l.AddRoute(Route{}),
		"source of other family": l.AddRoute(Route{Dst: netip.MustParsePrefix("10.0.0.0/8"), Src: v6}),
		"unspecified source":     l.AddRoute(Route{Dst: netip.MustParsePrefix("10.0.0.0/8"), Src: netip.IPv4Unspecified()}),
		"IPv4 in IPv6":           l.AddRoute(Route{Dst: netip.MustParsePrefix("::ffff:10.0.0.0/104")}),
		"zero address":           l.AddAddress(netip.Prefix{}),
		"unspecified address":    l.AddAddress(netip.MustParsePrefix("0.0.0.0/0")),
		"zero peer":              l.Exclude(netip.Addr{}),
		"peer with a zone":       l.Exclude(netip.MustParseAddr("2001:db8::1%eth0")),
		"remove zero route":      l.RemoveRoute(Route{}),
		"remove zero address":    l.RemoveAddress(netip.Prefix{}),
		"unexclude any":          l.Unexclude(netip.IPv6Unspecified()),
	} {
		var e *LinkError
		if !errors.As(err, &e) || !errors.Is(err, ErrBadRequest) {
			t.Errorf("%s: %v, want a LinkError of ErrBadRequest", what, err)
		}
	}
	m.wantLog()
}

// A peer at a link-local address is on the link that the address names, whatever the routes say: nothing has to keep its packets
// out of the tunnel.
func TestLinkLocalPeer(t *testing.T) {
	m := newModel(t)
	l := newLink("ipsec0", m)
	peer := netip.MustParseAddr("fe80::1%eth0")
	if err := l.Exclude(peer); err != nil {
		t.Error(err)
	}
	if err := l.AddRoute(Route{Dst: netip.MustParsePrefix("::/0")}); err != nil {
		t.Error(err)
	}
	if err := l.Unexclude(peer); err != nil {
		t.Error(err)
	}
	m.wantLog("+route ::/0 invalid IP")
}

// Whatever fails, the link's idea of the system stays true, nothing is half-done, and Close removes everything.
func TestLinkSurvivesFailures(t *testing.T) {
	peers := []netip.Addr{netip.MustParseAddr("10.20.0.1"), netip.MustParseAddr("10.20.0.2"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	dsts := []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("10.20.0.0/24"), netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 1))
		m := newModel(t)
		l := newLink("ipsec0", m)
		for range 60 {
			if rng.IntN(3) == 0 {
				m.failIn = 1 + rng.IntN(3)
			}
			peer, dst := peers[rng.IntN(len(peers))], dsts[rng.IntN(len(dsts))]
			var src netip.Addr
			if dst.Addr().Is4() && rng.IntN(2) == 0 {
				src = netip.AddrFrom4([4]byte{10, 1, 0, byte(1 + rng.IntN(2))})
			}
			p := netip.PrefixFrom(peer, peer.BitLen())
			var err error
			switch rng.IntN(6) {
			case 0:
				err = l.AddRoute(Route{Dst: dst, Src: src})
			case 1:
				err = l.RemoveRoute(Route{Dst: dst, Src: src})
			case 2:
				err = l.Exclude(peer)
			case 3:
				err = l.Unexclude(peer)
			case 4:
				err = l.AddAddress(p)
			case 5:
				err = l.RemoveAddress(p)
			}
			if err != nil && !errors.Is(err, errModel) && !errors.Is(err, ErrNotAdded) {
				t.Fatalf("seed %d: %v", seed, err)
			}
			m.failIn = 0
			checkLink(t, seed, l, m)
		}
		mustNot(t, l.Close())
		if len(m.routes)+len(m.peers)+len(m.addresses) > 0 || !m.closed {
			t.Fatalf("seed %d: Close leaves %v %v %v, closed %v", seed, m.routes, m.peers, m.addresses, m.closed)
		}
	}
}

// checkLink compares what the link wants with what the model has.
func checkLink(t *testing.T, seed uint64, l *link, m *model) {
	t.Helper()
	if len(m.routes) != len(l.wants.routes) {
		t.Fatalf("seed %d: routes %v, wanted %v\n%s", seed, m.routes, l.wants.routes, strings.Join(m.log, "\n"))
	}
	for dst := range l.wants.routes {
		src, ok := m.routes[dst]
		if !ok || src != l.wants.source(dst) {
			t.Fatalf("seed %d: route %v is there %v, source %v, wanted %v", seed, dst, ok, src, l.wants.source(dst))
		}
	}
	for peer := range l.wants.peers {
		if l.wants.covered(peer) && !m.peers[peer] {
			t.Fatalf("seed %d: the packets of peer %v go into the tunnel", seed, peer)
		}
	}
	for peer := range m.peers {
		if !l.excluded[peer] {
			t.Fatalf("seed %d: peer %v is excluded and the link does not know", seed, peer)
		}
	}
	for p := range l.wants.addresses {
		if !m.addresses[p] {
			t.Fatalf("seed %d: address %v missing", seed, p)
		}
	}
	if len(m.addresses) != len(l.wants.addresses) {
		t.Fatalf("seed %d: addresses %v, wanted %v", seed, m.addresses, l.wants.addresses)
	}
}

// A failing Close still removes what it can.
func TestLinkCloseGoesOn(t *testing.T) {
	m := newModel(t)
	l := newLink("ipsec0", m)
	mustNot(t, l.AddRoute(Route{Dst: netip.MustParsePrefix("10.20.0.0/16")}))
	mustNot(t, l.AddRoute(Route{Dst: netip.MustParsePrefix("10.30.0.0/16")}))
	mustNot(t, l.AddAddress(netip.MustParsePrefix("10.99.0.1/32")))
	m.log, m.failIn = nil, 1
	err := l.Close()
	var e *LinkError
	if !errors.As(err, &e) || e.Object != "10.20.0.0/16" || !errors.Is(err, errModel) {
		t.Errorf("got %v, want the LinkError of 10.20.0.0/16", err)
	}
	m.wantLog("-route 10.20.0.0/16", "-route 10.30.0.0/16", "-address 10.99.0.1/32", "close")
}
