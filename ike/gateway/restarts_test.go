package gateway

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
)

// restarter makes a daemon behave as a peer with close_action = start: it calls again for each IKE SA that the other side
// has closed with its children, and asks again for each child that the other side has closed. Nothing else ends an IKE SA
// but what strongSwan does with unique = replace.
type restarter struct {
	n *node
	// stubborn: it calls again for an IKE SA without children, too.
	stubborn bool
	// replaces: ten seconds after the other side has called, it closes what there was before.
	replaces bool
	started  int // IKE SAs that it has started for one that was closed
	// ended are the children that have ended at this moment.
	ended map[uint64][]*sa.ChildConfig
	at    time.Time
}

func (r *restarter) Observe(ev Event) {
	switch ev := ev.(type) {
	case ChildUpdown:
		r.childUpdown(ev.Up, ev.SA, ev.Child)
	case IKEUpdown:
		r.ikeUpdown(ev.Up, ev.SA)
	}
}

func (r *restarter) childUpdown(up bool, s sa.Snapshot, c sa.ChildSnapshot) {
	if up {
		return
	}
	if now := time.Now(); r.at != now {
		r.at, r.ended = now, map[uint64][]*sa.ChildConfig{}
	}
	e := r.entry(s)
	if e == nil || e.leaving || e.conn == nil {
		return
	}
	for _, h := range e.conn.children {
		if h.cfg.Name == c.Name {
			r.ended[s.ID] = append(r.ended[s.ID], h.cfg)
		}
	}
	r.later(0, func(now time.Time) {
		if e.alive() {
			for _, cfg := range r.ended[s.ID] {
				e.m.InitiateChild(now, cfg, nil)
			}
			r.n.d.drain(now, e)
		}
	})
}

func (r *restarter) ikeUpdown(up bool, s sa.Snapshot) {
	d := r.n.d
	e := r.entry(s)
	if up {
		r.later(0, func(time.Time) {
			for _, x := range d.table.bySPI {
				x.review = time.Time{} // it has no verdict of its own
			}
		})
		if r.replaces && !s.Initiator {
			for _, x := range d.samePeer(e) {
				r.later(10*time.Second, func(now time.Time) {
					if x.alive() {
						d.delete(now, x, "unique = replace")
					}
				})
			}
		}
		return
	}
	var children []*sa.ChildConfig
	if r.at == time.Now() {
		children = r.ended[s.ID]
	}
	if e == nil || e.leaving || e.conn == nil || len(children) == 0 && !r.stubborn || d.stopping {
		return
	}
	c, path := e.conn, s.Path
	if len(children) == 0 {
		children = c.cfg.Children
	}
	r.later(0, func(now time.Time) {
		r.started++
		path.Local, path.Remote = netip.AddrPortFrom(path.Local.Addr(), 500), netip.AddrPortFrom(path.Remote.Addr(), 500)
		d.drain(now, d.table.add(sa.NewInitiator(d.env, now, c.cfg, path, children), c))
	})
}

func (r *restarter) entry(s sa.Snapshot) *entry {
	if s.Initiator {
		return r.n.d.table.bySPI[s.SPIi]
	}
	return r.n.d.table.bySPI[s.SPIr]
}

// later has something done by the event loop.
func (r *restarter) later(after time.Duration, f func(now time.Time)) {
	time.AfterFunc(after, func() { _ = r.n.d.call(context.Background(), f) })
}

// startRestarting is startReauth with a peer that restarts what is closed.
func startRestarting(t *testing.T, headA, extraA string, r *restarter) *reauthPair {
	f := newFabric(t)
	a, b := left("start"), right("none")
	a.extra, b.extra = extraA, `unique = "never"`
	a.children = append(a.children, kid{"lab", "172.16.1.0/24", "172.16.2.0/24", "start", ""})
	b.children = append(b.children, kid{"lab", "172.16.2.0/24", "172.16.1.0/24", "none", ""})
	p := &reauthPair{t: t, f: f, b: f.start(addrB, toml("", b), func(o *rigOptions) { o.Observer = r })}
	r.n = p.b
	p.a = f.start(addrA, toml(headA, a))
	settle(time.Second)
	p.wantUp()
	return p
}

