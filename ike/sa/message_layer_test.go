package sa

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// header is that of the next request of a side.
func (e *end) header(x wire.ExchangeType) wire.Header {
	m := e.machine()
	return wire.Header{SPIi: m.spii(), SPIr: m.spir(), Major: 2, Exchange: x, Flags: m.flags(), MessageID: m.window.nextSend}
}

// inject delivers a datagram to the other side as if e had sent it.
func (l *ladder) inject(e *end, b []byte) {
	l.hold()
	o := l.r.other(e)
	o.receive(flight{to: o, path: e.machine().path.Reversed(), data: b})
	l.hold()
}

// answers takes what a side has on the wire.
func (l *ladder) answers(e *end) (out [][]byte) {
	l.hold()
	for l.find(e, 1) >= 0 {
		i := l.find(e, 1)
		out = append(out, l.held[i].data)
		l.held = append(l.held[:i:i], l.held[i+1:]...)
	}
	return out
}

func (e *end) ignored(reason IgnoreReason) int {
	n := 0
	for _, o := range e.events {
		if x, ok := o.(Ignored); ok && x.Reason == reason {
			n++
		}
	}
	return n
}

// sameState checks that an established SA is as if nothing had happened.
func (l *ladder) sameState(e *end) {
	l.t.Helper()
	m := e.machine()
	if m.state != StateEstablished || len(e.liveChildren()) != 1 || len(e.spis) != 1 || m.pending != nil || len(m.queue) != 0 {
		l.t.Errorf("%s is %s with %d children, %d SPIs, tasks %v", e.name, m.state, len(e.liveChildren()), len(e.spis), m.tasks())
	}
}

// M1: "The responder MUST remember each response until it receives a request whose sequence number is larger than or
// equal to the sequence number in the response plus its window size": a repeated request gets the same octets and has no
// second effect.
func TestRepeatedRequestSameAnswer(t *testing.T) {
	play(t, "x:rekey x+", nil, nil, func(l *ladder) {
		first := l.answers(l.y)
		exchanges := countEvents[ExchangeDone](l.y)
		for range 3 {
			l.word("x+")
			if again := l.answers(l.y); !slices.EqualFunc(first, again, bytes.Equal) {
				l.t.Error("the answer to a repeated request differs")
			}
		}
		if len(l.y.spis) != 2 || len(l.y.machine().children) != 2 || countEvents[ExchangeDone](l.y) != exchanges {
			l.t.Errorf("y has %d SPIs and %d children", len(l.y.spis), len(l.y.machine().children))
		}
	})
}

// M3: only the fragment with number 1 makes a responder answer again (RFC 7383 section 2.6.1).
func TestRepeatedFragmentIsNotAnswered(t *testing.T) {
	play(t, "", func(x, y *Config) { x.FragmentSize, y.FragmentSize = 150, 150 }, nil, func(l *ladder) {
		l.word("x:rekey")
		request := l.answers(l.x)
		if len(request) < 2 {
			t.Fatal("the request is not fragmented")
		}
		for _, d := range request {
			l.inject(l.x, d)
		}
		response := l.answers(l.y)
		if len(response) < 2 {
			t.Fatalf("%d datagrams in answer", len(response))
		}
		for i, d := range request {
			l.inject(l.x, d)
			again := l.answers(l.y)
			switch {
			case i == 0 && !slices.EqualFunc(response, again, bytes.Equal):
				t.Error("fragment 1 did not bring the whole answer")
			case i > 0 && len(again) != 0:
				t.Errorf("fragment %d was answered with %d datagrams", i+1, len(again))
			}
		}
	})
}

// M4: both directions count for themselves. The original responder's first request has id 0, the initiator's first after
// IKE_AUTH id 2.
func TestFirstMessageIDs(t *testing.T) {
	play(t, "", nil, nil, func(l *ladder) {
		l.r.a.send(wire.ExchangeInformational)
		l.r.b.send(wire.ExchangeInformational)
		l.hold()
		for _, f := range l.held {
			want := uint32(2)
			if f.to == l.r.a {
				want = 0
			}
			if got := headerOf(f.data).MessageID; got != want {
				t.Errorf("id %d, want %d", got, want)
			}
		}
	})
}

