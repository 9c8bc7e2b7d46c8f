//go:build linux

package integration

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// masquerade is a router's rule set that translates what a sends, to ports of a range.
func masquerade(ports string) string {
	return `table ip nat {
 chain out {
  type nat hook postrouting priority srcnat;
  oifname "rb" ip protocol udp masquerade to :` + ports + ` random
  oifname "rb" masquerade
 }
}
`
}

// TestNATRebinds: the router between forgets its translations while traffic flows, and gives a another port. Both IKE and
// ESP follow, in place: the SAs stay what they were.
func TestNATRebinds(t *testing.T) {
	eachMobility(t, func(t *testing.T, k kinds, mobike bool) {
		p := newPair(t, k, tunnel{Router: true, Edit: func(a, b *peer.Gateway) {
			// strongSwan moves on IKE alone, so a says something now and then.
			a.Connections[0].DPDDelay = time.Second
			b.Connections[0].Remote = lab.Anyone
			a.Connections[0].NoMOBIKE, b.Connections[0].NoMOBIKE = !mobike, !mobike
		}})
		if err := p.R.NFT(masquerade("20000-29999")); err != nil {
			t.Fatal(err)
		}
		p.start(t)
		p.initiate(t)
		before := p.wantUp(t, time.Second)
		a, b := p.ends(false)
		flow, err := lab.StartFlow(a, b, lab.FlowOptions{Rate: rekeyRate})
		if err != nil {
			t.Fatal(err)
		}
		defer flow.Abort()
		p.wantProgress(t, flow)
		if err := p.R.NFT("delete table ip nat\n" + masquerade("30000-39999")); err != nil {
			t.Fatal(err)
		}
		if err := p.R.ForgetTranslations(); err != nil {
			t.Fatal(err)
		}
		if mobike && k.a == peer.KindStrongSwan {
			// With MOBIKE it is for the initiator to say that its IKE messages come from elsewhere. As long as ESP comes in,
			// strongSwan doesn't ask, and doesn't know. ESP is followed by itself, and finds the way for b's requests.
			p.wantProgress(t, flow)
		}
		var after state
		lab.Eventually(t, 15*time.Second, "b sees a at another port", func() (bool, string) {
			var problem string
			after, problem = p.look()
			port := portOf(after.ikeB.Remote)
			moved := port >= 30000 && port < 40000 || mobike && k.a == peer.KindStrongSwan
			return problem == "" && moved, problem + "\n" + peer.DescribeSAs(p.b)
		})
		p.wantMoved(t, before, after)
		p.wantProgress(t, flow)
		if r, err := flow.Finish(); err != nil {
			t.Errorf("transfer: %v", err)
		} else {
			t.Logf("transfer: %v; %v", r.Forth, r.Back)
		}
		p.wantPing(t)
		for _, end := range p.peers() {
			p.rekeyChild(t, "ECP_384", end)
		}
		p.terminate(t)
	})
}

// eachMobility runs a test for every pair, with MOBIKE and without.
func eachMobility(t *testing.T, do func(t *testing.T, k kinds, mobike bool)) {
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		for _, mobike := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v/mobike %v", k, mobike), func(t *testing.T) {
				t.Parallel()
				do(t, k, mobike)
			})
		}
	}
}

// wantMoved checks that the SAs are what they were. kernel-libipsec can't move a CHILD SA, so strongSwan rekeys it; the IKE
// SA stays with it as well.
func (p *pair) wantMoved(t *testing.T, before, after state) {
	t.Helper()
	sameChild := before.childA.SPIIn == after.childA.SPIIn && before.childB.SPIIn == after.childB.SPIIn
	if before.ikeA.SPIi != after.ikeA.SPIi || !sameChild && p.b.Kind() == peer.KindEsplanade {
		t.Errorf("the tunnel was made again instead of moved:\n%s", peer.DescribeSAs(p.b))
	}
}

// portOf is the port of "address[port]", or 0.
func portOf(host string) int {
	_, port, _ := strings.Cut(strings.TrimSuffix(host, "]"), "[")
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0
	}
	return n
}

