package sa

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// Exchanges of an IKE SA whose key exchanges wait, in both roles: nothing is sent before what it needs is there, copies of what
// waits are dropped, and what comes of it is what comes of it at once.
func TestExchangesWait(t *testing.T) {
	for _, c := range []struct {
		name, script string
		several      bool // with additional key exchanges
		check        func(l *ladder)
	}{
		// CREATE_CHILD_SA { N(REKEY_SA), SA, Ni, KEi, TSi, TSr }: KEi waits, then the answer, then what is to be done with it.
		{"a child is rekeyed", "x:wait y:wait x:rekey x~ x?1 x. x*Q x> y~ y?1 y. y*A y> x~ x?1 x#1 x. x#1 x> y>", false,
			func(l *ladder) { l.wantChild("x") }},
		{"the request is repeated while its answer waits", "y:wait x:rekey x+ x+ y~ y?1 x^ x> x> y~ y?1 y. y> !", false, func(l *ladder) {
			l.wantChild("x")
			if n := l.y.ignored(IgnorePending); n != 3 {
				l.t.Errorf("%d copies were ignored", n)
			}
		}},
		{"the answer is repeated while the first one waits", "x:rekey x> x:wait y+ y> x?1 x. !", false, func(l *ladder) {
			l.wantChild("x")
			if n := l.x.ignored(IgnoreLate); n != 1 {
				l.t.Errorf("%d copies were ignored", n)
			}
		}},
		{"a request is not repeated whose answer is here", "x:rekey x> x:wait y> x?1 x:advance x~ x. !", false,
			func(l *ladder) { l.wantChild("x") }},
		{"the IKE SA is rekeyed", "x:wait y:wait x:rekeyike x~ x. x> y~ y. y> x?1 x. x> y> !", false, func(l *ladder) { l.wantIKE("x") }},
		{"a child, with more key exchanges", "x:wait y:wait x:rekey x. x> y. y> x. x*Q x> y. y> x. x. x> y. y> x?1 x. x. x> y> !", true,
			func(l *ladder) { l.wantChild("x") }},
		{"an IKE SA, with more key exchanges", "x:wait y:wait x:rekeyike x. x> y. y> x. x> y. y> x. x. x> y. y> x. x. x> y> !", true,
			func(l *ladder) { l.wantIKE("x") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			edit := sides(t, "aes128gcm16-prfsha256-x25519", "aes128gcm16-x25519")
			if c.several {
				edit = severalKEs(t)
			}
			play(t, c.script, edit, nil, c.check)
		})
	}
}