// established is how many IKE SAs a side has had.
func (n *node) established() int { return strings.Count(n.log.String(), "IKE SA established") }

// flows lets time pass in small steps. A side may send on an SA that the other side only has a moment later, when the answer
// arrives that was sent before the packet; for longer than that there is always an SA to send with.
func (p *reauthPair) flows(d time.Duration) {
	p.t.Helper()
	since := map[*node]time.Time{p.a: time.Now(), p.b: time.Now()}
	for end := time.Now().Add(d); time.Now().Before(end); {
		settle(latency / 5)
		for x, y := range map[*node]*node{p.a: p.b, p.b: p.a} {
			if x.sends(y, 2) {
				since[x] = time.Now()
			} else if time.Since(since[x]) > latency+latency/5 {
				p.t.Fatalf("%s can't send to %s at %s\n%s", x.addr, y.addr, time.Now(), p.a.log)
			}
		}
	}
}

// wantRest checks that there are few IKE SAs, and that their number and names do not change any more.
func (p *reauthPair) wantRest(ikes, fresh int) {
	p.t.Helper()
	before, n := p.a.established(), p.a.ikeSAs()
	settle(2 * time.Minute)
	if n > ikes || p.a.ikeSAs() != n || p.b.ikeSAs() != n {
		p.t.Errorf("%d IKE SAs at rest, at most %d are right; then %d and %d", n, ikes, p.a.ikeSAs(), p.b.ikeSAs())
	}
	if d := p.a.established() - before; d > 0 {
		p.t.Errorf("%d further IKE SAs at rest", d)
	}
	if before > fresh {
		p.t.Errorf("%d new IKE SAs, at most %d are right", before, fresh)
	}
	if p.t.Failed() {
		p.t.Logf("the log of a:\n%s", p.a.log)
	}
}

// A peer that starts an IKE SA for each one that this side closes does not make this side close the next, whatever unique
// says on either side, and with whatever the first one was closed: this comes to rest. With one that starts an IKE SA also
// for one that carried nothing, this side leaves it at what there is.
func TestPeerRestartsWhatIsClosed(t *testing.T) {
	for _, unique := range uniques() {
		for _, style := range []string{"", "replaces", "stubborn"} {
			for _, by := range []string{"a", "b", "ab", "twice"} {
				t.Run(fmt.Sprintf("%s/%s/%s", unique, style, by), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						r := &restarter{stubborn: style == "stubborn", replaces: style == "replaces"}
						p := startRestarting(t, "", fmt.Sprintf("unique = %q", unique), r)
						before := p.a.established()
						if by != "b" {
							p.reauth(p.a)
						}
						if by == "b" || by == "ab" {
							p.reauth(p.b)
						}
						if by == "twice" {
							p.flows(5 * time.Second)
							p.reauth(p.a)
						}
						p.flows(70 * time.Second)
						ikes, fresh := 1, 4
						if r.stubborn {
							ikes, fresh = 3, 5 // a command at both ends at once makes two of one
						}
						p.wantRest(ikes, before+fresh)
						p.stop()
					})
				})
			}
		}
	}
}

// The same when it goes on by itself: each reauthentication makes two IKE SAs of one at most, and one is left.
func TestPeerRestartsAtReauthTime(t *testing.T) {
	for _, unique := range []string{"replace", "no"} {
		for _, mbb := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/make_before_break=%t", unique, mbb), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := &restarter{}
					p := startRestarting(t, fmt.Sprintf("[ike]\nmake_before_break = %t\n", mbb),
						fmt.Sprintf("unique = %q\nreauth_time = \"10m\"", unique), r)
					before := p.a.established()
					for range 10 {
						if mbb {
							p.flows(3 * time.Minute)
						} else {
							settle(3 * time.Minute)
						}
						if n := p.a.ikeSAs(); n > 2 {
							t.Errorf("%d IKE SAs", n)
						}
					}
					if n := p.a.established() - before; n < 2 || n > 12 {
						t.Errorf("%d new IKE SAs in half an hour", n)
					}
					p.stop()
				})
			})
		}
	}
}

