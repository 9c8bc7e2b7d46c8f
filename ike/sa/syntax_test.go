package sa

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// M12: "If the critical flag is set and the payload type is unrecognized, the message MUST be rejected and the response
// to the IKE request containing that payload MUST include a Notify payload UNSUPPORTED_CRITICAL_PAYLOAD, indicating an
// unsupported critical payload was included." https://www.rfc-editor.org/rfc/rfc7296#section-2.5
func TestCriticalPayloads(t *testing.T) {
	critical, harmless := &wire.Unknown{PayloadType: 200, Critical: true, Body: []byte{1}}, &wire.Unknown{PayloadType: 200, Body: []byte{1}}
	t.Run("request", func(t *testing.T) {
		play(t, "", nil, nil, func(l *ladder) {
			l.x.send(wire.ExchangeInformational, critical, &wire.Delete{Protocol: wire.ProtocolIKE})
			l.word("x>")
			l.word("y=N(CRIT)")
			var n *wire.Notify
			for _, o := range l.y.events {
				if s, ok := o.(Send); ok {
					msg, _ := wire.Parse(s.Datagram)
					plain, err := l.x.machine().opener.Open(slices.Clone(s.Datagram), msg.Encrypted.AADLen)
					if err != nil {
						l.t.Fatal(err)
					}
					ps, _ := wire.ParsePayloads(msg.Encrypted.First, plain, 0)
					n = notify(ps, wire.NotifyUnsupportedCriticalPayload)
				}
			}
			if n == nil || !bytes.Equal(n.Data, []byte{200}) {
				l.t.Errorf("the notify is %v", n)
			}
			l.word("y>")
			l.sameState(l.y) // the message was rejected as a whole, and the SA stays
		})
	})
	t.Run("not critical", func(t *testing.T) {
		play(t, "", nil, nil, func(l *ladder) {
			l.x.send(wire.ExchangeInformational, harmless)
			l.word("x>")
			l.word("y=[,]")
			l.word("y>")
			l.sameState(l.y)
		})
	})
	t.Run("response", func(t *testing.T) {
		// There is nobody to answer to: the response is dropped, and the request repeated until it times out.
		play(t, "x:rekey x>", nil, nil, func(l *ladder) {
			l.answers(l.y)
			m := l.y.machine()
			h := wire.Header{SPIi: m.spii(), SPIr: m.spir(), Major: 2, Exchange: wire.ExchangeCreateChildSA, Flags: m.flags() | wire.FlagResponse,
				MessageID: m.window.nextRecv - 1}
			l.inject(l.y, m.seal(h, []wire.Payload{critical})[0])
			if l.x.ignored(IgnoreCritical) != 1 || l.x.machine().pending == nil {
				l.t.Error("a response with an unknown critical payload was taken")
			}
		})
	})
	t.Run("IKE_SA_INIT", func(t *testing.T) {
		r := newRig(t, 42, nil)
		r.a.connect()
		msg, _ := wire.Parse(r.wire[0].data)
		for _, u := range []*wire.Unknown{critical, harmless} {
			m := wire.Message{Header: msg.Header, Payloads: append(slices.Clone(msg.Payloads), u)}
			acc := Accept(r.b.env, r.now, m.Append(nil), r.wire[0].path)
			switch {
			case u.Critical && (acc.Machine != nil || acc.Response == nil):
				t.Error("critical: accepted, or not answered")
			case !u.Critical && acc.Machine == nil:
				t.Errorf("not critical: %v", acc.Failure)
			case u.Critical:
				resp, err := wire.Parse(acc.Response)
				if err != nil || notify(resp.Payloads, wire.NotifyUnsupportedCriticalPayload) == nil {
					t.Errorf("answered with %v, %v", resp, err)
				}
			}
		}
	})
}

// M13: what stands in front of the SK payload is not part of the exchange.
func TestPayloadsInFrontOfSK(t *testing.T) {
	play(t, "", nil, nil, func(l *ladder) {
		m := l.x.machine()
		h := l.x.header(wire.ExchangeInformational)
		clear := (&wire.Delete{Protocol: wire.ProtocolIKE}).AppendBody(nil)
		clear = append([]byte{byte(wire.PayloadSK), 0, 0, byte(4 + len(clear))}, clear...)
		b := wire.AppendProtected(nil, h, wire.PayloadNone, m.sealer.BodyLen(0))
		b = slices.Insert(b, wire.HeaderLen, clear...)
		b[16] = byte(wire.PayloadDelete)
		binary.BigEndian.PutUint32(b[24:], binary.BigEndian.Uint32(b[24:])+uint32(len(clear)))
		l.inject(l.x, m.sealTo(b, nil))
		l.word("y=[,]")
		l.answers(l.y)
		l.sameState(l.y)
	})
}

