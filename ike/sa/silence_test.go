package sa

import (
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// From the second repetition of a request on the IKE SA says that its peer does not answer, and what that will come to.
func TestSilenceWhileConnecting(t *testing.T) {
	for name, c := range map[string]struct {
		drop    wire.ExchangeType
		request string
		code    diag.Code
		nat     string
	}{
		"IKE_SA_INIT": {wire.ExchangeIKESAInit, "IKE_SA_INIT", diag.CodeTimeoutInit, "not known (the peer has not answered yet)"},
		"IKE_AUTH":    {wire.ExchangeIKEAuth, "IKE_AUTH", diag.CodeTimeoutAuth, "none (both sides force ESP in UDP)"},
	} {
		r := newRig(t, 40, nil)
		cut := true
		r.drop = func(_ *end, d []byte) bool { return cut && headerOf(d).Exchange == c.drop }
		m := r.a.connect()
		r.run(5 * time.Second)
		if s := m.Silence(); s != nil {
			t.Errorf("%s: %+v after one repetition", name, s)
		}
		r.run(time.Second)
		if text, want := m.Summary().NAT.String(), c.nat; text != want {
			t.Errorf("%s: NAT %s, want %s", name, text, want)
		}
		s := m.Summary().Silence
		if s == nil || s.Request != c.request || s.Failure.Code != c.code || s.Repeated != 2 || s.Tries != 5 || !s.Dead.IsZero() {
			t.Fatalf("%s: after two repetitions: %+v", name, s)
		}
		if after := s.Last.Sub(s.Since); after != 5600*time.Millisecond || s.Since.Sub(epoch) > time.Second {
			t.Errorf("%s: since %s, sent again %s later", name, s.Since.Sub(epoch), after)
		}
		if n := countEvents[Failed](r.a); n != 0 {
			t.Errorf("%s: %d failures are reported that are provisional", name, n)
		}
		if fix := s.Failure.Fix; c.code == diag.CodeTimeoutAuth && !strings.Contains(fix, "UDP 500 passes, UDP 4500 does not") {
			t.Errorf("%s: %s", name, fix)
		}
		cut = false
		r.run(20 * time.Second)
		r.wantUp(1)
		if s := m.Silence(); s != nil {
			t.Errorf("%s: %+v although the peer has answered", name, s)
		}
	}
}

// Both ends of an IKE SA see that the other one does not answer, and since when it was not heard. The first answer ends that.
func TestSilenceWhenEstablished(t *testing.T) {
	r := newRig(t, 41, nil)
	r.a.connect()
	r.run(time.Second)
	ma, mb := r.wantUp(1)
	cut := true
	r.drop = func(*end, []byte) bool { return cut }
	r.run(40 * time.Second) // asked after 30, repeated after 32 and 35.6
	for name, m := range map[string]*Machine{"a": ma, "b": mb} {
		s := m.Snapshot()
		if q := s.Silence; q == nil || q.Failure.Code != diag.CodeDPD || q.Kind != TaskLiveness || q.Repeated != 2 {
			t.Errorf("%s: %+v", name, q)
		}
		if heard := s.Heard.Sub(epoch); heard <= 0 || heard > time.Second {
			t.Errorf("%s: heard after %s", name, heard)
		}
	}
	cut = false
	r.run(20 * time.Second)
	r.wantUp(1)
	for name, m := range map[string]*Machine{"a": ma, "b": mb} {
		if s := m.Snapshot(); s.Silence != nil || r.now.Sub(s.Heard) > time.Minute {
			t.Errorf("%s: %+v, heard %s", name, s.Silence, s.Heard)
		}
	}
	// ESP is heard as well, and the last of the two counts.
	r.a.lastESP = r.now.Add(time.Second)
	if heard := ma.Heard(); !heard.Equal(r.a.lastESP) {
		t.Errorf("ESP of %s, heard %s", r.a.lastESP, heard)
	}
}

// A peer that is heard again is asked at once, and not with the next repetition: by its own message, or by a packet. One that is heard and
// does not hear gets no more than one further copy for each of the usual ones.
func TestSilentPeerIsHeardAgain(t *testing.T) {
	for _, by := range []string{"ESP", "IKE"} {
		r := newRig(t, 42, func(a, b *Config) {
			if by == "ESP" {
				b.DPDDelay = 0 // it asks nothing by itself
			}
		})
		r.a.connect()
		r.run(time.Second)
		ma, _ := r.wantUp(1)
		cut := true
		r.drop = func(*end, []byte) bool { return cut }
		r.run(49 * time.Second) // asked after 30; repeated after 32, 35.6 and 42.1; the next after 53.7
		if s := ma.Silence(); s == nil || s.Repeated != 3 {
			t.Fatalf("%s: %+v", by, s)
		}
		cut = false
		if by == "ESP" {
			r.a.lastESP = r.now
			r.run(listenInterval)
		} else {
			_, mb := r.wantUp(1)
			mb.pending.next = r.now.Add(time.Millisecond)
			r.run(listenInterval)
		}
		if s := ma.Silence(); s != nil {
			t.Errorf("%s: heard again, and still %+v", by, s)
		}
	}
	// The peer is heard, and hears nothing.
	r := newRig(t, 43, func(_, b *Config) { b.DPDDelay = 0 })
	r.a.connect()
	r.run(time.Second)
	ma, _ := r.wantUp(1)
	sent := 0
	r.drop = func(from *end, d []byte) bool {
		if from == r.a {
			sent++
		}
		return from == r.a
	}
	for range 60 {
		r.run(time.Second)
		if ma.Silence() != nil {
			r.a.lastESP = r.now
		}
	}
	s := ma.Silence()
	if s == nil || s.Repeated < 3 {
		t.Fatalf("%+v", s)
	}
	if least, most := 1+s.Repeated, 1+2*s.Repeated; sent <= least || sent > most {
		t.Errorf("%d copies of a request that was repeated %d times, want more than %d, and %d at most", sent, s.Repeated, least, most)
	}
}

// A responder with MOBIKE goes on asking, and says after the ordinary time that the peer is dead: once, also if it is given up later.
func TestDeadBeforeAPatientResponderGivesUp(t *testing.T) {
	for _, back := range []bool{true, false} {
		m := newMobileRig(t, func(a, _ *Config) { a.Retransmit.Tries = 9 }) // the initiator is still there when the path is
		_, mb := m.up()
		cut := true
		m.drop = func(*end, []byte) bool { return cut }
		m.run(30*time.Second + mb.cfg.Retransmit.total() - 2*time.Second)
		if s := mb.Silence(); s == nil || !s.Dead.IsZero() || s.Repeated != 5 {
			t.Fatalf("before the ordinary time is over: %+v", s)
		}
		m.run(4 * time.Second)
		s := mb.Silence()
		if s == nil || s.Dead.IsZero() || s.Failure.Code != diag.CodeDPD {
			t.Fatalf("after the ordinary time: %+v", s)
		}
		if mb.state != StateEstablished {
			t.Fatalf("the responder does not wait: %s", mb.state)
		}
		f := m.b.wantFailure(diag.CodeDPD)
		m.run(time.Minute)
		if q := mb.Silence(); q == nil || q.Dead != s.Dead || q.Repeated <= s.Repeated || q.Failure != f {
			t.Errorf("a minute later: %+v, after %+v", q, s)
		}
		if n := countEvents[Failed](m.b); n != 1 {
			t.Errorf("reported %d times", n)
		}
		if !back {
			m.run(10 * time.Minute)
			if mb.state != StateClosed {
				t.Errorf("the responder is %s", mb.state)
			}
			for _, o := range m.b.events {
				if c, ok := o.(Closed); ok && c.Failure != f {
					t.Errorf("closed with another failure than was reported: %v", c.Failure)
				}
			}
			continue
		}
		cut = false
		m.run(time.Minute)
		if s := mb.Silence(); s != nil || mb.state != StateEstablished {
			t.Errorf("the peer is back: %s, %+v", mb.state, s)
		}
	}
}

// That another path is tried begins the repetitions again, and is no answer: the peer counts as dead when it would have without it, and
// stays so.
func TestAnotherPathIsNoAnswer(t *testing.T) {
	m := newMobileRig(t, nil)
	_, mb := m.up()
	m.drop = func(*end, []byte) bool { return true }
	m.run(60 * time.Second) // asked after 30
	since := mb.Silence()
	m.changed(m.b, b2)
	if s := mb.Silence(); mb.pending.tries != 0 || s == nil || s.Since != since.Since {
		t.Fatalf("after %d repetitions on another path: %+v", mb.pending.tries, s)
	}
	m.run(30*time.Second + mb.cfg.Retransmit.total() - 61*time.Second)
	if s := mb.Silence(); s == nil || !s.Dead.IsZero() || s.Repeated <= since.Repeated {
		t.Errorf("before the ordinary time is over: %+v", s)
	}
	m.run(2 * time.Second)
	s := mb.Silence()
	if s == nil || s.Dead.Sub(s.Since) != mb.cfg.Retransmit.total() {
		t.Fatalf("after the ordinary time: %+v", s)
	}
	m.changed(m.b, b1)
	m.run(time.Second)
	if q := mb.Silence(); q == nil || q.Dead != s.Dead {
		t.Errorf("on another path again: %+v", q)
	}
	if n := countEvents[Failed](m.b); n != 1 {
		t.Errorf("reported %d times", n)
	}
}