// What crosses a wait is settled by the rules for what crosses on the wire.
func TestWaitsAreCrossed(t *testing.T) {
	child := func(by string) func(l *ladder) { return func(l *ladder) { l.wantChild(by) } }
	ike := func(by string) func(l *ladder) { return func(l *ladder) { l.wantIKE(by) } }
	for _, c := range []struct {
		name, script string
		nonces       map[string][]byte
		check        func(l *ladder)
	}{
		// The peer's request comes first: ours has not been sent, and is not while the peer is at it.
		{"the peer rekeys the child while our request is built", "x:wait x:rekey y:rekey y> x?2 x.2 x> y> x. !", nil, child("y")},
		{"the peer rekeys the IKE SA while our request is built", "x:wait x:rekeyike y:rekeyike y> x?2 x.2 x. x> y> !", nil, ike("y")},
		// Ours is sent while the peer's waits, so that they collide, and the nonces decide.
		{"both rekey the child, the answers wait", "x:wait y:wait x:rekey y:rekey x. y. x> y> x?1 y?1 x. y. x> y> x. y. !",
			map[string][]byte{"x": {5, 6}, "y": {1, 7}}, child("x")},
		{"both rekey the child, one answer waits", "y:wait x:rekey y:rekey y. x> y> x> y?2 y. y. !",
			map[string][]byte{"x": {1, 6}, "y": {5, 7}}, child("y")},
		{"both rekey the IKE SA, the answers wait", "x:wait y:wait x:rekeyike y:rekeyike x. y. x> y> x?1 y?1 x. y. x> y> x. y. !",
			map[string][]byte{"x": {5, 6}, "y": {1, 7}}, ike("x")},
		// The child ends: what was to replace it is not asked for, or not made.
		{"the peer deletes the child while our request is built", "x:wait x:rekey y:delete y> x> x. x~ !", nil, (*ladder).wantNoChild},
		{"we delete the child while our request is built", "x:wait x:rekey x:delete x> y> x. x~ !", nil, (*ladder).wantNoChild},
		{"we delete the child while the peer's rekeying waits", "x:wait y:rekey y> x?1 x:delete x> y> x. !", nil, (*ladder).wantNoChild},
		{"the peer deletes the child while the answer to our request waits", "x:rekey x> x:wait y> x?1 y:delete y> x> x. !", nil, (*ladder).wantNoChild},
		// The IKE SA ends.
		{"we delete the IKE SA while our request is built", "x:wait x:rekeyike x:deleteike x> y> x. x~ !", nil, (*ladder).wantGone},
		{"we delete the IKE SA while the peer's request waits", "x:wait y:rekey y> x?1 x:deleteike x> y> x. !", nil, (*ladder).wantGone},
		{"the peer deletes the IKE SA while our request is built", "x:wait x:rekey y:deleteike y> x> x. x~ !", nil, (*ladder).wantGone},
		{"the peer deletes the IKE SA while the answer to our request waits", "x:rekeyike x> x:wait y> x?1 y:deleteike yx x. !", nil,
			(*ladder).wantGone},
		// A DELETE behind a request that is not answered yet is outside of the window, and comes again.
		{"our rekeying of the IKE SA is done while the peer's request waits", "x:wait y:rekey y> x?1 x:rekeyike x?2 x.2 x> y> x. !", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, c.nonces, func(l *ladder) {
				if c.check == nil {
					l.r.wantUp(1)
					return
				}
				c.check(l)
			})
		})
	}
}

// INFORMATIONAL exchanges of this side go before a request that waits, and those of the peer are answered.
func TestWaitHoldsUpNothingElse(t *testing.T) {
	play(t, "x:wait x:rekey x?1", nil, nil, func(l *ladder) {
		m := l.x.machine()
		m.enqueue(livenessTask{})
		m.pump(l.r.now)
		l.x.drain(m)
		for _, w := range fields("x*Q x> y*A y> x~") { // ours
			l.word(w)
		}
		l.y.send(livenessTask{}.exchange())
		for _, w := range fields("y> x*A x> x. x> y> !") {
			l.word(w)
		}
		l.wantChild("x")
	})
}

// A request that fails ends what it was for in the ordinary way, and one that is never completed does so in time.
func TestRequestsFail(t *testing.T) {
	for _, how := range []string{"busy", "bad", "lost"} {
		for _, c := range []struct {
			name, script string
			// retried: it comes to a good end, when what fails is this side's lack of time.
			retried bool
		}{
			{"building a rekeying of a child", "x:wait x:rekey x.HOW x#1 !", false},
			{"building a rekeying of the IKE SA", "x:wait x:rekeyike x.HOW x#1 !", false},
			{"answering a rekeying of a child", "y:wait x:rekey x> y.HOW y> !", false},
			{"answering a rekeying of the IKE SA", "y:wait x:rekeyike x> y.HOW y> !", false},
			{"taking the answer to a rekeying of a child", "x:wait x:rekey x. x> y> x.HOW !", true},
			{"taking the answer to a rekeying of the IKE SA", "x:wait x:rekeyike x. x> y> x.HOW !", true},
		} {
			t.Run(c.name+" "+how, func(t *testing.T) {
				play(t, strings.ReplaceAll(c.script, "HOW", how), nil, nil, func(l *ladder) {
					code := diag.CodeBusy
					if how == "bad" {
						code = diag.CodeInternal
					}
					if !l.x.hasFailure(code) && !l.y.hasFailure(code) && !(how == "bad" && c.retried) {
						l.t.Errorf("reported %v, %v", l.x.failures, l.y.failures)
					}
					if how == "bad" && c.retried {
						return // the answer was good, and this side could not use it: whatever comes of it, nothing is left over
					}
					l.r.wantUp(1)
					if len(l.x.desk.open)+len(l.y.desk.open) > 0 {
						l.t.Error("something waits still")
					}
				})
			})
		}
	}
}

