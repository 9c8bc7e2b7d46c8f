package sa

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"esplanade/ike/ticket"
	"esplanade/ike/wire"
)

// ticketAnswer are the notifications about tickets in an answer.
func ticketAnswer(payloads []wire.Payload) (out []wire.NotifyType) {
	for _, n := range notifies(payloads) {
		switch n.NotifyType {
		case wire.NotifyTicketLTOpaque, wire.NotifyTicketAck, wire.NotifyTicketNack:
			out = append(out, n.NotifyType)
		}
	}
	return out
}

// TICKET_REQUEST may come in IKE_AUTH, in CREATE_CHILD_SA that rekeys the IKE SA, and in INFORMATIONAL. A responder with the extension
// answers each with a ticket, TICKET_ACK or TICKET_NACK; one without says nothing.
// https://www.rfc-editor.org/rfc/rfc5723#section-4.1
func TestTicketRequestIsAnswered(t *testing.T) {
	const hybridIKE = "aes128gcm16-prfsha256-x25519-ke1_mlkem768"
	request := &wire.Notify{NotifyType: wire.NotifyTicketRequest}
	for name, c := range map[string]struct {
		edit     func(a, b *Config)
		byB      bool // the side that was called asks
		exchange wire.ExchangeType
		want     wire.NotifyType
	}{
		"rekeying":                       {exchange: wire.ExchangeCreateChildSA, want: wire.NotifyTicketLTOpaque},
		"rekeying with more to do":       {edit: func(a, b *Config) { ikeProposals(t, hybridIKE, hybridIKE)(a, b) }, exchange: wire.ExchangeCreateChildSA, want: wire.NotifyTicketAck},
		"rekeying by the called":         {byB: true, exchange: wire.ExchangeCreateChildSA, want: wire.NotifyTicketNack},
		"informational":                  {exchange: wire.ExchangeInformational, want: wire.NotifyTicketLTOpaque},
		"informational by the called":    {byB: true, exchange: wire.ExchangeInformational, want: wire.NotifyTicketNack},
		"with a PPK":                     {edit: func(a, b *Config) { a.PPKID, b.PPKID = "post-quantum", "post-quantum" }, exchange: wire.ExchangeInformational, want: wire.NotifyTicketNack},
		"rekeying with a PPK":            {edit: func(a, b *Config) { a.PPKID, b.PPKID = "post-quantum", "post-quantum" }, exchange: wire.ExchangeCreateChildSA, want: wire.NotifyTicketNack},
		"without the extension":          {edit: func(a, b *Config) { b.Resumption = false }, exchange: wire.ExchangeInformational},
		"rekeying without the extension": {edit: func(a, b *Config) { b.Resumption = false }, exchange: wire.ExchangeCreateChildSA},
	} {
		t.Run(name, func(t *testing.T) {
			r := newResumeRig(t, 31, c.edit)
			for _, e := range []*end{r.a, r.b} {
				e.env.PPK = func(string) ([]byte, bool) { return []byte("thirty-two octets of a quantum-safe"), true }
			}
			r.a.connect()
			r.run(5 * time.Second)
			ma, mb := r.wantUp(1)
			asks, answers := ma, mb
			if c.byB {
				asks, answers = mb, ma
			}
			payloads := []wire.Payload{request}
			if c.exchange == wire.ExchangeCreateChildSA {
				payloads = append(built(asks, r.now, &rekeyIKETask{}), request)
			}
			got := ticketAnswer(dispatched(answers, asked(answers, r.now, c.exchange, payloads)))
			var want []wire.NotifyType
			if c.want != 0 {
				want = []wire.NotifyType{c.want}
			}
			if !slices.Equal(got, want) {
				t.Errorf("answered %v, want %v", got, want)
			}
		})
	}
}

// asked is a request of a machine's peer.
func asked(m *Machine, now time.Time, x wire.ExchangeType, payloads []wire.Payload) *request {
	return &request{now: now, header: wire.Header{Exchange: x, MessageID: m.window.nextRecv}, payloads: payloads, path: m.path}
}

// The ticket of a rekeying is that of the new IKE SA.
func TestTicketOfARekeying(t *testing.T) {
	r := newResumeRig(t, 32, nil)
	r.a.connect()
	r.run(time.Second)
	ma, mb := r.wantUp(1)
	payloads := built(ma, r.now, &rekeyIKETask{})
	answer := dispatched(mb, asked(mb, r.now, wire.ExchangeCreateChildSA, append(payloads, &wire.Notify{NotifyType: wire.NotifyTicketRequest})))
	n := notify(answer, wire.NotifyTicketLTOpaque)
	if n == nil {
		t.Fatal("no ticket")
	}
	_, b, _ := n.TicketLT()
	s, _, err := r.b.env.Tickets.Open(r.now, b)
	if err != nil {
		t.Fatal(err)
	}
	fresh := mb.newest()
	if fresh == mb || string(s.SKd) != string(fresh.keys.D) || s.SPI != uint64(fresh.localSPI) {
		t.Error("the ticket is of another IKE SA")
	}
}

// "The lifetime of the ticket sent by the gateway SHOULD be the minimum of the IKE SA lifetime (per the gateway's local policy) and its
// re-authentication time". https://www.rfc-editor.org/rfc/rfc5723#section-6.2
func TestTicketLifetime(t *testing.T) {
	for _, c := range []struct{ hard, reauth, want time.Duration }{
		{0, 0, ticket.Lifetime}, {3 * time.Hour, 0, 3 * time.Hour}, {3 * time.Hour, 2 * time.Hour, 2 * time.Hour}, {0, 2 * time.Hour, 2 * time.Hour},
		{48 * time.Hour, 0, ticket.Lifetime},
	} {
		r := newResumeRig(t, 33, func(a, b *Config) { b.RekeyTime, b.HardTime, b.ReauthTime = 0, c.hard, c.reauth })
		r.a.connect()
		r.run(100 * time.Millisecond)
		if got := r.a.session().Expires.Sub(epoch); got > c.want+time.Second || got < c.want-time.Second {
			t.Errorf("hard lifetime %s, reauthentication %s: good for %s", c.hard, c.reauth, got)
		}
	}
}

