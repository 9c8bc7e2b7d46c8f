package sa

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/suite"
	"esplanade/ike/ticket"
	"esplanade/ike/wire"
)

// newResumeRig is a rig with resumption on both sides.
func newResumeRig(t *testing.T, seed uint64, edit func(a, b *Config)) *rig {
	return newRig(t, seed, func(a, b *Config) {
		a.Resumption, b.Resumption = true, true
		if edit != nil {
			edit(a, b)
		}
	})
}

// session is the latest that an end was granted.
func (e *end) session() *Session {
	e.r.t.Helper()
	for _, o := range slices.Backward(e.events) {
		if g, ok := o.(SessionGranted); ok {
			return g.Session
		}
	}
	e.r.t.Fatalf("%s has no session", e.name)
	return nil
}

// lose ends all IKE SAs of an end without a word, as after a liveness check that failed.
func (e *end) lose() {
	for _, m := range e.all() {
		m.Abandon(e.r.now, "lost")
		e.drain(m)
	}
}

// lost is a rig after a tunnel was lost on both sides; it returns what a may resume it with.
func (r *rig) lost() *Session {
	r.t.Helper()
	r.a.connect()
	r.run(time.Second)
	r.wantUp(1)
	s := r.a.session()
	r.a.lose()
	r.b.lose()
	r.run(time.Minute)
	return s
}

func (e *end) resume(s *Session) *Machine {
	m := NewResumption(e.env, e.r.now, e.cfg, e.path(), e.cfg.Children, s)
	e.add(m)
	return m
}

// sent counts the messages of an exchange that travel.
func (r *rig) count(x wire.ExchangeType) *int {
	n := new(int)
	next := r.drop
	r.drop = func(e *end, d []byte) bool {
		if headerOf(d).Exchange == x {
			*n++
		}
		return next != nil && next(e, d)
	}
	return n
}

// wantResumed fails the test unless both ends have one IKE SA, which was or was not resumed.
func (r *rig) wantResumed(want bool) {
	r.t.Helper()
	r.wantUp(1)
	for _, e := range []*end{r.a, r.b} {
		for _, m := range e.live() {
			if m.Snapshot().Resumed != want {
				r.t.Errorf("%s: resumed is %v", e.name, !want)
			}
		}
	}
}

// RFC 5723 section 4.3: two exchanges, the first in the clear with message id 0, no key exchange; keys as in section 5.1.
func TestResumption(t *testing.T) {
	for _, proposal := range []string{"aes128gcm16-prfsha256-x25519", "aes256-sha512-ecp256", "aes128gcm16-prfaesxcbc-x25519", "aes128gcm16-prfsha256-x25519-ke1_mlkem768"} {
		t.Run(proposal, func(t *testing.T) {
			r := newResumeRig(t, 1, func(a, b *Config) {
				a.Proposals = mustProposals(t, wire.ProtocolIKE, proposal)
				b.Proposals = a.Proposals
			})
			s := r.lost()
			var first *wire.Message
			r.drop = func(e *end, d []byte) bool {
				if first == nil {
					m, err := wire.Parse(d)
					if err != nil {
						t.Fatal(err)
					}
					first = m
				}
				return false
			}
			inits, inter := r.count(wire.ExchangeIKESAInit), r.count(wire.ExchangeIKEIntermediate)
			m := r.a.resume(s)
			r.run(time.Second)
			r.wantResumed(true)
			if *inits+*inter > 0 {
				t.Errorf("%d messages of IKE_SA_INIT, %d of IKE_INTERMEDIATE", *inits, *inter)
			}
			h := first.Header
			if h.Exchange != wire.ExchangeIKESessionResume || h.MessageID != 0 || h.SPIr != 0 || h.Flags != wire.FlagInitiator || first.Encrypted != nil {
				t.Errorf("the first message is %+v", h)
			}
			if n := notify(first.Payloads, wire.NotifyTicketOpaque); n == nil || !bytes.Equal(n.Data, s.Ticket) {
				t.Error("it does not have the ticket")
			}
			// SKEYSEED = prf(SK_d_old, "Resumption" | Ni | Nr)
			prf, err := suite.NewPRF(m.chosen.PRF)
			if err != nil {
				t.Fatal(err)
			}
			seed := prf.Sum(s.Keys.D, slices.Concat([]byte("Resumption"), m.init.ni, m.init.nr))
			want, err := suite.DeriveKeys(s.Chosen, seed, m.init.ni, m.init.nr, m.spii(), m.spir())
			if err != nil || !bytes.Equal(want.D, m.keys.D) || !bytes.Equal(want.Pi, m.keys.Pi) || bytes.Equal(want.D, s.Keys.D) {
				t.Errorf("other keys than section 5.1 has (%v)", err)
			}
			// A resumed IKE SA has a ticket of its own.
			if again := r.a.session(); bytes.Equal(again.Ticket, s.Ticket) || bytes.Equal(again.Keys.D, s.Keys.D) {
				t.Error("the resumed IKE SA has no ticket of its own")
			}
			r.a.lose()
			r.b.lose()
			r.run(time.Minute)
			r.a.resume(r.a.session())
			r.run(time.Second)
			r.wantResumed(true)
		})
	}
}