// TestRebindsIdle: as before, with no traffic at all. A packet from b's side must find its way as soon as a has sent its
// next keepalive or liveness check.
func TestRebindsIdle(t *testing.T) {
	eachMobility(t, func(t *testing.T, k kinds, mobike bool) {
		p := newPair(t, k, tunnel{Router: true, Edit: func(a, b *peer.Gateway) {
			a.Connections[0].DPDDelay = time.Second
			b.Connections[0].Remote = lab.Anyone
			a.Connections[0].NoMOBIKE, b.Connections[0].NoMOBIKE = !mobike, !mobike
		}})
		if err := p.R.NFT(masquerade("20000-29999")); err != nil {
			t.Fatal(err)
		}
		seen := watchIKE(t, p)
		p.start(t)
		p.initiate(t)
		before := p.wantUp(t, time.Second)
		if mobike {
			// With MOBIKE it is a that has to notice, by comparing what b sees with what it saw the last time.
			lab.Eventually(t, 10*time.Second, "a has asked twice", func() (bool, string) {
				n := seen.count(func(m lab.IKEMessage) bool { return m.Exchange == lab.Informational && m.Response })
				return n >= 2, fmt.Sprintf("%d answers", n)
			})
		}
		if err := p.R.NFT("delete table ip nat\n" + masquerade("30000-39999")); err != nil {
			t.Fatal(err)
		}
		if err := p.R.ForgetTranslations(); err != nil {
			t.Fatal(err)
		}
		a, b := p.ends(false)
		lab.Eventually(t, 15*time.Second, "packets get from b to a", func() (bool, string) {
			r, err := lab.Ping(b, a, lab.PingOptions{Patience: 300 * time.Millisecond})
			if err != nil {
				return false, err.Error()
			}
			return r.Received == 1, r.String() + "\n" + peer.DescribeSAs(p.b)
		})
		after := p.wantUp(t, time.Second)
		p.wantMoved(t, before, after)
	})
}

// portForward is a router's rule set that sends on to b what is sent to the router's own address on a's side.
func portForward(to netip.Addr) string {
	return `table ip forwarding {
 chain in {
  type nat hook prerouting priority dstnat;
  iifname "ra" udp dport { 500, 4500 } dnat to ` + to.String() + `
 }
}
`
}

// TestRebindsBehindStaticNAT: b is behind a port forward, and a's NAT forgets its translations. b follows, also without MOBIKE, with a's next
// liveness check or packet, although it is behind a NAT itself.
func TestRebindsBehindStaticNAT(t *testing.T) {
	for _, k := range pairsOf(t, ours) {
		for _, mobike := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v/mobike %v", k, mobike), func(t *testing.T) {
				t.Parallel()
				p := newPair(t, k, tunnel{Router: true, Edit: func(a, b *peer.Gateway) {
					a.Connections[0].DPDDelay = time.Second
					a.Connections[0].Remote, b.Connections[0].Remote = netip.MustParseAddr("198.18.1.254"), lab.Anyone
					a.Connections[0].NoMOBIKE, b.Connections[0].NoMOBIKE = !mobike, !mobike
				}})
				if err := p.R.NFT(portForward(p.B.Outer4) + masquerade("20000-29999")); err != nil {
					t.Fatal(err)
				}
				p.start(t)
				p.initiate(t)
				before := p.wantUp(t, time.Second)
				for _, ports := range []string{"30000-39999", "40000-49999"} {
					if err := p.R.NFT("delete table ip nat\n" + masquerade(ports)); err != nil {
						t.Fatal(err)
					}
					if err := p.R.ForgetTranslations(); err != nil {
						t.Fatal(err)
					}
					from, to := p.ends(false) // a packet of a's shows the way at once
					if ports[0] == '4' {
						from, to = to, from // one of b's finds it once a has asked whether b lives
					}
					lab.Eventually(t, 15*time.Second, "packets get through", func() (bool, string) {
						r, err := lab.Ping(from, to, lab.PingOptions{Patience: 300 * time.Millisecond})
						if err != nil {
							return false, err.Error()
						}
						return r.Received == 1, r.String() + "\n" + peer.DescribeSAs(p.b)
					})
				}
				p.wantMoved(t, before, p.wantUp(t, time.Second))
				p.terminate(t)
			})
		}
	}
}

