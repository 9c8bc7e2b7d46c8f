package sa

import (
	"slices"
	"testing"

	"esplanade/ike/wire"
)

// Who a message is for is said by its SPIs and by the initiator flag, which is set in what the original initiator sends and in
// nothing else: a message that comes back to its sender, or that is another IKE SA's, is dropped before it is looked into.
// https://www.rfc-editor.org/rfc/rfc7296#section-3.1
func TestMessageForSomebodyElse(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(b []byte)
		reason IgnoreReason
	}{
		"initiator flag":  {func(b []byte) { b[19] ^= byte(wire.FlagInitiator) }, IgnoreFlags},
		"initiator's SPI": {func(b []byte) { b[3] ^= 1 }, IgnoreSPI},
		"responder's SPI": {func(b []byte) { b[11] ^= 1 }, IgnoreSPI},
	} {
		for _, response := range []bool{false, true} {
			play(t, "", nil, nil, func(l *ladder) {
				h := l.x.header(wire.ExchangeInformational)
				if response {
					h.Flags |= wire.FlagResponse
				}
				m, y := l.x.machine(), l.y.machine()
				b := slices.Clone(m.seal(h, []wire.Payload{&wire.Delete{Protocol: wire.ProtocolIKE}})[0])
				c.spoil(b)
				// Only the SPI of the side that it is for says so; the ICV covers the other one.
				reason := c.reason
				if reason == IgnoreSPI && LocalSPIOf(headerOf(b)) == y.LocalSPI() {
					reason = IgnoreICV
					if response {
						reason = IgnoreLate // there is no request
					}
				}
				y.Receive(l.r.now, b, y.path)
				l.y.drain(y)
				if n := l.y.ignored(reason); n != 1 {
					l.t.Errorf("%s: %d were dropped as %s", name, n, reason)
				}
				if got := l.answers(l.y); len(got) != 0 {
					l.t.Errorf("%s: %d answers", name, len(got))
				}
				l.sameState(l.y)
			})
		}
	}
}

// A request is a repetition when it is authentic, not when its header looks like one: whoever has seen a header cannot have
// answers sent, which may be many datagrams each. https://www.rfc-editor.org/rfc/rfc7383#section-2.6.1
func TestRepetitionHasToBeAuthentic(t *testing.T) {
	for name, size := range map[string]int{"whole": 1280, "fragments": 150} {
		play(t, "", func(x, y *Config) { x.FragmentSize, y.FragmentSize = size, size }, nil, func(l *ladder) {
			l.word("x:rekey")
			request := l.answers(l.x)
			for _, d := range request {
				l.inject(l.x, d)
			}
			if len(l.answers(l.y)) == 0 {
				l.t.Fatal("the request is not answered")
			}
			for i := wire.HeaderLen; i < len(request[0]); i++ {
				b := slices.Clone(request[0])
				b[i] ^= 0x10
				l.inject(l.x, b)
			}
			b := slices.Clone(request[0][:wire.HeaderLen+8])
			l.inject(l.x, b)
			if got := l.answers(l.y); len(got) != 0 {
				l.t.Errorf("%s: %d answers to what only looks like a repetition", name, len(got))
			}
			l.inject(l.x, request[0])
			if len(l.answers(l.y)) == 0 {
				l.t.Errorf("%s: a repetition is not answered", name)
			}
		})
	}
}

// Another exchange under the id of the last request is no repetition of it.
func TestRepetitionIsOfTheSameExchange(t *testing.T) {
	play(t, "x:rekey x> yx", nil, nil, func(l *ladder) {
		m := l.x.machine()
		h := l.x.header(wire.ExchangeInformational)
		h.MessageID--
		l.inject(l.x, m.seal(h, nil)[0])
		if got := l.answers(l.y); len(got) != 0 || l.y.ignored(IgnoreMessageID) != 1 {
			l.t.Errorf("%d answers, %d dropped for the message id", len(got), l.y.ignored(IgnoreMessageID))
		}
	})
}

// An empty token is that of no peer, least of all of one that has given none.
func TestEmptyCrashToken(t *testing.T) {
	play(t, "", nil, nil, func(l *ladder) {
		m := l.x.machine()
		m.requeue(livenessTask{})
		m.pump(l.r.now)
		l.x.drain(m)
		msg, err := wire.Parse(lost(m, wire.NotifyInvalidIKESPI))
		if err != nil {
			l.t.Fatal(err)
		}
		for _, token := range [][]byte{nil, {}, make([]byte, 32)} {
			msg.Payloads = append(msg.Payloads[:1:1], &wire.Notify{NotifyType: wire.NotifyQuickCrashDetection, Data: token})
			m.Receive(l.r.now, (&wire.Message{Header: msg.Header, Payloads: msg.Payloads}).Append(nil), m.path)
			if m.State() != StateEstablished {
				l.t.Fatalf("a token of %d octets: %s", len(token), m.State())
			}
		}
		l.x.drain(m)
	})
}