// What is not good is answered with TICKET_NACK, and the IKE SA is made from scratch at once. RFC 5723 section 4.3.1.
func TestRefusedTickets(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(r *rig, s *Session)
		nack  bool
	}{
		"forged":             {func(r *rig, s *Session) { s.Ticket[len(s.Ticket)-1] ^= 1 }, true},
		"expired":            {func(r *rig, s *Session) { r.run(ticket.Lifetime); s.Expires = r.now.Add(time.Hour) }, true},
		"gateway restarted":  {func(r *rig, s *Session) { r.b.env.Tickets = ticket.NewKeyring(r.b.env.Nonce) }, true},
		"other connection":   {func(r *rig, s *Session) { r.b.cfg.Name = "other" }, true},
		"off at the gateway": {func(r *rig, s *Session) { r.b.cfg.Resumption = false }, false},
		"gateway's secret": {func(r *rig, s *Session) {
			r.a.psk[""], r.b.psk[""], s.mark = "new", "new", markOf(auth.Credential{Secret: []byte("new")})
		}, true},
		"gateway's proposals": {func(r *rig, s *Session) {
			r.a.cfg.Proposals = append(mustProposals(r.t, wire.ProtocolIKE, "aes256gcm16-prfsha384-ecp384"), r.a.cfg.Proposals...)
			r.b.cfg.Proposals = mustProposals(r.t, wire.ProtocolIKE, "aes256gcm16-prfsha384-ecp384")
		}, true},
		"peer's identity": {func(r *rig, s *Session) {
			r.a.cfg.LocalID, r.b.cfg.RemoteID, s.LocalID = mustID(r.t, "c.example"), mustID(r.t, "c.example"), mustID(r.t, "c.example")
		}, true},
		"expired here":  {func(r *rig, s *Session) { s.Expires = r.now }, false},
		"other gateway": {func(r *rig, s *Session) { s.Gateway = r.a.addr }, false},
		"secret here":   {func(r *rig, s *Session) { r.a.psk[""], r.b.psk[""] = "new", "new" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newResumeRig(t, 2, nil)
			s := r.lost()
			c.spoil(r, s)
			r.a.resume(s)
			limit := time.Second
			if name == "off at the gateway" {
				limit = time.Minute // as unknown as the exchange is, it is not answered
			}
			r.run(limit)
			r.wantResumed(false)
			f := r.a.wantFailure(diag.CodeResume)
			if c.nack != (f.Notify == wire.NotifyTicketNack.String()) {
				t.Errorf("the failure is %v", f)
			}
			if got := len(r.b.refused); (got == 1) != c.nack || c.nack && r.b.refused[0].Code != diag.CodeResume {
				t.Errorf("the gateway's failures: %v", r.b.refused)
			}
		})
	}
}

// A ticket is good once: what was captured is refused, and so is a client that uses it again. RFC 5723 section 9.
func TestReplayedTicket(t *testing.T) {
	r := newResumeRig(t, 3, nil)
	s := r.lost()
	var captured []byte
	r.drop = func(e *end, d []byte) bool {
		if captured == nil {
			captured = bytes.Clone(d)
		}
		return false
	}
	r.a.resume(s)
	r.run(time.Second)
	r.wantResumed(true)
	before := len(r.b.all())
	captured[7] ^= 1 // another SPI
	r.wire = append(r.wire, flight{to: r.b, path: r.a.path().Reversed(), data: captured, at: r.now})
	r.run(time.Second)
	if len(r.b.all()) != before || len(r.b.refused) != 1 {
		t.Errorf("%d machines, failures %v", len(r.b.all())-before, r.b.refused)
	}
	r.wantResumed(true)
	r.a.lose()
	r.b.lose()
	r.run(time.Minute)
	r.a.resume(s)
	r.run(time.Second)
	r.wantResumed(false)
}

