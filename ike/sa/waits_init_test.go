package sa

import (
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// held is a rig both of whose desks keep what is asked for.
func held(t *testing.T, seed uint64, edit func(a, b *Config)) *rig {
	r := newRig(t, seed, edit)
	for _, e := range []*end{r.a, r.b} {
		e.desk.late = func(Request) outcome { return outcome{held: true} }
	}
	return r
}

// next completes the oldest request of a side, with err if there is one.
func (e *end) next(err error) {
	e.r.t.Helper()
	if len(e.desk.open) == 0 {
		e.r.t.Fatalf("%s asks for nothing", e.name)
	}
	x := e.desk.open[0]
	x.outcome.err = err
	e.desk.complete(e, x)
}

func (e *end) wantAsking(n int) {
	e.r.t.Helper()
	if len(e.desk.open) != n {
		e.r.t.Fatalf("%s has %d requests that wait, want %d", e.name, len(e.desk.open), n)
	}
}

// A handshake each of whose key exchanges waits. Nothing goes out before it can, and the timers of this side stand still.
func TestHandshakeWaits(t *testing.T) {
	r := held(t, 501, ikeProposals(t, hybrid, hybrid))
	ma := r.a.connect()
	r.run(time.Second)
	r.a.wantAsking(1)
	if len(r.a.events) != 1 {
		t.Fatalf("a has put out %v", r.a.events)
	}
	r.a.next(nil) // KEi
	f := r.wire[0]
	r.run(time.Second)
	r.b.wantAsking(1)
	for range 3 {
		r.b.receive(f)
	}
	if n := r.b.ignored(IgnorePending); n != 3 || len(r.wire) > 0 || len(r.b.all()) != 1 {
		t.Fatalf("%d copies were ignored, %d datagrams, %d machines", n, len(r.wire), len(r.b.all()))
	}
	r.b.next(nil) // KEr
	answer := r.wire[0]
	r.run(r.delay)
	r.a.wantAsking(1)
	r.a.receive(answer)
	r.a.wantAsking(1)
	r.run(4 * time.Second)
	if n := countEvents[Retransmitted](r.a); n != 0 {
		t.Errorf("a repeats a request whose answer it has")
	}
	r.a.next(nil) // the shared secret
	if s := ma.tasks(); len(s) != 2 || s[0].Kind != TaskIntermediate {
		t.Errorf("a does %v", s)
	}
	r.a.next(nil) // KEi(1)
	f = r.wire[0]
	r.run(r.delay)
	r.b.wantAsking(1)
	r.b.receive(f)
	if n := r.b.ignored(IgnorePending); n != 4 || len(r.wire) > 0 {
		t.Errorf("%d copies were ignored, %d datagrams", n, len(r.wire))
	}
	r.b.next(nil) // KEr(1)
	r.run(r.delay)
	r.a.next(nil)
	r.run(time.Second)
	r.wantUp(1)
	r.a.wantAsking(0)
	r.b.wantAsking(0)
}

// What a handshake waits for may fail. The initiator's attempt ends with a failure when its request can't be made; everything else
// is taken for lost and comes again.
func TestHandshakeRequestsFail(t *testing.T) {
	busy := &RequestError{"a key exchange", "no worker"}
	initiated := func(t *testing.T) (*rig, *Machine) {
		r := held(t, 502, ikeProposals(t, hybrid, hybrid))
		m := r.a.connect()
		return r, m
	}
	up := func(r *rig) {
		r.a.desk.late, r.b.desk.late = nil, nil
		r.run(2 * time.Minute)
		r.wantUp(1)
	}
	t.Run("building IKE_SA_INIT", func(t *testing.T) {
		r, _ := initiated(t)
		r.a.next(busy)
		r.a.wantFailure(diag.CodeBusy)
		r.a.wantNothing()
	})
	t.Run("building IKE_SA_INIT, lost", func(t *testing.T) {
		r, _ := initiated(t)
		r.run(keyExchangeTime)
		r.a.wantFailure(diag.CodeBusy)
		r.a.wantNothing()
	})
	for name, fails := range map[string]func(r *rig){
		"busy": func(r *rig) { r.b.next(busy) }, "lost": func(r *rig) { r.run(keyExchangeTime) },
	} {
		t.Run("answering IKE_SA_INIT, "+name, func(t *testing.T) {
			r, _ := initiated(t)
			r.a.next(nil)
			r.run(r.delay)
			fails(r)
			if len(r.b.all()) > 1 || r.b.ignored(IgnoreBusy) != 1 || len(r.b.failures) > 0 {
				t.Errorf("%d machines, %d ignored, %v", len(r.b.all()), r.b.ignored(IgnoreBusy), r.b.failures)
			}
			up(r)
		})
		t.Run("answering IKE_INTERMEDIATE, "+name, func(t *testing.T) {
			r, _ := initiated(t)
			for _, e := range []*end{r.a, r.b, r.a, r.a} {
				e.next(nil)
				r.run(r.delay)
			}
			r.b.wantAsking(1)
			fails(r)
			if r.b.ignored(IgnoreBusy) != 1 || len(r.b.failures) > 0 {
				t.Errorf("%d ignored, %v", r.b.ignored(IgnoreBusy), r.b.failures)
			}
			up(r)
		})
	}
	for name, n := range map[string]int{"IKE_SA_INIT": 0, "IKE_INTERMEDIATE": 1} {
		t.Run("taking the answer to "+name, func(t *testing.T) {
			r, _ := initiated(t)
			steps := []*end{r.a, r.b, r.a, r.a, r.b}
			for _, e := range steps[:2+3*n] {
				e.next(nil)
				r.run(r.delay)
			}
			r.a.next(busy)
			r.a.wantFailure(diag.CodeBusy)
			up(r)
		})
	}
	t.Run("a bad public value of the initiator", func(t *testing.T) {
		r, _ := initiated(t)
		r.a.desk.carryOut = func(k KeyExchange) Result { return Exchanged{Own: badKE{k.Group, make([]byte, 32)}} }
		r.a.next(nil)
		r.run(r.delay)
		r.b.next(nil)
		if len(r.wire) != 1 {
			t.Fatalf("%d answers", len(r.wire))
		}
		msg, err := wire.Parse(r.wire[0].data)
		if err != nil || notify(msg.Payloads, wire.NotifyInvalidSyntax) == nil || msg.Header.SPIr != 0 {
			t.Errorf("answered with %v, %v", msg, err)
		}
		r.b.wantFailure(diag.CodeKEValue)
		r.b.wantNothing()
		if len(r.b.all()) > 0 {
			t.Error("a machine is left")
		}
	})
}

// A half-open IKE SA ends in its time also when its first answer waits, and so does one that somebody ends.
func TestHalfOpenEndsWhileItWaits(t *testing.T) {
	for name, end := range map[string]func(r *rig, m *Machine){
		"in its time": func(r *rig, m *Machine) { r.run(3 * time.Second) },
		"pushed out":  func(r *rig, m *Machine) { m.Abandon(r.now, "another takes its place"); r.b.drain(m) },
		"deleted":     func(r *rig, m *Machine) { m.Delete(r.now, "shutdown"); r.b.drain(m) },
	} {
		t.Run(name, func(t *testing.T) {
			r := held(t, 503, func(a, b *Config) { b.HalfOpenTimeout = 3 * time.Second })
			r.a.connect()
			r.a.next(nil)
			r.run(r.delay)
			m := r.b.all()[0]
			end(r, m)
			if m.State() != StateClosed || len(r.b.all()) > 0 {
				t.Errorf("it is %s", m.State())
			}
			r.b.next(nil)
			if len(r.wire) > 0 || len(m.Outputs()) > 0 {
				t.Error("a late completion has done something")
			}
		})
	}
}

// Nothing protects the answers to IKE_SA_INIT: a demand for another group, whoever makes it, does not keep the peer's answer from
// being taken, and however many come while one waits, nothing more is computed.
func TestInitAnswersWhileOneWaits(t *testing.T) {
	two := func(a, b *Config) {
		for _, c := range []*Config{a, b} {
			c.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519-ecp256")
		}
	}
	demand := func(r *rig, f flight) flight {
		h := headerOf(f.data)
		h.Flags = wire.FlagResponse
		m := wire.Message{Header: h, Payloads: []wire.Payload{&wire.Notify{NotifyType: wire.NotifyInvalidKEPayload, Data: []byte{0, byte(wire.KE_ECP_256)}}}}
		return flight{to: r.a, path: r.a.path(), data: m.Append(nil)}
	}
	start := func(t *testing.T) (r *rig, f flight) {
		r = held(t, 504, two)
		r.b.desk.late = nil
		r.a.connect()
		r.a.next(nil)
		return r, r.wire[0]
	}
	t.Run("the peer's answer behind a demand", func(t *testing.T) {
		r, f := start(t)
		for range 5 {
			r.a.receive(demand(r, f))
		}
		r.a.wantAsking(1)
		r.run(2 * r.delay) // the peer answers
		r.a.wantAsking(2)
		late := r.a.desk.open[0]
		r.a.desk.complete(r.a, r.a.desk.open[1])
		r.a.desk.complete(r.a, late)
		r.run(time.Second)
		ma, _ := r.wantUp(1)
		if ma.chosen.KE != wire.KE_CURVE25519 {
			t.Error("the group of the demand is used")
		}
	})
	t.Run("demands behind the peer's answer", func(t *testing.T) {
		r, f := start(t)
		r.run(2 * r.delay)
		for range 5 {
			r.a.receive(demand(r, f))
		}
		r.a.wantAsking(1)
		r.a.next(nil)
		r.run(time.Second)
		r.wantUp(1)
	})
	t.Run("other answers behind the first", func(t *testing.T) {
		r, _ := start(t)
		r.b.desk.late = func(Request) outcome { return outcome{held: true} }
		r.run(r.delay)
		r.b.next(nil)
		answer := r.wire[0]
		for range 5 {
			r.a.receive(answer)
		}
		r.a.wantAsking(1)
		if n := r.a.ignored(IgnorePending); n != 4 {
			t.Errorf("%d were ignored", n)
		}
	})
}
