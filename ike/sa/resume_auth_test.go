package sa

import (
	"slices"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/wire"
)

// AUTH of a resumed IKE SA covers the messages of IKE_SESSION_RESUME, which are in the clear: what somebody on the way has
// changed in one of them is noticed by the side that got it. Whoever has only seen a ticket cannot make an AUTH value, and
// this is the case that is left: both sides have the keys. https://www.rfc-editor.org/rfc/rfc5723#section-4.3.2
func TestResumptionAuthCoversTheFirstMessages(t *testing.T) {
	for _, c := range []struct {
		name  string
		from  string
		flags wire.Flags
	}{{"request", "a", wire.FlagInitiator}, {"answer", "b", wire.FlagResponse}} {
		t.Run(c.name, func(t *testing.T) {
			r := newResumeRig(t, 20, nil)
			s := r.lost()
			changed := 0
			r.translate = func(f *flight) {
				h := headerOf(f.data)
				if h.Exchange != wire.ExchangeIKESessionResume || h.Flags != c.flags {
					return
				}
				// An unknown status notification more at the end: no key depends on it.
				m, err := wire.Parse(slices.Clone(f.data))
				if err != nil {
					t.Fatal(err)
				}
				m.Payloads = append(m.Payloads, &wire.Notify{NotifyType: 40000})
				f.data = m.Append(nil)
				changed++
			}
			r.a.resume(s)
			r.run(time.Second)
			if changed == 0 {
				t.Fatal("nothing was changed")
			}
			side := map[string]*end{"a": r.b, "b": r.a}[c.from] // who got what was changed
			if f := side.wantFailure(diag.CodeAuthPSK); f.Exchange != wire.ExchangeIKEAuth.String() {
				t.Errorf("%v", f)
			}
			r.run(5 * time.Minute)
			for _, e := range []*end{r.a, r.b} {
				for _, m := range e.live() {
					if m.Snapshot().Resumed {
						t.Errorf("%s has a resumed IKE SA", e.name)
					}
				}
			}
		})
	}
}

// IDi and IDr of a resumed IKE SA are those that were authenticated once. Another identity that the connection lets in as well
// has not been. https://www.rfc-editor.org/rfc/rfc5723#section-4.3.2
func TestResumptionAsAnotherPeer(t *testing.T) {
	for _, by := range []string{"initiator", "responder"} {
		t.Run(by, func(t *testing.T) {
			r := newResumeRig(t, 21, func(a, b *Config) {
				a.RemoteID, b.RemoteID = mustID(t, "*.example"), mustID(t, "*.example")
			})
			s := r.lost()
			m := r.a.resume(s)
			other := mustID(t, "other.example")
			become := func(m *Machine) { m.resume.own, m.localID = other, other }
			r.drop = func(e *end, d []byte) bool {
				// The responder's SPI is there when IKE_SESSION_RESUME is answered.
				if h := headerOf(d); h.Exchange == wire.ExchangeIKESessionResume && e == r.b && by == "responder" {
					for _, x := range r.b.all() {
						become(x)
					}
				}
				return false
			}
			if by == "initiator" {
				// It takes its identity from the session when the answer comes.
				m.pending.task.(*resumeTask).s.LocalID = other
			}
			r.run(time.Second)
			victim := r.b
			if by == "responder" {
				victim = r.a
			}
			if f := victim.wantFailure(diag.CodeAuthID); f.PeerID != "other.example" {
				t.Errorf("%v", f)
			}
			for _, e := range []*end{r.a, r.b} {
				for _, x := range e.live() {
					if x.RemoteID().Equal(other) {
						t.Errorf("%s has an IKE SA with %s", e.name, x.RemoteID())
					}
				}
			}
		})
	}
}

// The gateway's configuration of today decides: a reauth_time that was set or shortened after the ticket was made holds for what
// is resumed with it.
func TestResumptionAfterReauthTimeChanged(t *testing.T) {
	for name, c := range map[string]struct {
		before, after time.Duration
		resumed       bool
	}{
		"set since":       {0, 10 * time.Minute, false},
		"shortened since": {10 * time.Hour, 10 * time.Minute, false},
		"long enough":     {0, 10 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newResumeRig(t, 22, func(a, b *Config) { b.ReauthTime, b.ReauthGrace = c.before, time.Minute })
			s := r.lost()
			r.b.cfg.ReauthTime = c.after
			r.run(20 * time.Minute)
			s.ReauthAt = time.Time{}
			r.a.resume(s)
			r.run(time.Second)
			r.wantResumed(c.resumed)
			if !c.resumed {
				if f := r.a.wantFailure(diag.CodeResume); f.Notify != wire.NotifyTicketNack.String() {
					t.Errorf("the gateway refused with %v", f)
				}
			}
		})
	}
}

