//go:build linux

package integration

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

func TestMain(m *testing.M) {
	code := m.Run()
	peer.CleanUp()
	os.Exit(code)
}

// kinds says what initiates (on host a) and what responds (on host b).
type kinds struct{ a, b string }

func (k kinds) String() string { return k.a + "-" + k.b }

func (k kinds) has(kind string) bool { return k.a == kind || k.b == kind }

// The pairs: our own binary at both ends, and strongSwan at either end. A test has strongSwan in both roles where its messages
// are the subject. Where the subject is what Esplanade does with a path, a packet or a silent peer, it has strongSwan in one,
// for ours plays both roles of Esplanade.
var (
	ours       = kinds{peer.KindEsplanade, peer.KindEsplanade}
	toStrong   = kinds{peer.KindEsplanade, peer.KindStrongSwan}
	fromStrong = kinds{peer.KindStrongSwan, peer.KindEsplanade}
)

// pairsEnv replaces the pairs of every test that doesn't depend on what only one kind of gateway can do.
const pairsEnv = "ESPLANADE_INTEGRATION_PAIRS"

func pairsOf(t *testing.T, defaults ...kinds) []kinds {
	t.Helper()
	v := os.Getenv(pairsEnv)
	if v == "" {
		return defaults
	}
	var list []kinds
	for _, s := range strings.Split(v, ",") {
		a, b, _ := strings.Cut(s, "-")
		list = append(list, kinds{a, b})
	}
	return list
}

// The names that every test's configuration has.
const (
	connName  = "t"
	childName = "net"
	psk       = "correct horse battery staple"
)

// tunnel is what a test wants of a tunnel; the zero value is a good one.
type tunnel struct {
	IKE, ESP []string
	Outer6   bool // IPv6 between the gateways
	Encap    bool // forced UDP encapsulation; always with strongSwan, whose kernel-libipsec knows nothing else
	Router   bool
	Bridge   bool
	// Edit changes the two configurations before the gateways are made.
	Edit func(a, b *peer.Gateway)
	// SaveKeys makes the gateways write their keys.
	SaveKeys bool
}

// pair is two gateways with a configuration for each other.
type pair struct {
	*lab.Lab
	a, b  peer.Peer
	outer bool // IPv6
}

// newPair makes both gateways and starts neither. needs are programs that the test uses in addition to theirs.
func newPair(t *testing.T, k kinds, tun tunnel, needs ...string) *pair {
	t.Helper()
	programs := append(peer.Programs(k.a, k.b), needs...)
	if tun.Router {
		programs = append(programs, "nft")
	}
	lab.NeedRoot(t, programs...)
	p := &pair{Lab: lab.New(t, lab.Options{Router: tun.Router, Bridge: tun.Bridge}), outer: tun.Outer6}
	encap := tun.Encap || k.has(peer.KindStrongSwan)
	gwA, gwB := p.gateway(p.A, p.B, tun, encap), p.gateway(p.B, p.A, tun, encap)
	if tun.Edit != nil {
		tun.Edit(&gwA, &gwB)
	}
	p.a, p.b = peer.New(t, k.a, p.A, gwA), peer.New(t, k.b, p.B, gwB)
	return p
}

func (p *pair) gateway(me, other *lab.Site, tun tunnel, encap bool) peer.Gateway {
	return peer.Gateway{
		SaveKeys: tun.SaveKeys,
		Connections: []peer.Connection{{
			Name: connName, Local: me.Outer(tun.Outer6), Remote: other.Outer(tun.Outer6), LocalID: id(me), RemoteID: id(other),
			Proposals: orDefault(tun.IKE, "aes256gcm16-prfsha384-ecp384"), NoEncap: !encap,
			Children: []peer.Child{{
				Name: childName, Proposals: orDefault(tun.ESP, "aes256gcm16-ecp384"),
				LocalTS:  []string{me.Net4.String(), me.Net6.String()},
				RemoteTS: []string{other.Net4.String(), other.Net6.String()},
			}},
		}},
		Secrets: []peer.Secret{{IDs: []string{id(me), id(other)}, Key: psk}},
	}
}

func id(s *lab.Site) string { return s.Name + ".example" }

func orDefault(v []string, def string) []string {
	if len(v) == 0 {
		return []string{def}
	}
	return v
}

// start starts both, the responder first.
func (p *pair) start(t *testing.T) {
	t.Helper()
	p.b.Start(t)
	p.a.Start(t)
}

// initiate brings the tunnel up from a, and fails the test with what swanctl said.
func (p *pair) initiate(t *testing.T) {
	t.Helper()
	if _, err := peer.Initiate(p.a, childName); err != nil {
		t.Fatal(err)
	}
	p.wantUp(t, 10*time.Second)
}

func (p *pair) peers() []peer.Peer { return []peer.Peer{p.a, p.b} }

// ends are the two ends of the tunnel's inside in one address family.
func (p *pair) ends(v6 bool) (a, b lab.Endpoint) {
	if v6 {
		return lab.Endpoint{Host: p.A.Host, Addr: p.A.Inner6}, lab.Endpoint{Host: p.B.Host, Addr: p.B.Inner6}
	}
	return lab.Endpoint{Host: p.A.Host, Addr: p.A.Inner4}, lab.Endpoint{Host: p.B.Host, Addr: p.B.Inner4}
}