// M8: requests outside the window are dropped without a word.
func TestMessageIDsOutsideTheWindow(t *testing.T) {
	play(t, "x:rekey x> y> x> y> !", nil, nil, func(l *ladder) {
		m := l.x.machine()
		for _, id := range []uint32{m.window.nextSend - 2, m.window.nextSend + 1, m.window.nextSend + 1000, 1<<32 - 1} {
			h := l.x.header(wire.ExchangeInformational)
			h.MessageID = id
			l.inject(l.x, m.seal(h, []wire.Payload{&wire.Delete{Protocol: wire.ProtocolIKE}})[0])
			if got := l.answers(l.y); len(got) != 0 {
				t.Errorf("id %d was answered", id)
			}
		}
		if n := l.y.ignored(IgnoreMessageID); n != 4 {
			t.Errorf("%d were counted", n)
		}
		l.wantChild("x")
	})
}

// M9: nothing in the clear changes an established SA: "an endpoint MUST NOT conclude that the other endpoint has failed based
// on any routing information (e.g., ICMP messages) or IKE messages that arrive without cryptographic protection (e.g.,
// Notify messages complaining about unknown SPIs)". https://www.rfc-editor.org/rfc/rfc7296#section-2.4
func TestUnprotectedMessages(t *testing.T) {
	for _, p := range []wire.Payload{
		&wire.Notify{NotifyType: wire.NotifyInvalidIKESPI}, &wire.Notify{NotifyType: wire.NotifyInvalidSPI, Data: make([]byte, 4)},
		&wire.Notify{NotifyType: wire.NotifyInvalidSyntax}, &wire.Notify{NotifyType: wire.NotifyAuthenticationFailed},
		&wire.Notify{NotifyType: wire.NotifyNoProposalChosen}, &wire.Notify{NotifyType: wire.NotifyInvalidMajorVersion},
		&wire.Delete{Protocol: wire.ProtocolIKE}, &wire.Notify{NotifyType: wire.NotifyInitialContact},
	} {
		for _, x := range []wire.ExchangeType{wire.ExchangeIKESAInit, wire.ExchangeIKEAuth, wire.ExchangeCreateChildSA, wire.ExchangeInformational} {
			play(t, "", nil, nil, func(l *ladder) {
				for _, flags := range []wire.Flags{0, wire.FlagResponse} {
					h := l.x.header(x)
					h.Flags |= flags
					msg := wire.Message{Header: h, Payloads: []wire.Payload{p}}
					l.inject(l.x, msg.Append(nil))
				}
				if got := l.answers(l.y); len(got) != 0 {
					l.t.Errorf("%s in %s was answered", p.Type(), x)
				}
				l.sameState(l.y)
			})
		}
	}
}

// An unprotected INVALID_SPI is a hint to ask, and a bounded one.
func TestUnknownSPIHint(t *testing.T) {
	play(t, "", nil, nil, func(l *ladder) {
		msg := wire.Message{
			Header:   l.x.header(wire.ExchangeInformational),
			Payloads: []wire.Payload{&wire.Notify{NotifyType: wire.NotifyInvalidSPI, Data: espSPIBytes(0x2001)}},
		}
		m := l.y.machine()
		asked := 0
		for range 100 {
			l.inject(l.x, msg.Append(nil))
			m.Advance(l.r.now)
			l.y.drain(m)
			l.hold()
			if l.find(l.y, 1) >= 0 {
				asked++
				l.word("y>")
				l.word("x>")
			}
		}
		if asked != 1 {
			t.Errorf("100 of them at one moment caused %d liveness checks", asked)
		}
	})
}