// manySelectors makes the messages with traffic selectors larger than a packet. All are networks behind one of the gateways;
// not behind a strongSwan, which needs an address in each network of its own.
func manySelectors(behind, other *peer.Gateway) {
	var nets []string
	for i := range 60 {
		nets = append(nets, fmt.Sprintf("fd77:%x::/64", i+1))
	}
	child(behind).LocalTS = slices.Concat(child(behind).LocalTS, nets)
	child(other).RemoteTS = slices.Concat(child(other).RemoteTS, nets)
}

// dropFragments makes the router drop everything that IP has cut.
func dropFragments(t *testing.T, p *pair) {
	t.Helper()
	err := p.R.NFT(`table inet frags {
 chain forward {
  type filter hook forward priority 0;
  ip frag-off & 0x3fff != 0 drop
  exthdr frag exists drop
 }
}
`)
	if err != nil {
		t.Fatal(err)
	}
}

// TestFragmentation: IKE messages larger than a packet, over a path that drops IP fragments and whose MTU is the smallest that
// IPv6 allows. They get through since IKE cuts them itself (RFC 7383), also in rekeyings.
func TestFragmentation(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		for _, outer6 := range []bool{false, true} {
			if !outer6 && k.has(peer.KindStrongSwan) {
				continue // the size of a fragment is Esplanade's own matter, and ours plays both families
			}
			t.Run(fmt.Sprintf("%v/outer6 %v", k, outer6), func(t *testing.T) {
				t.Parallel()
				p := newPair(t, k, tunnel{Router: true, Encap: true, Outer6: outer6, Edit: func(a, b *peer.Gateway) {
					if k.a == peer.KindStrongSwan {
						a, b = b, a
					}
					manySelectors(a, b)
				}})
				dropFragments(t, p)
				if err := p.R.IP("link set rb mtu 1280"); err != nil {
					t.Fatal(err)
				}
				if err := p.B.IP("link set b0 mtu 1280"); err != nil {
					t.Fatal(err)
				}
				seen := watchIKE(t, p)
				p.start(t)
				p.initiate(t)
				p.wantPing(t)
				for _, end := range p.peers() {
					p.rekeyChild(t, "ECP_384", end)
				}
				p.terminate(t)
				for _, exchange := range []uint8{lab.IKEAuth, lab.CreateChildSA} {
					for _, response := range []bool{false, true} {
						n := seen.count(func(m lab.IKEMessage) bool {
							return m.Exchange == exchange && m.Response == response && m.First == lab.PayloadEncryptedFragment
						})
						if n < 2 {
							t.Errorf("%d fragments of exchange %d, response %v: the messages weren't large enough to show anything", n, exchange, response)
						}
					}
				}
			})
		}
	}
}

// TestWithoutFragmentation: on the same path, with IKE fragmentation switched off, nothing gets through, and the failure
// says what it may be. It shows that TestFragmentation's path drops what it should.
func TestWithoutFragmentation(t *testing.T) {
	t.Parallel()
	p := newPair(t, ours, tunnel{Router: true, Encap: true, Edit: func(a, b *peer.Gateway) {
		manySelectors(a, b)
		a.Connections[0].NoFragmentation, b.Connections[0].NoFragmentation = true, true
	}})
	dropFragments(t, p)
	p.start(t)
	out, err := peer.Initiate(p.a, childName)
	if err == nil {
		t.Fatalf("the tunnel came up:\n%s", out)
	}
	p.wantFailure(t, p.a.(*peer.Esplanade), []string{"E-TIMEOUT-AUTH"}, []string{"fragment"}, "swanctl --initiate", func() string { return out })
}

// messages collects the IKE messages that pass a's link.
type messages struct {
	mu   sync.Mutex
	seen []lab.IKEMessage
}

func watchIKE(t *testing.T, p *pair) *messages {
	t.Helper()
	s := &messages{}
	capture, err := p.A.StartCapture("ike", func(frame []byte) {
		if m, ok := lab.ParseIKE(frame); ok {
			m.Raw = slices.Clone(m.Raw)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.seen = append(s.seen, m)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := capture.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *messages) list() []lab.IKEMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

func (s *messages) count(which func(lab.IKEMessage) bool) int {
	n := 0
	for _, m := range s.list() {
		if which(m) {
			n++
		}
	}
	return n
}
