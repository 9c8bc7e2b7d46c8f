package sa

import (
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// The AUTH method is a part of what is claimed: a value that is right for a shared key does not count as a signature, at
// either side.
func TestAuthMethod(t *testing.T) {
	for _, by := range []string{"initiator", "responder"} {
		for _, method := range []wire.AuthMethod{wire.AuthRSA, 14, 0, 255} {
			t.Run(by+" "+method.String(), func(t *testing.T) {
				r := newRig(t, 40, nil)
				liar, victim := r.a, r.b
				if by == "responder" {
					liar, victim = r.b, r.a
				}
				n := r.edit(liar, wire.ExchangeIKEAuth, liar == r.b, swap(func(a *wire.Auth) { a.Method = method }))
				r.a.connect()
				r.run(time.Minute)
				if *n == 0 {
					t.Fatal("nothing was changed")
				}
				if f := victim.wantFailure(diag.CodeAuthMethod); !strings.Contains(f.Theirs, method.String()) {
					t.Errorf("%v", f)
				}
				r.a.wantNothing()
				r.b.wantNothing()
			})
		}
	}
}

// A request without AUTH asks for EAP, and is told that there is none.
func TestAuthLeftOut(t *testing.T) {
	r := newRig(t, 41, nil)
	r.edit(r.a, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) (out []wire.Payload) {
		for _, p := range ps {
			if _, ok := p.(*wire.Auth); !ok {
				out = append(out, p)
			}
		}
		return out
	})
	r.a.connect()
	r.run(time.Minute)
	if f := r.b.wantFailure(diag.CodeAuthMethod); !strings.Contains(f.Theirs, "EAP") {
		t.Errorf("%v", f)
	}
	r.a.wantNothing()
	r.b.wantNothing()
}

// A peer that asks for an identity in IDr is not answered by another one: the responder refuses, before it says who it is.
// With several connections it takes the one that has the identity.
func TestIdentityThatIsAskedFor(t *testing.T) {
	t.Run("nobody here", func(t *testing.T) {
		r := newRig(t, 42, func(a, b *Config) { a.RemoteID = mustID(t, "c.example") })
		r.a.connect()
		r.run(time.Minute)
		if f := r.b.wantFailure(diag.CodeAuthID); !strings.Contains(f.Theirs, "c.example") || f.ConfigLine != r.b.cfg.LocalIDLine {
			t.Errorf("%v (%s)", f, f.ConfigLine)
		}
		if r.a.wantFailure(diag.CodeAuthRefused); r.a.hasFailure(diag.CodeAuthID) {
			t.Error("the responder has said who it is")
		}
		r.a.wantNothing()
		r.b.wantNothing()
	})
	t.Run("the second connection", func(t *testing.T) {
		r := newRig(t, 43, func(a, b *Config) { a.RemoteID = mustID(t, "c.example") })
		second := *r.b.cfg
		second.Name, second.LocalID = "second", mustID(t, "c.example")
		r.b.connections(r.b.cfg, &second)
		r.a.connect()
		r.run(time.Second)
		_, mb := r.wantUp(1)
		if mb.Config().Name != "second" || !mb.LocalID().Equal(second.LocalID) {
			t.Errorf("%s answers as %s", mb.Config().Name, mb.LocalID())
		}
	})
}

// The connection is the one whose peer it is, however well another one would fit otherwise.
func TestConnectionOfThePeer(t *testing.T) {
	r := newRig(t, 44, nil)
	other := *r.b.cfg
	other.Name, other.RemoteID = "other", mustID(t, "z.example")
	for _, order := range [][]*Config{{&other, r.b.cfg}, {r.b.cfg, &other}} {
		r.b.connections(order...)
		m := r.a.connect()
		r.run(time.Second)
		if _, mb := r.wantUp(1); mb.Config() != r.b.cfg {
			t.Errorf("%s has the connection %s", mb.RemoteID(), mb.Config().Name)
		}
		m.Delete(r.now, "again")
		r.a.drain(m)
		r.run(time.Minute)
	}
}

// unique = "keep": a peer that has an IKE SA gets no other one, unless it says that it has none. The owner of the machine knows
// what there is.
func TestOneIKESAIsKept(t *testing.T) {
	for _, contact := range []bool{false, true} {
		r := newRig(t, 45, nil)
		r.b.env.Kept = func(_ time.Time, _ *Machine, contact bool) (uint64, bool) { return 99, !contact }
		r.a.env.FirstContact = func(*Config) bool { return contact }
		r.a.connect()
		r.run(time.Minute)
		if contact {
			r.wantUp(1)
			continue
		}
		if f := r.b.wantFailure(diag.CodeLimit); !strings.Contains(f.Ours, "#99") {
			t.Errorf("%v", f)
		}
		r.a.wantNothing()
		r.b.wantNothing()
	}
}

// IKE_AUTH is for a responder that waits for it. It neither makes an initiator answer that is not authenticated itself, nor gives
// an IKE SA in use another identity.
func TestAuthOutOfPlace(t *testing.T) {
	t.Run("to an initiator", func(t *testing.T) {
		r := newRig(t, 46, nil)
		r.drop = func(e *end, d []byte) bool { return headerOf(d).Exchange == wire.ExchangeIKEAuth }
		r.a.connect()
		r.run(time.Second)
		ma, mb := r.a.all()[0], r.b.all()[0]
		for _, id := range []uint32{0, 1} {
			h := wire.Header{SPIi: ma.spii(), SPIr: ma.spir(), Major: 2, Exchange: wire.ExchangeIKEAuth, MessageID: id}
			before := countEvents[Send](r.a)
			r.a.receive(flight{to: r.a, path: ma.path, data: mb.seal(h, []wire.Payload{&wire.ID{IDType: 2, Data: []byte("b.example")}})[0]})
			if n := countEvents[Send](r.a) - before; n != 0 || ma.State() != StateConnecting {
				t.Errorf("id %d: %d answers, %s", id, n, ma.State())
			}
		}
	})
	play(t, "", nil, nil, func(l *ladder) {
		m := l.x.machine()
		id := &wire.ID{IDType: 2, Data: []byte("z.example")}
		l.inject(l.x, m.seal(l.x.header(wire.ExchangeIKEAuth), []wire.Payload{id, &wire.Auth{Method: wire.AuthSharedKey, Data: make([]byte, 32)}})[0])
		if got := l.answers(l.y); len(got) != 0 || l.y.ignored(IgnoreState) != 1 {
			l.t.Errorf("%d answers, %d ignored", len(got), l.y.ignored(IgnoreState))
		}
		l.sameState(l.y)
	})
}