// Two exchanges with one ticket that are on their way at once: the second to prove itself is refused.
func TestTicketIsSpentOnce(t *testing.T) {
	r := newResumeRig(t, 4, nil)
	s := r.lost()
	r.a.resume(s)
	r.a.resume(s)
	r.run(time.Second)
	f := r.a.wantFailure(diag.CodeResume)
	if f.Notify != wire.NotifyAuthenticationFailed.String() {
		t.Errorf("%v", f)
	}
	if n := len(r.b.live()); n != 1 {
		t.Errorf("%d IKE SAs", n)
	}
}

// Who has seen a ticket and not the keys gets nowhere, and does not use it up.
func TestStolenTicket(t *testing.T) {
	r := newResumeRig(t, 5, nil)
	s := r.lost()
	stolen := *s
	stolen.Keys.D = bytes.Repeat([]byte{1}, len(s.Keys.D))
	r.a.resume(&stolen)
	r.run(5 * time.Minute)
	if len(r.a.live())+len(r.b.live()) != 0 {
		t.Fatal("a stolen ticket makes an IKE SA")
	}
	r.a.wantFailure(diag.CodeTimeoutAuth)
	r.a.resume(s)
	r.run(time.Second)
	r.wantResumed(true)
}

// Lost messages: the request and the answer are repeated, octet by octet; silence ends in IKE_SA_INIT.
func TestResumptionWithLosses(t *testing.T) {
	for name, c := range map[string]struct {
		from    string
		n       int
		resumed bool
	}{"request": {"a", 1, true}, "answer": {"b", 2, true}, "all requests": {"a", 99, false}, "all answers": {"b", 99, false}} {
		t.Run(name, func(t *testing.T) {
			r := newResumeRig(t, 6, nil)
			s := r.lost()
			var seen [][]byte
			left := c.n
			r.drop = func(e *end, d []byte) bool {
				if headerOf(d).Exchange != wire.ExchangeIKESessionResume {
					return false
				}
				if e.name == "a" {
					seen = append(seen, d)
				}
				if e.name != c.from || left == 0 {
					return false
				}
				left--
				return true
			}
			r.a.resume(s)
			r.run(time.Minute) // the half-open IKE SA is gone by then
			r.wantResumed(c.resumed)
			for _, d := range seen {
				if !bytes.Equal(d, seen[0]) {
					t.Error("a repetition differs")
				}
			}
			if len(seen) > resumeTries+1 {
				t.Errorf("%d requests", len(seen))
			}
		})
	}
}

// COOKIE comes before any work and any state, and the ticket and the nonce stay. RFC 5723 section 4.3.1.
func TestResumptionWithCookie(t *testing.T) {
	r := newResumeRig(t, 7, nil)
	s := r.lost()
	r.b.cookie = true
	var sent []*wire.Message
	r.drop = func(e *end, d []byte) bool {
		if headerOf(d).Exchange == wire.ExchangeIKESessionResume && e == r.a {
			m, err := wire.Parse(d)
			if err != nil {
				t.Fatal(err)
			}
			sent = append(sent, m)
			if len(r.b.all()) > 0 {
				t.Error("the first request has left a machine behind")
			}
		}
		return false
	}
	r.a.resume(s)
	r.run(time.Second)
	r.wantResumed(true)
	if len(sent) != 2 {
		t.Fatalf("%d requests", len(sent))
	}
	n0, _ := find[*wire.Nonce](sent[0].Payloads)
	n1, _ := find[*wire.Nonce](sent[1].Payloads)
	if !bytes.Equal(n0.Data, n1.Data) || sent[1].Payloads[0] != wire.Payload(notify(sent[1].Payloads, wire.NotifyCookie)) {
		t.Error("another nonce, or the cookie is not first")
	}
}

