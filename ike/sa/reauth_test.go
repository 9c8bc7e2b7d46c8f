package sa

import (
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// due counts how often a side was told to reauthenticate, and gives the time of the last.
func (r *rig) reauthDue(e *end, within time.Duration) (time.Duration, bool) {
	for began := r.now; r.now.Sub(began) < within; {
		if countEvents[ReauthDue](e) > 0 {
			return r.now.Sub(epoch), true
		}
		r.run(time.Second)
	}
	return 0, false
}

// The side that asked for the IKE SA is due first, by a random share; the other one tells its lifetime and waits longer.
func TestReauthTimes(t *testing.T) {
	const life, grace = 10 * time.Minute, time.Minute
	set := func(c *Config) { c.ReauthTime, c.ReauthGrace, c.RandTime, c.DPDDelay = life, grace, time.Minute, 0 }
	t.Run("both", func(t *testing.T) {
		r := newRig(t, 3, func(a, b *Config) { set(a); set(b) })
		r.a.connect()
		if at, ok := r.reauthDue(r.a, time.Hour); !ok || at > life || at < life*8/10-time.Minute {
			t.Errorf("the initiator is due after %s (%v)", at, ok)
		}
		if n := countEvents[ReauthDue](r.b); n != 0 {
			t.Error("the responder was due first")
		}
	})
	t.Run("responder's word", func(t *testing.T) {
		// RFC 4478: the initiator has no time of its own.
		r := newRig(t, 3, func(a, b *Config) { set(b) })
		r.a.connect()
		if at, ok := r.reauthDue(r.a, time.Hour); !ok || at >= life || at < life*7/10 {
			t.Errorf("the initiator is due after %s (%v)", at, ok)
		}
	})
	t.Run("responder that is not heeded", func(t *testing.T) {
		r := newRig(t, 3, func(a, b *Config) { set(b) })
		m := r.a.connect()
		r.run(time.Second)
		m.ScheduleReauth(time.Time{})
		if at, ok := r.reauthDue(r.b, time.Hour); !ok || at < life || at > life+grace {
			t.Errorf("the responder is due after %s (%v)", at, ok)
		}
		r.run(2 * grace)
		if f := r.b.wantFailure(diag.CodeExpired); f.Exchange != wire.ExchangeIKEAuth.String() {
			t.Errorf("it expired in %s", f.Exchange)
		}
		r.a.wantNothing()
		r.b.wantNothing()
	})
	t.Run("initiator's word", func(t *testing.T) {
		// The responder takes none from the initiator.
		r := newRig(t, 3, func(a, b *Config) { set(a) })
		r.a.connect()
		r.run(time.Second)
		r.a.send(wire.ExchangeInformational, wire.NewAuthLifetime(time.Minute))
		r.run(5 * time.Minute)
		if n := countEvents[ReauthDue](r.b); n != 0 || r.b.ignored(IgnoreState) != 1 {
			t.Errorf("the responder is due %d times, and ignored %d", n, r.b.ignored(IgnoreState))
		}
	})
}

// A responder may shorten the time later on; less than minReauthTime is not believed, and malformed data changes nothing.
func TestAuthLifetimeLater(t *testing.T) {
	for _, c := range []struct {
		name     string
		n        *wire.Notify
		low, top time.Duration
	}{
		{"a minute", wire.NewAuthLifetime(time.Minute), 45 * time.Second, 55 * time.Second},
		{"nothing", wire.NewAuthLifetime(0), minReauthTime, minReauthTime + time.Second},
		{"longer", wire.NewAuthLifetime(time.Hour), 9 * time.Minute, 10 * time.Minute},
		{"three octets", &wire.Notify{NotifyType: wire.NotifyAuthLifetime, Data: make([]byte, 3)}, 9 * time.Minute, 10 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 3, func(a, b *Config) {
				a.ReauthTime, a.ReauthGrace, a.RandTime, a.DPDDelay, b.DPDDelay = 10*time.Minute, time.Minute, 0, 0, 0
			})
			r.a.connect()
			r.run(time.Second)
			r.b.send(wire.ExchangeInformational, c.n)
			at, ok := r.reauthDue(r.a, time.Hour)
			if at -= time.Second; !ok || at < c.low || at > c.top+time.Second {
				t.Errorf("due %s after it (%v), want %s to %s", at, ok, c.low, c.top)
			}
			if got := r.a.lastAnswer(); got != "INFORMATIONAL response 0 [ ]" {
				t.Errorf("answered with %s", got)
			}
		})
	}
}

// Rekeying the IKE SA does not prolong the authentication, whoever rekeys: the lifetime goes with it.
func TestRekeyKeepsAuthLifetime(t *testing.T) {
	for _, who := range []string{"a", "b"} {
		t.Run(who, func(t *testing.T) {
			r := newRig(t, 3, func(a, b *Config) {
				for _, c := range []*Config{a, b} {
					c.ReauthTime, c.ReauthGrace, c.RandTime, c.DPDDelay = 10*time.Minute, time.Minute, 0, 0
				}
			})
			r.a.connect()
			r.run(5 * time.Minute)
			e := map[string]*end{"a": r.a, "b": r.b}[who]
			m := e.live()[0]
			m.RekeyIKE(r.now)
			e.drain(m)
			r.run(time.Second)
			r.wantUp(1)
			if at, ok := r.reauthDue(r.a, time.Hour); !ok || at > 10*time.Minute+2*time.Second || at < 8*time.Minute {
				t.Errorf("due after %s (%v)", at, ok)
			}
			r.run(5 * time.Minute) // nobody does anything about it
			r.a.wantNothing()
			r.b.wantNothing()
		})
	}
}