// A completion that nobody waits for does nothing: a second one, one of a request that was given up, one of none.
func TestLateCompletions(t *testing.T) {
	play(t, "x:wait y:wait x:rekey", nil, nil, func(l *ladder) {
		first := l.x.desk.open[0]
		m := first.m
		for _, w := range fields("x. x> y. y> x?1") {
			l.word(w)
		}
		m.Complete(l.r.now, first.req.ID, Exchanged{Shared: make([]byte, 32)}) // while another one waits
		l.x.drain(m)
		for _, w := range fields("x?1 x~ x. x> y>") {
			l.word(w)
		}
		l.wantChild("x")
		before := len(l.x.events)
		for id := range uint64(20) {
			m.Complete(l.r.now, id, first.req.Want.(KeyExchange).CarryOut())
			l.x.drain(m)
		}
		if len(l.x.events) != before || len(l.held) > 0 {
			l.t.Errorf("%d outputs", len(l.x.events)-before)
		}
		l.wantChild("x")
	})
	t.Run("of a machine that has ended", func(t *testing.T) {
		play(t, "x:wait x:rekey", nil, nil, func(l *ladder) {
			x := l.x.desk.open[0]
			x.m.Abandon(l.r.now, "test")
			l.x.drain(x.m)
			l.x.desk.complete(l.x, x)
			l.x.wantNothing()
			if t := x.m.NextTimeout(); !t.IsZero() {
				l.t.Errorf("it wants to be called at %v", t)
			}
		})
	})
}

// A cluster that fails over while its request waits does not ask for the answer any more. What waits is dropped, and its result too.
func TestSynchronisedWhileARequestWaits(t *testing.T) {
	play(t, "y:wait x:rekey x> y?1", nil, nil, func(l *ladder) {
		mx, my := l.x.machine(), l.y.machine()
		my.sync.negotiated = true
		mx.pending, mx.window.nextSend = nil, my.window.nextRecv+3
		h := l.x.header(wire.ExchangeInformational)
		h.MessageID = 0
		l.inject(l.x, mx.seal(h, []wire.Payload{wire.NewMessageIDSync(wire.MessageIDSync{
			ExpectedSendID: mx.window.nextSend, ExpectedReceived: mx.window.nextRecv,
		})})[0])
		if my.window.parked != nil || my.window.nextRecv != mx.window.nextSend {
			l.t.Fatalf("y waits still, or expects request %d", my.window.nextRecv)
		}
		for _, w := range fields("yx y. y~ y#1") {
			l.word(w)
		}
	})
}

// One that fails over while its answer waits here is not asked for that answer again, but under an id that it knows.
func TestSynchronisedWhileAnAnswerWaits(t *testing.T) {
	for _, how := range []string{"x.", "x.busy", "x.lost"} {
		play(t, "x:rekey x> x:wait y> x?1", nil, nil, func(l *ladder) {
			mx, my := l.x.machine(), l.y.machine()
			mx.sync.negotiated = true
			my.window.nextSend, my.window.nextRecv = mx.window.nextRecv+3, my.window.nextRecv+2
			h := l.y.header(wire.ExchangeInformational)
			h.MessageID = 0
			l.inject(l.y, my.seal(h, []wire.Payload{wire.NewMessageIDSync(wire.MessageIDSync{
				ExpectedSendID: my.window.nextSend, ExpectedReceived: my.window.nextRecv,
			})})[0])
			for _, w := range fields("xx x?1 " + how + " x*Q") {
				l.word(w)
			}
			if h := headerOf(l.held[l.find(l.x, 1)].data); h.MessageID != my.window.nextRecv {
				l.t.Errorf("%s: request %d, and the peer expects %d", how, h.MessageID, my.window.nextRecv)
			}
		})
	}
}

