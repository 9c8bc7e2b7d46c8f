package sa

import (
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// denies has each side answer requests for an IKE SA that it does not have, as a daemon does.
func (r *rig) denies() {
	next := r.translate
	r.translate = func(f *flight) {
		if next != nil {
			next(f)
		}
		h := headerOf(f.data)
		if h.Flags.Response() || Opens(h.Exchange) || f.to.machines[LocalSPIOf(h)] != nil {
			return
		}
		h.Flags = h.Flags&wire.FlagInitiator ^ wire.FlagInitiator | wire.FlagResponse
		msg := wire.Message{Header: h, Payloads: failing(wire.NotifyInvalidIKESPI)}
		r.wire = append(r.wire, flight{to: r.other(f.to), path: f.path.Reversed(), data: msg.Append(nil), at: r.now.Add(r.delay)})
	}
}

// reminders counts the requests of a side on an IKE SA that it has a successor of.
func (r *rig) reminders(of *end, old *Machine) func() int {
	n, next := 0, r.drop
	r.drop = func(from *end, b []byte) bool {
		if h := headerOf(b); from == of && !h.Flags.Response() && h.SPIi == old.spii() && h.SPIr == old.spir() {
			n++
		}
		return next != nil && next(from, b)
	}
	return func() int { return n }
}

// The answer to a rekeying of the IKE SA is lost, and the NAT in front of the side that gave it has another mapping before the request is
// repeated: the repetitions reach nobody, and the new IKE SA, on which that side speaks, is none that the peer has. The rekeying comes
// to its end all the same, and nothing is lost.
func TestAnswerLostUntilTheNATRebinds(t *testing.T) {
	for name, mobike := range map[string][2]bool{
		"no MOBIKE": {false, false}, "MOBIKE": {true, true}, "MOBIKE at the initiator": {true, false}, "MOBIKE at the responder": {false, true},
	} {
		for _, c := range []struct {
			name  string
			delay time.Duration // of liveness checks
			esp   bool          // what is sent on the CHILD SAs arrives
			heals time.Duration
		}{
			{"a liveness check is denied", 5 * time.Second, false, 45 * time.Second},
			{"a liveness check is denied, with traffic", 5 * time.Second, true, 60 * time.Second},
			{"nothing is said", 0, false, 2 * supersededTime},
		} {
			t.Run(name+", "+c.name, func(t *testing.T) {
				n := newDoubleNAT(t, mobike[0], mobike[1], func(a, b *Config) { a.DPDDelay = c.delay })
				_, mb := n.up(t)
				n.denies()
				for _, e := range []*end{n.a, n.b} {
					e.events, e.failures = nil, nil
				}
				n.drop = func(from *end, b []byte) bool { return from == n.a && headerOf(b).Flags.Response() }
				mb.RekeyIKE(n.now)
				n.b.drain(mb)
				n.run(time.Second)
				n.drop, n.base = nil, 30000
				if len(n.a.all()) != 2 || len(n.b.all()) != 1 {
					t.Fatalf("%d and %d IKE SAs", len(n.a.all()), len(n.b.all()))
				}
				if c.esp {
					n.a.lastESP = n.now.Add(3 * time.Second)
				}
				n.run(c.heals)
				ma, mb := n.wantUp(1)
				if where := netip.AddrPortFrom(natOfA, 30000); !mb.Initiator() || ma.Initiator() || mb.Path().Remote != where {
					t.Errorf("a's initiator is %v, b's is %v and sends to %s", ma.Initiator(), mb.Initiator(), mb.Path().Remote)
				}
				for _, e := range []*end{n.a, n.b} {
					if x := countEvents[ChildDown](e); x > 0 || len(e.failures) > 0 {
						t.Errorf("%s: %d children down, %v", e.name, x, e.failures)
					}
				}
				n.run(2 * supersededTime)
				if len(n.a.all()) != 1 || len(n.b.all()) != 1 {
					t.Errorf("%d and %d IKE SAs are left", len(n.a.all()), len(n.b.all()))
				}
			})
		}
	}
}

// Anybody can say that there is no such IKE SA: there is a request on the old one every ten seconds at most, as long as it is there, and
// none any more once the peer has spoken on the new one.
func TestRemindersAreBounded(t *testing.T) {
	for _, heard := range []bool{false, true} {
		play(t, "x:rekeyike x>", nil, nil, func(l *ladder) {
			fresh := l.y.machine()
			old := fresh.predecessor
			if heard {
				l.word("y>")
				l.word("xx") // x's DELETE
				l.x.sendOn(l.x.machine(), wire.ExchangeInformational)
				l.word("x>")
			}
			l.held = nil
			fresh.enqueue(livenessTask{})
			fresh.pump(l.r.now)
			l.y.drain(fresh)
			reminders := l.r.reminders(l.y, old)
			count := l.r.drop
			l.r.drop = func(e *end, b []byte) bool { // x says nothing but its answers on the old one
				h := headerOf(b)
				return count(e, b) || e == l.x && (!h.Flags.Response() || h.SPIi != old.spii())
			}
			until := l.r.now.Add(2*supersededTime - time.Second)
			if heard {
				until = until.Add(-supersededTime) // the DELETE comes then
			}
			times := 0
			for l.r.now.Before(until) && fresh.pending != nil {
				fresh.Receive(l.r.now, lost(fresh, wire.NotifyInvalidIKESPI), l.y.path())
				l.y.drain(fresh)
				l.r.run(100 * time.Millisecond)
				if n := reminders(); l.r.now.Sub(fresh.created) < remindAfter && n > 0 {
					l.t.Fatalf("%d requests at once", n)
				}
				times++
			}
			if times < 300 {
				l.t.Fatalf("said %d times", times)
			}
			if n, most := reminders(), int(2*supersededTime/suspectInterval)+1; heard != (n == 0) || n > most {
				l.t.Errorf("%d requests, want %d at most", n, most)
			}
			l.r.run(time.Minute)
			if old.State() != StateClosed {
				l.t.Errorf("the old IKE SA is %s", old.State())
			}
		})
	}
}

// What shows that the peer has the new IKE SA.
func TestUnheard(t *testing.T) {
	for name, c := range map[string]struct {
		m    Machine
		want bool
	}{
		"new":                         {Machine{}, true},
		"our first request":           {Machine{window: window{nextSend: 1}, pending: &outstanding{}}, true},
		"it is answered, which waits": {Machine{window: window{nextSend: 1}, pending: &outstanding{parked: &asks{}}}, false},
		"it is answered":              {Machine{window: window{nextSend: 1}}, false},
		"and another is not":          {Machine{window: window{nextSend: 2}, pending: &outstanding{}}, false},
		"the peer's request":          {Machine{window: window{nextRecv: 1}}, false},
		"packets":                     {Machine{alive: liveness{lastHeard: epoch}}, true},
	} {
		if got := c.m.unheard(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A reminder that nobody answers is the last that is asked on the old IKE SA, which ends without a word: "a given endpoint MUST wait
// for a response to each of its messages before sending a subsequent message". https://www.rfc-editor.org/rfc/rfc7296#section-2.3
func TestReminderInVain(t *testing.T) {
	play(t, "x:rekeyike x>", nil, nil, func(l *ladder) {
		old := l.y.machine().predecessor
		l.held = nil
		ids := map[uint32]bool{}
		l.r.drop = func(e *end, b []byte) bool {
			if h := headerOf(b); e == l.y && !h.Flags.Response() && h.SPIi == old.spii() {
				ids[h.MessageID] = true
			}
			return true
		}
		l.r.run(supersededTime + time.Second)
		old.enqueue(livenessTask{}) // whatever else there is to say
		l.r.run(settleTime)
		if old.State() != StateClosed || len(ids) != 1 || len(l.y.failures) > 0 {
			l.t.Errorf("it is %s, %d requests were made, reported %v", old.State(), len(ids), l.y.failures)
		}
		l.y.wantUpAlone()
	})
}

// wantUpAlone checks that a side has its IKE SA and child, whatever the other has.
func (e *end) wantUpAlone() {
	e.r.t.Helper()
	if len(e.live()) != 1 || len(e.liveChildren()) != 1 || countEvents[ChildDown](e) > 0 {
		e.r.t.Errorf("%s has %d IKE SAs and %d children", e.name, len(e.live()), len(e.liveChildren()))
	}
}
