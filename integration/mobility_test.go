//go:build linux

package integration

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// Addresses in the networks of a lab with a router that no host has at first.
var (
	otherA = netip.MustParseAddr("198.18.1.7")
	otherB = netip.MustParseAddr("198.18.2.7")
)

// moveHost takes a host's IPv4 address away and gives it another in the same network, as a DHCP server might.
func (p *pair) moveHost(t *testing.T, s *lab.Site, to netip.Addr) {
	t.Helper()
	link, router, far := "a0", "198.18.1.254", "198.18.2.0/24"
	if s == p.B {
		link, router, far = "b0", "198.18.2.254", "198.18.1.0/24"
	}
	if err := s.IP("addr del "+s.Outer4.String()+"/24 dev "+link, "addr add "+to.String()+"/24 dev "+link,
		"route add "+far+" via "+router); err != nil {
		t.Fatal(err)
	}
}

// roaming lets both gateways use whatever address they have, with any peer at b.
func roaming(mobike bool) func(a, b *peer.Gateway) {
	return func(a, b *peer.Gateway) {
		a.Connections[0].Local, b.Connections[0].Local, b.Connections[0].Remote = lab.Anyone, lab.Anyone, lab.Anyone
		a.Connections[0].NoMOBIKE, b.Connections[0].NoMOBIKE = !mobike, !mobike
		child(a).KeepUp = true
	}
}

// onlyIPv4 takes the IPv6 path away, which a gateway would be right to use when the other one changes.
func (p *pair) onlyIPv4(t *testing.T) {
	t.Helper()
	if err := p.A.IP("addr del " + p.A.Outer6.String() + "/64 dev a0"); err != nil {
		t.Fatal(err)
	}
}

// wantSameKeys checks that the tunnel was moved and not made again. strongSwan's kernel-libipsec cannot move a CHILD SA, so a
// strongSwan rekeys it when addresses change; the IKE SA stays with it as well.
func (p *pair) wantSameKeys(t *testing.T, before, after state) {
	t.Helper()
	both := p.a.Kind() == peer.KindEsplanade && p.b.Kind() == peer.KindEsplanade
	if before.ikeA.SPIi != after.ikeA.SPIi || before.ikeA.SPIr != after.ikeA.SPIr ||
		both && (before.childA.SPIIn != after.childA.SPIIn || before.childB.SPIIn != after.childB.SPIIn) {
		t.Errorf("the tunnel was made again instead of moved:\n%s", peer.DescribeSAs(p.b))
	}
}

// wantAt waits until both ends agree on a tunnel between these addresses of a and b, as b sees them.
func (p *pair) wantAt(t *testing.T, limit time.Duration, a, b netip.Addr) state {
	t.Helper()
	var s state
	lab.Eventually(t, limit, fmt.Sprintf("the tunnel is between %s and %s", a, b), func() (bool, string) {
		var problem string
		s, problem = p.look()
		return problem == "" && strings.HasPrefix(s.ikeB.Remote, a.String()+"[") && strings.HasPrefix(s.ikeB.Local, b.String()+"["),
			problem + "\n" + peer.DescribeSAs(p.a) + peer.DescribeSAs(p.b)
	})
	return s
}