// lateAtRandom completes requests after up to d, in whatever order that makes, some of them twice. Of those of an IKE SA that is up,
// some fail and some are lost.
func (r *rig) lateAtRandom(d time.Duration, fail bool) {
	for _, e := range []*end{r.a, r.b} {
		e.desk.late = func(q Request) outcome {
			o := outcome{after: time.Duration(r.rng.Int64N(int64(d))), twice: r.rng.IntN(4) == 0}
			switch n := r.rng.IntN(40); {
			case !fail:
			case n == 0:
				o.lost = true
			case n < 4:
				o.err = &RequestError{q.Want.String(), "no worker"}
			}
			return o
		}
	}
}

// Handshakes and a life of rekeyings whose requests are completed late and out of order.
func TestLifeWithLateCompletions(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRig(t, 400+seed, func(a, b *Config) {
				edit := []func(a, b *Config){sides(t, "aes128gcm16-prfsha256-x25519", "aes128gcm16-x25519"), severalKEs(t),
					sides(t, "aes128gcm16-prfsha256-x25519-ke1_mlkem768", "aes128gcm16-ecp256")}[seed%3]
				edit(a, b)
				for _, c := range []*Config{a, b} {
					c.RekeyTime, c.HardTime = 5*time.Minute, 30*time.Minute
					c.Children[0].RekeyTime, c.Children[0].HardTime = 2*time.Minute, 20*time.Minute
				}
			})
			r.lateAtRandom(400*time.Millisecond, false)
			r.a.connect()
			r.run(20 * time.Second)
			r.wantUp(1)
			r.lateAtRandom(3*time.Second, seed%2 == 1)
			loss := rand.New(rand.NewPCG(seed, 1))
			if seed%4 > 1 {
				r.drop = func(*end, []byte) bool { return loss.IntN(20) == 0 }
			}
			r.run(time.Hour)
			r.drop = nil
			r.lateAtRandom(time.Second, false)
			r.a.desk.release(r.now)
			r.b.desk.release(r.now)
			r.run(time.Minute)
			r.wantUp(1)
			if n := countEvents[ChildReplaced](r.a) + countEvents[ChildReplaced](r.b); n < 20 {
				t.Errorf("%d rekeyings", n)
			}
			for _, e := range []*end{r.a, r.b} {
				if n := countEvents[ChildDown](e); n > 0 {
					t.Errorf("%s lost %d children", e.name, n)
				}
			}
		})
	}
}

// An answer that this side has no time for is as if it had been lost: the request is repeated when it would have been. At once, a few
// round trips would use up all repetitions and end an IKE SA whose peer is there.
func TestBusyRepeatsAtTheUsualPace(t *testing.T) {
	play(t, "x:rekey x> y*A", nil, nil, func(l *ladder) {
		busy := true
		l.x.desk.late = func(q Request) (o outcome) {
			if busy {
				o.err = &RequestError{q.Want.String(), "too many others wait"}
			}
			return o
		}
		l.r.wire, l.held = append(l.r.wire, l.held...), nil
		cfg := l.x.machine().cfg.Retransmit
		l.r.run(cfg.interval(0, 0) + cfg.interval(1, 0))
		if n := countEvents[Retransmitted](l.x); n < 1 || n > 2 {
			l.t.Errorf("%d repetitions in the time of two", n)
		}
		busy, l.x.failures = false, nil
		l.word("!")
		l.r.wantUp(1)
		l.wantChild("x")
	})
}

// The event loop asks each machine when it wants to be called, behind every input.
func TestNextTimeoutAllocatesNothing(t *testing.T) {
	play(t, "x:wait y:rekey y> x:rekeyike x?2", nil, nil, func(l *ladder) {
		m := l.x.machine()
		if n := testing.AllocsPerRun(100, func() { m.NextTimeout() }); n != 0 {
			l.t.Errorf("%v allocations", n)
		}
	})
}