// established is the one IKE SA and its one CHILD SA, if that is what the gateway has. A CHILD SA that strongSwan
// keeps for some seconds after a rekeying, to receive what is late, is in state DELETED and doesn't count.
func established(p peer.Peer) (ike peer.IKESA, child peer.ChildSA, problem string) {
	sas, err := peer.SAs(p)
	if err != nil {
		return ike, child, err.Error()
	}
	if len(sas) != 1 {
		return ike, child, fmt.Sprintf("%s on %s has %d IKE SAs, want 1\n%s", p.Kind(), p.Site().Name, len(sas), peer.DescribeSAs(p))
	}
	ike = sas[0]
	live := slices.DeleteFunc(slices.Clone(ike.Children), func(c peer.ChildSA) bool { return c.State == "DELETED" })
	switch {
	case ike.State != "ESTABLISHED":
		return ike, child, fmt.Sprintf("%s on %s: the IKE SA is %s", p.Kind(), p.Site().Name, ike.State)
	case len(live) != 1 || live[0].State != "INSTALLED":
		return ike, child, fmt.Sprintf("%s on %s: want one installed CHILD SA\n%s", p.Kind(), p.Site().Name, peer.DescribeSAs(p))
	}
	return ike, live[0], ""
}

// state is what both ends agree on.
type state struct {
	ikeA, ikeB     peer.IKESA
	childA, childB peer.ChildSA
}

// look reads both ends; they agree if they have the same single IKE SA and CHILD SA.
func (p *pair) look() (s state, problem string) {
	if s.ikeA, s.childA, problem = established(p.a); problem != "" {
		return s, problem
	}
	if s.ikeB, s.childB, problem = established(p.b); problem != "" {
		return s, problem
	}
	if s.ikeA.SPIi != s.ikeB.SPIi || s.ikeA.SPIr != s.ikeB.SPIr {
		return s, fmt.Sprintf("the ends have different IKE SAs: %s_%s and %s_%s", s.ikeA.SPIi, s.ikeA.SPIr, s.ikeB.SPIi, s.ikeB.SPIr)
	}
	if s.childA.SPIIn != s.childB.SPIOut || s.childA.SPIOut != s.childB.SPIIn {
		return s, fmt.Sprintf("the ends have different CHILD SAs: a has in %s out %s, b has in %s out %s", s.childA.SPIIn, s.childA.SPIOut, s.childB.SPIIn, s.childB.SPIOut)
	}
	return s, ""
}

// wantUp waits until both ends have the same tunnel and nothing else.
func (p *pair) wantUp(t *testing.T, limit time.Duration) state {
	t.Helper()
	var s state
	lab.Eventually(t, limit, "both ends have the same IKE SA and CHILD SA", func() (bool, string) {
		var problem string
		s, problem = p.look()
		return problem == "", problem
	})
	return s
}

// wantNoState waits until neither end has any SA left.
func (p *pair) wantNoState(t *testing.T, limit time.Duration) {
	t.Helper()
	for _, end := range p.peers() {
		lab.Eventually(t, limit, fmt.Sprintf("%s on %s has no SA left", end.Kind(), end.Site().Name), func() (bool, string) {
			sas, err := peer.SAs(end)
			if err != nil {
				return false, err.Error()
			}
			return len(sas) == 0, peer.DescribeSAs(end)
		})
	}
}

// wantPing sends pings both ways in both families and allows no loss.
func (p *pair) wantPing(t *testing.T) {
	t.Helper()
	p.bothWays(func(from, to lab.Endpoint) { p.wantPingTo(t, from, to) })
}

// wantFragments sends packets both ways in both families that are larger than any MTU. The first ones may be lost,
// while the hosts learn from "too big" messages what fits through the tunnel; after that nothing may.
func (p *pair) wantFragments(t *testing.T) {
	t.Helper()
	p.bothWays(func(from, to lab.Endpoint) {
		lab.Eventually(t, 15*time.Second, "large packets pass", func() (bool, string) {
			r, err := lab.Ping(from, to, lab.PingOptions{Count: 3, Size: 3000, Patience: time.Second})
			if err != nil {
				return false, err.Error()
			}
			return r.Lost() == 0, r.String()
		})
	})
}

func (p *pair) bothWays(do func(from, to lab.Endpoint)) {
	for _, v6 := range []bool{false, true} {
		a, b := p.ends(v6)
		do(a, b)
		do(b, a)
	}
}

func (p *pair) wantPingTo(t *testing.T, from, to lab.Endpoint) {
	t.Helper()
	r, err := lab.Ping(from, to, lab.PingOptions{Count: 3})
	if err != nil {
		t.Fatal(err)
	}
	if r.Lost() != 0 {
		t.Error(r)
	}
}

// wantTraffic waits until a ping gets through.
func (p *pair) wantTraffic(t *testing.T, limit time.Duration) {
	t.Helper()
	a, b := p.ends(false)
	lab.Eventually(t, limit, "traffic flows", func() (bool, string) {
		r, err := lab.Ping(a, b, lab.PingOptions{Patience: 300 * time.Millisecond})
		if err != nil {
			return false, err.Error()
		}
		return r.Received == 1, r.String()
	})
}

// wantBulk moves bytes both ways at once and compares checksums.
func (p *pair) wantBulk(t *testing.T, v6 bool, bytes int64) {
	t.Helper()
	a, b := p.ends(v6)
	f, err := lab.StartFlow(a, b, lab.FlowOptions{Bytes: bytes})
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Wait()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("bulk: %v; %v", r.Forth, r.Back)
}
