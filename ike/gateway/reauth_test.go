package gateway

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// reauthPair are two gateways with two children, of which the left one reauthenticates.
type reauthPair struct {
	t    *testing.T
	f    *fabric
	a, b *node
}

func startReauth(t *testing.T, headA, extraA, extraB string) *reauthPair {
	f := newFabric(t)
	l, r := left("start"), right("none")
	l.extra, r.extra = extraA, extraB
	l.children = append(l.children, kid{"lab", "172.16.1.0/24", "172.16.2.0/24", "start", ""})
	r.children = append(r.children, kid{"lab", "172.16.2.0/24", "172.16.1.0/24", "none", ""})
	p := &reauthPair{t: t, f: f, b: f.start(addrB, toml("", r)), a: f.start(addrA, toml(headA, l))}
	settle(time.Second)
	p.wantUp()
	return p
}

func (p *reauthPair) stop() { p.a.stop(); p.b.stop() }

func (p *reauthPair) wantUp() {
	p.t.Helper()
	if n := paired(p.t, p.a, p.b); n != 2 {
		p.t.Errorf("%d CHILD SAs", n)
	}
	if n, m := p.a.ikeSAs(), p.b.ikeSAs(); n != 1 || m != 1 {
		p.t.Errorf("%d and %d IKE SAs", n, m)
	}
}

// unbroken lets time pass in small steps; after each of them both children of both sides have an SA to send with that the
// other side can receive on.
func (p *reauthPair) unbroken(d time.Duration) {
	p.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		settle(latency / 5)
		for _, x := range []*node{p.a, p.b} {
			y := map[*node]*node{p.a: p.b, p.b: p.a}[x]
			if !x.sends(y, 2) {
				p.t.Logf("the log of %s:\n%s\nthe log of %s:\n%s", p.a.addr, p.a.log, p.b.addr, p.b.log)
				p.t.Fatalf("%s can't send to %s at %s", x.addr, y.addr, time.Now())
			}
		}
	}
}

// sends reports whether a side has an outbound SA for n pairs of selectors, and the peer the inbound SA for each. Of the SAs
// with the same selectors packets take the one of the oldest line, and of one line the newest: see the data plane.
func (x *node) sends(y *node, n int) bool {
	x.plane.mu.Lock()
	defer x.plane.mu.Unlock()
	y.plane.mu.Lock()
	defer y.plane.mu.Unlock()
	first := map[string]uint64{}
	for id, ts := range x.plane.ts {
		best, ok := first[ts]
		p, q := x.plane.lines[id], x.plane.lines[best]
		if !ok || p < q || p == q && id > best {
			first[ts] = id
		}
	}
	for _, id := range first {
		if o := x.plane.out[id]; !y.plane.hasInbound(o.SPI, o.EncrKey) {
			return false
		}
	}
	return len(first) == n
}

// ids are the numbers of a side's IKE SA and its CHILD SAs, by what they are.
func (p *reauthPair) ids() []string {
	var out []string
	ikes, children := saIDs(p.a, "b")
	for _, id := range ikes {
		out = append(out, fmt.Sprintf("IKE SA #%d", id))
	}
	for _, id := range children {
		out = append(out, fmt.Sprintf("CHILD SA #%d", id))
	}
	return out
}

// wantNew checks that nothing is left of the SAs of before.
func (p *reauthPair) wantNew(before []string) {
	p.t.Helper()
	for _, id := range p.ids() {
		if slices.Contains(before, id) {
			p.t.Errorf("%s is still there", id)
		}
	}
}