// Both sides call at about the same time, the one a little after the other, and the peer starts what is closed: one IKE SA is
// left after four at most, and there is always an SA to send with.
func TestCrossingStartsWithAPeerThatRestarts(t *testing.T) {
	for _, unique := range uniques() {
		for _, replaces := range []bool{false, true} {
			for after := time.Duration(0); after <= 6*latency; after += latency {
				t.Run(fmt.Sprintf("%s/%t/%s", unique, replaces, after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						r := &restarter{replaces: replaces}
						f, p := startApart(t, fmt.Sprintf("unique = %q", unique), `unique = "never"`, r)
						f(p.b)
						settle(after)
						f(p.a)
						settle(20 * latency)
						p.flows(60 * time.Second)
						p.wantRest(1, 4)
						p.stop()
					})
				})
			}
		}
	}
}

// The same with a peer like this side, for all that unique can be at both.
func TestCrossingStarts(t *testing.T) {
	for _, ua := range uniques() {
		for _, ub := range uniques() {
			for _, after := range []time.Duration{0, latency / 2, 2 * latency, 3 * latency, time.Second} {
				t.Run(fmt.Sprintf("%s/%s/%s", ua, ub, after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						f, p := startApart(t, fmt.Sprintf("unique = %q", ua), fmt.Sprintf("unique = %q", ub), nil)
						f(p.b)
						settle(after)
						f(p.a)
						settle(20 * latency)
						p.flows(30 * time.Second)
						p.wantRest(1, 4)
						p.stop()
					})
				})
			}
		}
	}
}

// uniques are the values of unique; the race detector makes do with the one that does most.
func uniques() []string {
	if raceEnabled {
		return []string{"replace"}
	}
	return []string{"replace", "no", "keep", "never"}
}

// reauth asks a side to reauthenticate.
func (p *reauthPair) reauth(n *node) {
	p.t.Helper()
	name := map[*node]string{p.a: "b", p.b: "a"}[n]
	if _, err := n.d.Reauthenticate(p.t.Context(), Target{Connection: name}); err != nil {
		p.t.Error(err)
	}
}

// startApart starts two gateways that do not call each other before the function that is returned says so.
func startApart(t *testing.T, extraA, extraB string, r *restarter) (call func(n *node), p *reauthPair) {
	f := newFabric(t)
	a, b := left("none"), right("none")
	a.extra, b.extra = extraA, extraB
	a.children = append(a.children, kid{"lab", "172.16.1.0/24", "172.16.2.0/24", "none", ""})
	b.children = append(b.children, kid{"lab", "172.16.2.0/24", "172.16.1.0/24", "none", ""})
	p = &reauthPair{t: t, f: f}
	p.b = f.start(addrB, toml("", b), func(o *rigOptions) {
		if r != nil {
			o.Observer = r
		}
	})
	if r != nil {
		r.n = p.b
	}
	p.a = f.start(addrA, toml("", a))
	return func(n *node) {
		_ = n.d.call(t.Context(), func(now time.Time) {
			for _, h := range n.d.conns[0].children {
				h.asked = true
				n.d.touch(h)
			}
		})
	}, p
}

// With unique = "keep" a peer that this side has called gets no second IKE SA: it is refused, since a peer may answer the closing
// of one with the next.
func TestKeepRefusesAPeerThatWasCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startRestarting(t, "", `unique = "keep"`, &restarter{})
		settle(2 * crossingTime)
		before := p.a.established()
		_ = p.b.d.call(t.Context(), func(now time.Time) {
			d, c := p.b.d, p.b.d.conns[0]
			path := sa.Path{Local: netip.MustParseAddrPort(addrB + ":500"), Remote: netip.MustParseAddrPort(addrA + ":500")}
			d.drain(now, d.table.add(sa.NewInitiator(d.env, now, c.cfg, path, c.cfg.Children), c))
		})
		p.flows(time.Minute)
		if n := p.a.established() - before; n != 0 {
			t.Errorf("%d further IKE SAs", n)
		}
		if last := p.b.last("a"); last == nil || last.Failure.Code != diag.CodeAuthRefused {
			t.Errorf("the peer was told %v", last)
		}
		p.wantUp()
		p.stop()
	})
}
