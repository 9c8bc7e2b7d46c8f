package sa

import (
	"errors"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// forge answers the request d of e before its peer can.
func (r *rig) forge(e *end, d []byte, payloads ...wire.Payload) {
	h := headerOf(d)
	h.Flags = wire.FlagResponse
	m := wire.Message{Header: h, Payloads: payloads}
	r.wire = append(r.wire, flight{to: e, path: e.path(), data: m.Append(nil), at: r.now.Add(time.Millisecond)})
}

// "[I]n the case of an IKE_SA_INIT exchange, the recipient … should continue trying for some time before giving up." An answer
// in the clear ends nothing, also when what the peer itself answers is lost, or late. It is reported at once.
// https://www.rfc-editor.org/rfc/rfc7296#section-2.21.1
func TestForgedInitAnswerEndsNothing(t *testing.T) {
	group := func(g uint16) wire.Payload {
		return &wire.Notify{NotifyType: wire.NotifyInvalidKEPayload, Data: []byte{byte(g >> 8), byte(g)}}
	}
	plain := func(n wire.NotifyType) func(*rig, []byte) []wire.Payload {
		return func(*rig, []byte) []wire.Payload { return []wire.Payload{&wire.Notify{NotifyType: n}} }
	}
	one := func(p wire.Payload) func(*rig, []byte) []wire.Payload {
		return func(*rig, []byte) []wire.Payload { return []wire.Payload{p} }
	}
	// whole is a complete answer of somebody without the PPK.
	whole := func(r *rig, d []byte) []wire.Payload {
		var out []wire.Payload
		m, _ := wire.Parse(d)
		for _, p := range m.Payloads {
			if n, ok := p.(*wire.Notify); !ok || n.NotifyType != wire.NotifyUsePPK {
				out = append(out, p)
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		answer   func(*rig, []byte) []wire.Payload
		ppk      bool
		reported diag.Code
	}{
		"NO_PROPOSAL_CHOSEN":           {answer: plain(wire.NotifyNoProposalChosen), reported: diag.CodeInitRefused},
		"INVALID_SYNTAX":               {answer: plain(wire.NotifyInvalidSyntax), reported: diag.CodeSyntax},
		"INVALID_MAJOR_VERSION":        {answer: plain(wire.NotifyInvalidMajorVersion), reported: diag.CodeVersion},
		"UNSUPPORTED_CRITICAL_PAYLOAD": {answer: plain(wire.NotifyUnsupportedCriticalPayload), reported: diag.CodePeerError},
		"an unknown error":             {answer: plain(8191), reported: diag.CodePeerError},
		"a group that is not offered":  {answer: one(group(wire.KE_MODP_768)), reported: diag.CodeKEGroup},
		"another offered group":        {answer: one(group(wire.KE_ECP_256))},
		"a cookie":                     {answer: one(&wire.Notify{NotifyType: wire.NotifyCookie, Data: []byte("forged")})},
		"an answer without USE_PPK":    {answer: whole, ppk: true, reported: diag.CodePPK},
	} {
		for lost, patience := range []time.Duration{time.Second, 5 * time.Second, 13 * time.Second} {
			t.Run(name+", "+[]string{"a later answer", "the first answer lost", "two answers lost"}[lost], func(t *testing.T) {
				r := newRig(t, 71, func(a, b *Config) {
					if !c.ppk {
						a.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519-ecp256")
					} else {
						a.PPKID, a.PPKRequired, b.PPKID = "post-quantum", true, "post-quantum"
					}
				})
				for _, e := range []*end{r.a, r.b} {
					e.env.PPK = func(string) ([]byte, bool) { return []byte("thirty-two octets of a quantum-safe"), c.ppk }
				}
				answers, forged := 0, false
				r.drop = func(e *end, d []byte) bool {
					h := headerOf(d)
					if h.Exchange != wire.ExchangeIKESAInit {
						return false
					}
					if e == r.a && !forged {
						forged = true
						r.forge(e, d, c.answer(r, d)...)
						if c.ppk {
							r.wire[len(r.wire)-1].data[15] = 1 // an SPI of the responder
						}
					}
					if e == r.b {
						answers++
						return answers <= lost
					}
					return false
				}
				r.b.onePerSPI = true
				r.a.connect()
				r.run(100 * time.Millisecond)
				if c.reported != "" {
					if f := r.a.wantFailure(c.reported); !f.Unproven {
						t.Errorf("%v: is said to be the peer's", f)
					}
				}
				r.run(patience)
				r.wantUp(1)
				for _, o := range r.a.events {
					if x, ok := o.(ExchangeDone); ok && x.Retransmits > lost+1 {
						t.Errorf("%s was repeated %d times, it says, with %d answers lost", x.Exchange, x.Retransmits, lost)
					}
				}
			})
		}
	}
}

// An attempt that is refused again and again fails with what was said: reported at once, over after a few repetitions.
func TestRefusedInit(t *testing.T) {
	r := newRig(t, 72, func(a, b *Config) {
		b.Proposals = mustProposals(t, wire.ProtocolIKE, "aes256gcm16-prfsha384-ecp384")
	})
	r.a.connect()
	r.run(time.Second)
	if len(r.a.failures) != 1 || r.a.failures[0].Code != diag.CodeInitRefused {
		t.Fatalf("after a second: %v", r.a.failures)
	}
	if len(r.a.live()) != 1 {
		t.Fatal("the first refusal has ended the attempt")
	}
	r.run(15 * time.Second)
	if n := countEvents[Retransmitted](r.a); n != doubtTries {
		t.Errorf("%d repetitions", n)
	}
	last := r.a.failures[len(r.a.failures)-1]
	if last != r.a.failures[0] {
		t.Errorf("ended with %v", last)
	}
	r.a.wantNothing()
}

// However many different errors are forged, so many are reported at most.
func TestForgedErrorsAreBounded(t *testing.T) {
	r := newRig(t, 73, nil)
	n := 0
	r.drop = func(e *end, d []byte) bool {
		if e == r.a && n == 0 {
			for ; n < 100; n++ {
				r.forge(e, d, &wire.Notify{NotifyType: wire.NotifyType(1000 + n)})
			}
		}
		return true
	}
	r.a.connect()
	r.run(time.Minute)
	if n := countEvents[Failed](r.a); n != maxVerdicts {
		t.Errorf("%d reports", n)
	}
	r.a.wantNothing()
}

// ICMP errors can be forged: they shorten an attempt, and do not end it. "[A]n endpoint MUST NOT conclude that the other endpoint
// has failed based on any routing information (e.g., ICMP messages)". https://www.rfc-editor.org/rfc/rfc7296#section-2.4
func TestICMPErrorsEndNoAttempt(t *testing.T) {
	for _, x := range []wire.ExchangeType{wire.ExchangeIKESAInit, wire.ExchangeIKEAuth} {
		r := newRig(t, 74, nil)
		lost := 0
		r.drop = func(e *end, d []byte) bool {
			if e == r.b && headerOf(d).Exchange == x && lost < doubtTries {
				lost++
				return true
			}
			return false
		}
		m := r.a.connect()
		r.run(time.Second)
		for range 10 {
			m.Unreachable(r.now, m.Path(), errors.New("connection refused"))
		}
		if r.a.drain(m); countEvents[Failed](r.a) != 1 {
			t.Errorf("%s: reported %d times at once", x, countEvents[Failed](r.a))
		}
		r.run(13 * time.Second)
		r.wantUp(1)
	}
}

// The peer's own answer to IKE_SESSION_RESUME is taken although somebody else was faster to refuse the ticket, or to demand
// a cookie.
func TestForgedResumeAnswer(t *testing.T) {
	for name, p := range map[string]wire.Payload{
		"TICKET_NACK":        &wire.Notify{NotifyType: wire.NotifyTicketNack},
		"NO_PROPOSAL_CHOSEN": &wire.Notify{NotifyType: wire.NotifyNoProposalChosen},
		"a cookie":           &wire.Notify{NotifyType: wire.NotifyCookie, Data: []byte("forged")},
		"a short nonce":      &wire.Nonce{Data: []byte("short")},
	} {
		t.Run(name, func(t *testing.T) {
			r := newResumeRig(t, 75, nil)
			s := r.lost()
			forged := false
			r.drop = func(e *end, d []byte) bool {
				if h := headerOf(d); e == r.a && h.Exchange == wire.ExchangeIKESessionResume && !forged {
					forged = true
					r.forge(e, d, p)
					w := &r.wire[len(r.wire)-1]
					w.data[15] = 1 // an SPI of the responder
				}
				return false
			}
			r.a.resume(s)
			r.run(5 * time.Second)
			r.wantResumed(true)
		})
	}
}