// A resumed IKE SA can be redirected: the exchange behaves as IKE_SA_INIT does, and whether the peer can be redirected is said
// again. https://www.rfc-editor.org/rfc/rfc5723#section-5
func TestRedirectOfResumption(t *testing.T) {
	other := wire.Gateway{Addr: netip.MustParseAddr("192.0.2.77")}
	for _, follows := range []bool{true, false} {
		r := newResumeRig(t, 34, func(a, b *Config) { a.FollowRedirects = follows })
		s := r.lost()
		// As the responder that is drained: in the answer to IKE_SESSION_RESUME, and the ticket stays good.
		r.b.cfg.RedirectTo = other
		r.a.events = nil
		r.a.resume(s)
		r.run(time.Second)
		redirected := countEvents[Redirected](r.a) == 1
		if redirected != follows {
			t.Fatalf("follows %v: redirected %v", follows, redirected)
		}
		if !follows {
			r.wantResumed(true)
			continue
		}
		if o := r.a.events[slices.IndexFunc(r.a.events, func(o Output) bool { _, ok := o.(Redirected); return ok })].(Redirected); o.Gateway != other || o.Exchange != wire.ExchangeIKESessionResume {
			t.Errorf("%+v", o)
		}
		if len(r.b.live()) != 0 || countEvents[SessionSpent](r.a) != 0 {
			t.Error("the redirected attempt has left something, or used the ticket up")
		}
		r.b.cfg.RedirectTo = wire.Gateway{}
		r.a.resume(s)
		r.run(time.Second)
		r.wantResumed(true)
		_, mb := r.wantUp(1)
		// And later.
		if !mb.Redirect(r.now, other) {
			t.Error("a resumed IKE SA cannot be redirected")
		}
		r.b.drain(mb)
		r.run(time.Second)
		if countEvents[Redirected](r.a) != 2 {
			t.Error("the client has not heard of the redirection")
		}
	}
	// A redirect with another nonce is somebody else's.
	r := newResumeRig(t, 35, func(a, b *Config) { a.FollowRedirects = true })
	s := r.lost()
	forged := false
	r.drop = func(e *end, d []byte) bool {
		if e == r.a && headerOf(d).Exchange == wire.ExchangeIKESessionResume && !forged {
			forged = true
			r.forge(e, d, wire.NewRedirect(other, []byte("another nonce of sixteen octets.")))
		}
		return false
	}
	r.a.resume(s)
	r.run(time.Second)
	if countEvents[Redirected](r.a) != 0 {
		t.Error("a forged redirect was followed")
	}
	r.wantResumed(true)
}

// "[A] ticket is considered as used only when an IKE SA has been established successfully with it." An attempt into a dead network, and
// one that somebody else has answered, use nothing up. https://www.rfc-editor.org/rfc/rfc5723#section-4.3.1
func TestSessionOutlivesAnAttempt(t *testing.T) {
	r := newResumeRig(t, 36, nil)
	s := r.lost()
	r.drop = func(*end, []byte) bool { return true }
	r.a.events = nil
	r.a.resume(s)
	r.run(5 * time.Minute)
	r.a.wantNothing()
	if countEvents[SessionSpent](r.a) != 0 {
		t.Error("an attempt that nobody has answered has used the session up")
	}
	// The answer to IKE_AUTH is lost, too: the gateway has not established anything that it would know of.
	r.drop = func(e *end, d []byte) bool { return headerOf(d).Exchange == wire.ExchangeIKEAuth && e == r.a }
	r.a.resume(s)
	r.run(5 * time.Minute)
	r.a.wantNothing()
	if countEvents[SessionSpent](r.a) != 0 {
		t.Error("an attempt that was not finished has used the session up")
	}
	r.drop = nil
	r.a.resume(s)
	r.run(time.Second)
	r.wantResumed(true)
	if countEvents[SessionSpent](r.a) != 1 {
		t.Error("the session is not used up by the IKE SA that was made with it")
	}
	// Neither side takes it another time.
	r.a.lose()
	r.b.lose()
	r.a.events = nil
	r.a.resume(s)
	r.run(5 * time.Second)
	r.wantResumed(false)
	if countEvents[SessionSpent](r.a) != 1 {
		t.Error("the client does not know that the gateway has refused the ticket")
	}
}

// A responder says which IKE SA was resumed, that of a rekeying as well.
func TestResumedIsNamed(t *testing.T) {
	for _, rekeyed := range []bool{false, true} {
		r := newResumeRig(t, 37, nil)
		ma := r.a.connect()
		r.run(time.Second)
		if rekeyed {
			ma.RekeyIKE(r.now)
			r.a.drain(ma)
			r.run(20 * time.Second)
		}
		_, mb := r.wantUp(1)
		s := r.a.session()
		r.a.lose()
		r.a.resume(s)
		r.run(time.Second)
		var spi wire.SPI
		for _, o := range r.b.events {
			if x, ok := o.(Resumes); ok {
				spi = x.SPI
			}
		}
		if spi != mb.LocalSPI() {
			t.Errorf("rekeyed %v: resumes %s, not %s", rekeyed, spi, mb.LocalSPI())
		}
	}
}
