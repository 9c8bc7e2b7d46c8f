package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// sendsWith lists the peers' addresses to which a node has an outbound SA for a local network.
func (n *node) sendsWith(local string) []string {
	n.plane.mu.Lock()
	defer n.plane.mu.Unlock()
	var out []string
	for id := range n.plane.out {
		if !strings.HasPrefix(n.plane.ts[id], local) {
			continue
		}
		out = append(out, n.plane.paths[id].Remote.Addr().String())
	}
	slices.Sort(out)
	return out
}

// Two peers of one connection ask for the same networks, or for some of the other's: the first keeps them, and all of its
// tunnel; the second is refused, and what is reported names both. It gets them when the first has gone, however that comes.
func TestTwoPeersWithTheSameNetworks(t *testing.T) {
	for _, nets := range [][2]string{
		{"10.1.1.0/24", "10.1.1.0/24"}, {"10.1.1.0/24", "10.1.1.128/25"}, {"10.1.1.0/24", "10.1.0.0/16"}, {"10.1.1.7/32", "10.1.1.0/24"},
	} {
		for _, end := range []string{"stops", "dies", "is taken down"} {
			for _, action := range []string{"start", "none"} {
				t.Run(fmt.Sprintf("%s/%s/%s/%s", nets[0], nets[1], end, action), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						f := newFabric(t)
						r := called("*.example", "no")
						r.children = append(r.children, kid{"lab", "172.16.2.0/24", "172.16.0.0/16", "none", ""})
						b := f.start(addrB, toml("", r))
						a := f.start(addrA, toml("", callerAt(addrA, "a.example", nets[0])))
						settle(time.Second)
						before, _ := saIDs(b, "a")
						l := callerAt(addrC, "c.example", nets[1])
						l.children[0].action = action
						l.children = append(l.children, kid{"lab", "172.16.1.0/24", "172.16.2.0/24", "start", ""})
						c := f.start(addrC, toml("", l))
						settle(2 * time.Second)
						if action == "none" {
							_ = c.d.Initiate(t.Context(), Target{Connection: "b", Child: "net"}, true, nil)
						}
						settle(time.Minute)
						if now, _ := saIDs(b, "a"); !slices.Equal(b.sendsWith("10.2.0.0/16"), []string{addrA}) || !slices.Contains(now, before[0]) {
							t.Errorf("traffic goes to %v\n%s", b.sendsWith("10.2.0.0/16"), b.log)
						}
						last := b.last("a")
						if last == nil || last.Failure.Code != diag.CodeTSTaken {
							t.Fatalf("reported is %v", last)
						}
						for _, s := range []string{"a.example", "c.example", addrA, addrC, nets[0]} {
							if !strings.Contains(last.Failure.Error(), s) {
								t.Errorf("the report does not name %s: %s", s, last.Failure)
							}
						}
						switch end {
						case "stops":
							a.stop()
						case "dies":
							a.crash()
						default:
							if _, err := a.d.Terminate(t.Context(), Target{Connection: "b"}, false, false); err != nil {
								t.Error(err)
							}
						}
						settle(10 * time.Minute)
						if got := b.sendsWith("10.2.0.0/16"); !slices.Equal(got, []string{addrC}) {
							t.Errorf("after the first has gone, traffic goes to %v\n%s", got, b.log)
						}
						paired(t, b, c)
					})
				})
			}
		}
	}
}

// A peer may bring the child of another connection up on its IKE SA, where two connections are for the same peers. It does not get
// another's networks that way either, waits for them, and keeps nothing when it goes.
func TestNetworksOfAnotherPeerThroughASibling(t *testing.T) {
	for _, rekeyed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			office, voice := called("*.example", "no"), called("*.example", "no")
			office.name, voice.name = "office", "voice"
			office.children[0].local, voice.children[0].local = "10.2.0.0/24", "10.2.1.0/24"
			b := f.start(addrB, toml("", office, voice))
			peer := func(addr, id, own string) *node {
				l := callerAt(addr, id, own)
				l.children = []kid{{"office", own, "10.2.0.0/24", "start", ""}, {"voice", "10.1.7.0/24", "10.2.1.0/24", "none", ""}}
				return f.start(addr, toml("", l))
			}
			a, c := peer(addrA, "a.example", "10.1.1.0/24"), peer(addrC, "c.example", "10.1.2.0/24")
			settle(time.Second)
			for _, n := range []*node{a, c} {
				_ = n.d.Initiate(t.Context(), Target{Child: "voice"}, true, nil)
				settle(10 * time.Second)
			}
			if got := b.sendsWith("10.2.1.0/24"); !slices.Equal(got, []string{addrA}) {
				t.Fatalf("traffic goes to %v\n%s", got, b.log)
			}
			waiting := func() (n int) {
				_ = b.d.call(t.Context(), func(time.Time) {
					for _, x := range b.d.conns {
						for _, h := range x.children {
							n += len(h.refused)
						}
					}
				})
				return n
			}
			if n := waiting(); n != 1 {
				t.Errorf("%d peers wait", n)
			}
			if rekeyed {
				settle(5 * time.Hour)
				a.stop()
				settle(10 * time.Minute)
				if got := b.sendsWith("10.2.1.0/24"); !slices.Equal(got, []string{addrC}) {
					t.Errorf("after the first has gone, traffic goes to %v\n%s", got, b.log)
				}
			}
			c.stop()
			settle(time.Minute)
			if n := waiting(); n != 0 {
				t.Errorf("%d peers that have gone wait", n)
			}
		})
	}
}

// A peer that comes back with the identity of the one that has the networks is that one: it gets them at once.
func TestSamePeerWithTheSameNetworks(t *testing.T) {
	for _, unique := range []string{"no", "replace"} {
		t.Run(unique, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				b := f.start(addrB, toml("", called("*.example", unique)))
				a := f.start(addrA, toml("", callerAt(addrA, "a.example", "10.1.1.0/24")))
				settle(time.Second)
				if got := b.sendsWith("10.2.0.0/16"); !slices.Equal(got, []string{addrA}) {
					t.Fatalf("traffic goes to %v", got)
				}
				a.crash()
				c := f.start(addrC, toml("", callerAt(addrC, "a.example", "10.1.1.0/24")))
				settle(time.Minute)
				if got := b.sendsWith("10.2.0.0/16"); !slices.Equal(got, []string{addrC}) {
					t.Errorf("traffic goes to %v", got)
				}
				paired(t, b, c)
				if last := b.last("a"); last != nil {
					t.Errorf("reported is %v", last)
				}
			})
		})
	}
}