// Resuming is not authenticating: what was to happen at a time happens then, however often the IKE SA is resumed.
func TestResumptionDoesNotProlongAuthentication(t *testing.T) {
	const life = time.Hour
	set := func(c *Config) { c.ReauthTime, c.ReauthGrace, c.DPDDelay = life, time.Minute, 0 }
	r := newResumeRig(t, 8, func(a, b *Config) { set(a); set(b) })
	s := r.lost()
	if s.Expires.After(epoch.Add(life + time.Second)) {
		t.Errorf("the ticket is good for %s, the authentication for %s", s.Expires.Sub(epoch), life)
	}
	for range 2 {
		r.run(15 * time.Minute)
		r.a.resume(s)
		r.run(time.Second)
		r.wantResumed(true)
		if s = r.a.session(); s.Expires.After(epoch.Add(life + 2*time.Second)) {
			t.Errorf("a ticket of a resumed IKE SA is good until %s", s.Expires.Sub(epoch))
		}
		for _, e := range []*end{r.a, r.b} {
			for _, m := range e.live() {
				if at := m.auth.expireAt.Sub(epoch); at > life+time.Minute+time.Second {
					t.Errorf("%s: the authentication ends after %s", e.name, at)
				}
				if at := m.auth.reauthAt.Sub(epoch); at > life+time.Minute {
					t.Errorf("%s: reauthenticates after %s", e.name, at)
				}
			}
		}
		r.a.lose()
		r.b.lose()
	}
	r.run(life)
	r.a.resume(s)
	r.run(time.Second)
	r.wantResumed(false)
}

// After a rekeying, whoever began it, the side that had a ticket gets one of the new keys, and the time of authentication is what it
// was. The other side asks for none. https://www.rfc-editor.org/rfc/rfc5723#section-4.1
func TestTicketAfterRekeying(t *testing.T) {
	for _, by := range []string{"a", "b", "both"} {
		t.Run(by, func(t *testing.T) {
			set := func(c *Config) { c.ReauthTime, c.ReauthGrace, c.DPDDelay = 10*time.Hour, time.Minute, 0 }
			r := newResumeRig(t, 10, func(a, b *Config) { set(a); set(b) })
			r.a.connect()
			r.run(time.Second)
			first := r.a.session()
			for round := range 2 {
				r.run(time.Hour)
				ma, mb := r.wantUp(1)
				if by != "b" {
					ma.RekeyIKE(r.now)
					r.a.drain(ma)
				}
				if by != "a" {
					mb.RekeyIKE(r.now)
					r.b.drain(mb)
				}
				r.run(time.Minute)
				r.wantUp(1)
				if n := countEvents[SessionGranted](r.a); n != round+2 {
					t.Errorf("%d tickets after %d rekeyings", n, round+1)
				}
				if n := countEvents[SessionGranted](r.b); n != 0 {
					t.Errorf("the side that was called has %d tickets", n)
				}
			}
			s := r.a.session()
			ma, mb := r.wantUp(1)
			if bytes.Equal(s.Ticket, first.Ticket) || !bytes.Equal(s.Keys.D, ma.keys.D) || !bytes.Equal(s.Keys.D, mb.keys.D) {
				t.Error("the ticket is not that of the IKE SA's keys")
			}
			if !s.Authenticated.Equal(first.Authenticated) || s.Expires.After(first.Authenticated.Add(10*time.Hour)) {
				t.Errorf("authenticated at %s and then at %s; good until %s", first.Authenticated, s.Authenticated, s.Expires)
			}
			r.a.lose()
			r.b.lose()
			r.run(time.Minute)
			r.a.resume(s)
			r.run(time.Second)
			r.wantResumed(true)
		})
	}
}

// A side that does not do this ignores what it is asked: "resumption = false", or a peer that knows no tickets.
func TestTicketsAreAskedFor(t *testing.T) {
	for name, on := range map[string][2]bool{"neither": {}, "initiator": {true, false}, "responder": {false, true}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 9, func(a, b *Config) { a.Resumption, b.Resumption = on[0], on[1] })
			r.a.connect()
			r.run(time.Second)
			r.wantUp(1)
			if countEvents[SessionGranted](r.a) > 0 {
				t.Error("a ticket was given")
			}
		})
	}
}