// TestAddressChanges: the initiator's address changes while traffic flows. With MOBIKE the IKE SA and, where the peer can, the
// CHILD SA go on between the new addresses: directly, through a NAT, and from an address without a NAT to one behind it.
func TestAddressChanges(t *testing.T) {
	nats := map[string]string{
		"no NAT": "", "behind a NAT": "oifname \"rb\"", "into a NAT": "ip saddr " + otherA.String() + " oifname \"rb\"",
	}
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		for name, translated := range nats {
			t.Run(k.String()+"/"+name, func(t *testing.T) {
				t.Parallel()
				p := newPair(t, k, tunnel{Router: true, Edit: roaming(true)})
				if translated != "" {
					if err := p.R.NFT("table ip nat {\n chain out {\n  type nat hook postrouting priority srcnat;\n  " + translated +
						" masquerade\n }\n}\n"); err != nil {
						t.Fatal(err)
					}
				}
				p.onlyIPv4(t)
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
				p.moveHost(t, p.A, otherA)
				seenAt := otherA
				if translated != "" {
					seenAt = netip.MustParseAddr("198.18.2.254")
				}
				var after state
				if name == "behind a NAT" {
					// The outside of the NAT stays what it was but for the port, so that traffic has to show it.
					p.wantProgress(t, flow)
					after = p.wantAt(t, 15*time.Second, seenAt, p.B.Outer4)
				} else {
					after = p.wantAt(t, 15*time.Second, seenAt, p.B.Outer4)
					p.wantProgress(t, flow)
				}
				p.wantSameKeys(t, before, after)
				if r, err := flow.Finish(); err != nil {
					t.Errorf("transfer: %v", err)
				} else {
					t.Logf("transfer: %v; %v", r.Forth, r.Back)
				}
				p.wantPing(t)
				for _, end := range p.peers() {
					p.rekeyChild(t, "ECP_384", end)
					p.rekeyIKE(t, end)
				}
				p.wantPing(t)
				p.terminate(t)
			})
		}
	}
}

// TestResponderAddressChanges: the responder's address changes. It says so from the new one, and the initiator moves.
func TestResponderAddressChanges(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Router: true, Edit: roaming(true)})
			p.onlyIPv4(t)
			p.start(t)
			p.initiate(t)
			before := p.wantUp(t, time.Second)
			p.moveHost(t, p.B, otherB)
			after := p.wantAt(t, 15*time.Second, p.A.Outer4, otherB)
			p.wantSameKeys(t, before, after)
			p.wantPing(t)
			p.terminate(t)
		})
	}
}

// TestPathFails: the path to the responder's address goes dead without a word, and the responder has another one. The
// initiator finds it. As an initiator, strongSwan does not look for another path when nothing has changed at its own end.
func TestPathFails(t *testing.T) {
	for _, k := range []kinds{ours, toStrong} {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Router: true, Edit: func(a, b *peer.Gateway) {
				roaming(true)(a, b)
				a.Connections[0].DPDDelay = time.Second
			}})
			if err := p.B.IP("addr add " + otherB.String() + "/24 dev b0"); err != nil {
				t.Fatal(err)
			}
			p.onlyIPv4(t)
			p.start(t)
			p.initiate(t)
			before := p.wantUp(t, time.Second)
			if err := p.R.NFT("table ip dead {\n chain f {\n  type filter hook forward priority 0;\n  ip daddr " + p.B.Outer4.String() +
				" drop\n  ip saddr " + p.B.Outer4.String() + " drop\n }\n}\n"); err != nil {
				t.Fatal(err)
			}
			after := p.wantAt(t, 20*time.Second, p.A.Outer4, otherB)
			p.wantSameKeys(t, before, after)
			p.wantPing(t)
			p.terminate(t)
		})
	}
}

// TestAddressChangesWithoutMOBIKE: the tunnel is made again from the new address, and the log says why.
func TestAddressChangesWithoutMOBIKE(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Router: true, Edit: func(a, b *peer.Gateway) {
				roaming(false)(a, b)
				child(a).StartAction = "start"
			}})
			p.onlyIPv4(t)
			p.start(t)
			before := p.wantUp(t, 10*time.Second)
			p.moveHost(t, p.A, otherA)
			after := p.wantAt(t, 15*time.Second, otherA, p.B.Outer4)
			if before.ikeA.SPIi == after.ikeA.SPIi {
				t.Error("the IKE SA is the same")
			}
			if log := p.a.Log(); !strings.Contains(log, "E-ADDRESS") {
				t.Error("the log does not say why")
			}
			p.wantPing(t)
			p.terminate(t)
		})
	}
}