// An IKE SA with a PPK gets no ticket, and a ticket from before a connection had one is worth nothing: it does not say whether the
// peer has the PPK.
func TestTicketsAndPPK(t *testing.T) {
	with := func(e *end) {
		e.ppks("office=key")
		e.cfg.PPKID, e.cfg.PPKRequired = "office", true
	}
	t.Run("none is asked for", func(t *testing.T) {
		r := newResumeRig(t, 23, nil)
		with(r.a)
		with(r.b)
		m := r.a.connect()
		asked := false
		r.drop = func(e *end, d []byte) bool {
			if e == r.a && headerOf(d).Exchange == wire.ExchangeIKEAuth {
				resealed(t, m, d, func(ps []wire.Payload) []wire.Payload {
					asked = asked || notify(ps, wire.NotifyTicketRequest) != nil
					return ps
				})
			}
			return false
		}
		r.run(time.Second)
		r.wantUp(1)
		if asked {
			t.Error("TICKET_REQUEST with a PPK")
		}
	})
	t.Run("none is given", func(t *testing.T) {
		r := newResumeRig(t, 24, nil)
		with(r.a)
		with(r.b)
		m := r.a.connect()
		r.drop = func(e *end, d []byte) bool {
			if e != r.a || headerOf(d).Exchange != wire.ExchangeIKEAuth {
				return false
			}
			data := resealed(t, m, d, func(ps []wire.Payload) []wire.Payload {
				return append(ps, &wire.Notify{NotifyType: wire.NotifyTicketRequest})
			})
			r.wire = append(r.wire, flight{to: r.b, path: m.path.Reversed(), data: data, at: r.now.Add(r.delay)})
			return true
		}
		r.run(time.Second)
		_, mb := r.wantUp(1)
		if !mb.ppk.used || countEvents[SessionGranted](r.a) != 0 {
			t.Errorf("PPK used: %v; %d tickets", mb.ppk.used, countEvents[SessionGranted](r.a))
		}
	})
	for _, side := range []string{"gateway", "client"} {
		t.Run("one from before, at the "+side, func(t *testing.T) {
			r := newResumeRig(t, 25, nil)
			s := r.lost()
			e := map[string]*end{"gateway": r.b, "client": r.a}[side]
			e.ppks("office=key")
			e.cfg.PPKID = "office"
			resumes := r.count(wire.ExchangeIKESessionResume)
			r.a.resume(s)
			r.run(time.Second)
			r.wantResumed(false)
			if want := map[string]int{"gateway": 1, "client": 0}[side]; *resumes != want {
				t.Errorf("%d messages of IKE_SESSION_RESUME, want %d", *resumes, want) // the refusal is made without a machine
			}
		})
	}
}

// What a ticket says of how the two sides authenticated each other, and as whom, must be what the connection is configured for.
func TestTicketOfAnotherAuthentication(t *testing.T) {
	for name, c := range map[string]struct {
		edit    func(r *rig, own, peer *identity.Identity, method *uint8)
		resumed bool
	}{
		"as it was":         {func(*rig, *identity.Identity, *identity.Identity, *uint8) {}, true},
		"a signature":       {func(r *rig, _, _ *identity.Identity, m *uint8) { *m = uint8(wire.AuthRSA) }, false},
		"other own name":    {func(r *rig, own, _ *identity.Identity, _ *uint8) { *own = mustID(r.t, "old.example") }, false},
		"a peer not let in": {func(r *rig, _, peer *identity.Identity, _ *uint8) { *peer = mustID(r.t, "c.example") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newResumeRig(t, 26, nil)
			s := r.lost()
			state, _, err := r.b.env.Tickets.Open(r.now, s.Ticket)
			if err != nil {
				t.Fatal(err)
			}
			own, peer := mustID(t, "b.example"), mustID(t, "a.example")
			c.edit(r, &own, &peer, &state.Method)
			state.IDr, state.IDi = idOctets(own), idOctets(peer)
			if s.Ticket, err = r.b.env.Tickets.Seal(r.now, s.Expires, state); err != nil {
				t.Fatal(err)
			}
			r.a.resume(s)
			r.run(time.Second)
			r.wantResumed(c.resumed)
			if !c.resumed {
				r.a.wantFailure(diag.CodeResume)
				if len(r.b.refused) != 1 {
					t.Errorf("the gateway's failures: %v", r.b.refused)
				}
			}
		})
	}
}