// M15 and M16: a message that does not authenticate has no effect; one that does and makes no sense ends the SA on both
// sides: INVALID_SYNTAX "is considered fatal in both peers, meaning that the IKE SA is deleted without needing an explicit
// Delete payload". https://www.rfc-editor.org/rfc/rfc7296#section-2.21.3
func TestBrokenMessages(t *testing.T) {
	t.Run("not authentic", func(t *testing.T) {
		play(t, "", nil, nil, func(l *ladder) {
			l.x.send(wire.ExchangeInformational, &wire.Delete{Protocol: wire.ProtocolIKE})
			d := l.answers(l.x)[0]
			for i := wire.HeaderLen; i < len(d); i++ {
				b := slices.Clone(d)
				b[i] ^= 0x10
				l.inject(l.x, b)
			}
			if got := l.answers(l.y); len(got) != 0 {
				l.t.Errorf("%d answers", len(got))
			}
			l.sameState(l.y)
			for n := range d {
				l.inject(l.x, d[:n])
			}
			l.sameState(l.y)
		})
	})
	for name, plain := range map[string][]byte{
		"length of zero":        {0, 0, 0, 0},
		"length beyond the end": {0, 0, 0, 99, 1},
		"more after the last":   {0, 0, 0, 4, 9, 9},
	} {
		t.Run("authentic, "+name, func(t *testing.T) {
			play(t, "", nil, nil, func(l *ladder) {
				m := l.x.machine()
				h := l.x.header(wire.ExchangeInformational)
				l.inject(l.x, m.sealTo(wire.AppendProtected(nil, h, wire.PayloadDelete, m.sealer.BodyLen(len(plain))), plain))
				l.word("y=N(INVAL_SYN)")
				if len(l.y.live()) != 0 || !l.y.hasFailure(diag.CodeSyntax) {
					l.t.Errorf("%d IKE SAs, %v", len(l.y.live()), l.y.failures)
				}
			})
			// In an answer it ends the SA as well; there is nobody to be told.
			play(t, "x:rekey x>", nil, nil, func(l *ladder) {
				l.answers(l.y)
				m := l.y.machine()
				h := wire.Header{SPIi: m.spii(), SPIr: m.spir(), Major: 2, Exchange: wire.ExchangeCreateChildSA, Flags: m.flags() | wire.FlagResponse,
					MessageID: m.window.nextRecv - 1}
				l.inject(l.y, m.sealTo(wire.AppendProtected(nil, h, wire.PayloadDelete, m.sealer.BodyLen(len(plain))), plain))
				l.x.wantNothing()
			})
		})
	}
}

// M17: the order of payloads means nothing.
func TestPayloadsInAnyOrder(t *testing.T) {
	play(t, "", nil, nil, func(l *ladder) {
		p := rekeyPayloads(l.x, l.x.liveChildren()[0])
		slices.Reverse(p)
		l.x.send(wire.ExchangeCreateChildSA, p...)
		l.word("x>")
		l.word("y=SA,No,KE,TSi,TSr")
	})
}

// M18: a payload that can be there once and is there twice is a syntax error.
func TestDoublePayloads(t *testing.T) {
	for _, i := range []int{1, 2, 3, 4, 5} { // SA, No, KE, TSi, TSr
		play(t, "", nil, nil, func(l *ladder) {
			p := rekeyPayloads(l.x, l.x.liveChildren()[0])
			l.x.send(wire.ExchangeCreateChildSA, append(p, p[i])...)
			l.word("x>")
			l.word("y=N(INVAL_SYN)")
		})
	}
}

// Each payload that a request needs, left out: an error and no crash (CVE-2013-6466 and many others).
func TestMissingPayloads(t *testing.T) {
	for _, rekey := range []bool{true, false} {
		for i := 1; i <= 5; i++ {
			play(t, "", nil, nil, func(l *ladder) {
				p := rekeyPayloads(l.x, l.x.liveChildren()[0])
				p = slices.Delete(p, i, i+1)
				if !rekey {
					p = p[1:]
				}
				l.x.send(wire.ExchangeCreateChildSA, p...)
				l.word("x>")
				if i == 3 {
					l.word("y=N(INVAL_KE)") // without KE: the group is named
				} else {
					l.word("y=N(INVAL_SYN)")
				}
			})
		}
	}
}