// The new IKE SA is there before the old one goes, and takes over its children one by one: no packet is without an SA.
func TestReauthentication(t *testing.T) {
	cases := []struct{ name, extraA, extraB string }{
		{"initiator's time", `reauth_time = "10m"`, ""},
		{"responder's time", "", `reauth_time = "10m"`},
		{"both", `reauth_time = "10m"`, `reauth_time = "10m"`},
		{"with rekeying", "reauth_time = \"10m\"\nrekey_time = \"3m\"", "reauth_time = \"10m\"\nrekey_time = \"3m\""},
		{"the responder replaces", "reauth_time = \"10m\"\nunique = \"never\"", `unique = "replace"`},
		{"childless", "reauth_time = \"10m\"\nchildless = \"force\"", `childless = "force"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := startReauth(t, "", c.extraA, c.extraB)
				for range 3 {
					before := p.ids()
					settle(time.Until(p.due()) - latency)
					if !slices.Equal(p.ids()[:1], before[:1]) && !strings.Contains(c.name, "rekeying") {
						t.Fatal("there is a new IKE SA before it is due")
					}
					p.unbroken(time.Second)
					settle(30 * time.Second)
					p.wantUp()
					p.wantNew(before)
				}
				if n := strings.Count(p.a.log.String()+p.b.log.String(), "level=WARN"); n != 0 {
					t.Errorf("%d warnings\n%s\n%s", n, p.a.log, p.b.log)
				}
				p.stop()
			})
		})
	}
}

// due is when the left side reauthenticates.
func (p *reauthPair) due() time.Time {
	p.t.Helper()
	for _, s := range p.a.info().Conns[0].SAs {
		if !s.ReauthAt.IsZero() {
			return s.ReauthAt
		}
	}
	p.t.Fatal("no reauthentication is scheduled")
	return time.Time{}
}

// An operator asks for it: at the side that called, at the other, and at both at once, when one of the two new IKE SAs
// is left.
func TestReauthenticationByCommand(t *testing.T) {
	for _, who := range []string{"a", "b", "ab"} {
		t.Run(who, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := startReauth(t, "", "", "")
				settle(2 * crossingTime)
				before := p.ids()
				for _, n := range []*node{p.a, p.b} {
					if name := map[*node]string{p.a: "b", p.b: "a"}[n]; strings.Contains(who, map[*node]string{p.a: "a", p.b: "b"}[n]) {
						if n, err := n.d.Reauthenticate(t.Context(), Target{Connection: name}); n != 1 || err != nil {
							t.Errorf("%d SAs, %v", n, err)
						}
					}
				}
				p.unbroken(2 * time.Second)
				settle(2 * longReviewTime)
				p.wantUp()
				p.wantNew(before)
				p.stop()
			})
		})
	}
}

// The side that was called reauthenticates right after it was, as often as it is asked to. The new IKE SA is in the other
// direction than the one that it takes the place of, but both sides haven't called each other: none is redundant.
func TestReauthenticationOfFreshIKESA(t *testing.T) {
	for _, unique := range []string{"never", "no", "keep", "replace"} {
		t.Run(unique, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := fmt.Sprintf("unique = %q", unique)
				p := startReauth(t, "", u, u)
				// Which of two that cross would go is a matter of chance, so: several.
				for i := range 8 {
					before := p.ids()
					from, name := p.b, "a"
					if i%2 == 1 {
						from, name = p.a, "b"
					}
					if n, err := from.d.Reauthenticate(t.Context(), Target{Connection: name}); n != 1 || err != nil {
						t.Errorf("%d SAs, %v", n, err)
					}
					p.unbroken(2 * lateTime)
					p.wantUp()
					p.wantNew(before)
				}
				settle(2 * longReviewTime)
				p.wantUp()
				p.stop()
			})
		})
	}
}

// Both sides reauthenticate, one a little after the other, at whatever point the first one is: one IKE SA is left, and at no time
// is there a packet without an SA.
func TestReauthenticationsOverlap(t *testing.T) {
	for _, unique := range []string{"never", "replace"} {
		for after := time.Duration(0); after <= 12*latency; after += latency / 2 {
			for _, first := range []string{"a", "b"} {
				t.Run(fmt.Sprintf("%s/%s/%s", unique, first, after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						u := fmt.Sprintf("unique = %q", unique)
						p := startReauth(t, "", u, u)
						settle(2 * crossingTime)
						before := p.ids()
						order := []*node{p.a, p.b}
						if first == "b" {
							slices.Reverse(order)
						}
						for _, n := range order {
							name := map[*node]string{p.a: "b", p.b: "a"}[n]
							if _, err := n.d.Reauthenticate(t.Context(), Target{Connection: name}); err != nil {
								t.Error(err)
							}
							settle(after)
						}
						p.unbroken(2 * time.Second)
						settle(2 * longReviewTime)
						p.wantUp()
						p.wantNew(before)
						p.stop()
					})
				})
			}
		}
	}
}

// A gateway that knows no address of its peer can't reauthenticate, and says so to who asks for it.
func TestReauthenticationNeedsAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		r := right("none")
		r.remote = "%any"
		b, a := f.start(addrB, toml("", r)), f.start(addrA, toml("", left("start")))
		settle(time.Second)
		wantUp(t, a, b)
		before, _ := saIDs(b, "a")
		n, err := b.d.Reauthenticate(t.Context(), Target{Connection: "a"})
		if fail, ok := err.(*diag.Failure); n != 0 || !ok || fail.Code != diag.CodeConfig || !strings.Contains(fail.Fix, "remote_addrs") {
			t.Errorf("%d, %v", n, err)
		}
		settle(time.Minute)
		if after, _ := saIDs(b, "a"); !slices.Equal(before, after) {
			t.Errorf("IKE SAs %d and then %d", before, after)
		}
		a.stop()
		b.stop()
	})
}

// The peer can't be reached for a while when it is time: the old IKE SA stays as it is, and it is tried again.
func TestReauthenticationFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Only IKE_SA_INIT gets lost, as when the peer's cookies or limits keep it out: the IKE SA itself is well.
		p := startReauth(t, "[ike]\nretransmit_tries = 1\n", `reauth_time = "10m"`, "")
		p.f.setDeliver(func(_, _ netip.AddrPort, b []byte) bool { return b[18] != 34 && !(len(b) > 22 && b[22] == 34) })
		before := p.ids()
		settle(time.Until(p.due()))
		p.unbroken(20 * time.Second)
		if last := p.a.last("b"); last == nil || last.Failure.Code != diag.CodeTimeoutInit {
			t.Errorf("the failure is %v", last)
		}
		p.f.setDeliver(nil)
		p.unbroken(30 * time.Second)
		settle(10 * time.Second)
		p.wantUp()
		p.wantNew(before)
		p.stop()
	})
}

// With make_before_break = false the old IKE SA goes first, and the children come back with the new one.
func TestReauthenticationBreaksFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startReauth(t, "[ike]\nmake_before_break = false\n", `reauth_time = "10m"`, "")
		before := p.ids()
		settle(time.Until(p.due()) + 10*time.Second)
		p.wantUp()
		p.wantNew(before)
		p.stop()
	})
}