// M10, CVE-2014-2338, CVE-2019-12312: before IKE_AUTH is done nothing but IKE_AUTH is looked at, and nothing is answered.
func TestRequestsBeforeAuth(t *testing.T) {
	for _, x := range []wire.ExchangeType{wire.ExchangeInformational, wire.ExchangeCreateChildSA, wire.ExchangeIKESAInit, 99} {
		r := newRig(t, 41, nil)
		held := (*flight)(nil)
		r.a.connect()
		for r.step(r.now.Add(time.Second)) {
			for i, f := range r.wire {
				if headerOf(f.data).Exchange == wire.ExchangeIKEAuth && held == nil {
					held = &flight{to: f.to, path: f.path, data: f.data}
					r.wire = slices.Delete(r.wire, i, i+1)
					break
				}
			}
		}
		ma, mb := r.a.all()[0], r.b.all()[0]
		for _, id := range []uint32{0, 1, 2} {
			h := wire.Header{SPIi: ma.spii(), SPIr: ma.spir(), Major: 2, Exchange: x, Flags: wire.FlagInitiator, MessageID: id}
			r.b.receive(flight{to: r.b, path: held.path, data: ma.seal(h, []wire.Payload{&wire.Delete{Protocol: wire.ProtocolIKE}})[0]})
			// The initiator waits for its answer and listens to no request.
			h.Flags = 0
			r.a.receive(flight{to: r.a, path: held.path.Reversed(), data: mb.seal(h, []wire.Payload{&wire.Delete{Protocol: wire.ProtocolIKE}})[0]})
		}
		if len(r.wire) != 0 {
			t.Errorf("%s before IKE_AUTH was answered", x)
		}
		// The real one still works.
		held.at = r.now
		r.wire = append(r.wire, *held)
		r.run(time.Second)
		r.wantUp(1)
	}
}

// M20: an implementation "MUST respond to the address and port from which the request was received. It MUST specify the
// address and port at which the request was received as the source address and port in the response."
// https://www.rfc-editor.org/rfc/rfc7296#section-2.11
func TestAnswerGoesBack(t *testing.T) {
	play(t, "x:rekey", nil, nil, func(l *ladder) {
		l.hold()
		f := l.held[0]
		f.path = Path{Local: withPort(f.path.Local, 4500), Remote: withPort(f.path.Remote, 61000)}
		l.y.machine().nat.remote = false
		before := l.y.machine().Path()
		f.to.receive(f)
		for _, o := range l.y.events {
			if s, ok := o.(Send); ok && s.Path != f.path {
				l.t.Errorf("the answer goes by %s, the request came by %s", s.Path, f.path)
			}
		}
		// There is no NAT in front of x: our own requests are not led away (I12).
		if got := l.y.machine().Path(); got != before {
			l.t.Errorf("the path has become %s", got)
		}
	})
}

// I12: a replay from elsewhere moves nothing, with a NAT in front of the peer as well.
func TestReplayMovesNothing(t *testing.T) {
	play(t, "x:rekey x+", nil, nil, func(l *ladder) {
		m := l.y.machine()
		m.nat.local, m.nat.remote = false, true
		before := m.Path()
		f := l.held[l.find(l.x, 1)]
		f.path.Remote = withPort(f.path.Remote, 6666)
		f.to.receive(f)
		if got := m.Path(); got != before {
			l.t.Errorf("the path has become %s", got)
		}
		// A new message from there does.
		l.word("y>")
		l.word("xx") // the request that was replayed
		i := l.find(l.x, 1)
		f = l.held[i]
		f.path.Remote = withPort(f.path.Remote, 7777)
		f.to.receive(f)
		if got := m.Path().Remote.Port(); got != 7777 {
			l.t.Errorf("an authentic message was not followed: %s", m.Path())
		}
		for _, c := range m.children {
			if c.State != ChildDeleted && c.Path.Remote.Port() != 7777 {
				l.t.Error("ESP did not move with IKE")
			}
		}
	})
}
