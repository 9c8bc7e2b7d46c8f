package sa

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// cluster is a peer that is several gateways: the one that served an IKE SA has failed, and another takes over.
type cluster struct {
	l        *ladder
	us, peer *end // the cluster's member, and the side under test
}

// ask has the member that took over say which message ids it goes on with. It returns the datagram.
func (c *cluster) ask(nonce byte, send, recv uint32) []byte {
	return c.request(wire.NewMessageIDSync(wire.MessageIDSync{Nonce: [4]byte{nonce, 2, 3, 4}, ExpectedSendID: send, ExpectedReceived: recv}))
}

func (c *cluster) request(payloads ...wire.Payload) []byte {
	h := c.us.header(wire.ExchangeInformational)
	h.MessageID = 0
	b := c.us.machine().seal(h, payloads)[0]
	c.l.inject(c.us, b)
	return b
}

// answer takes the answer to the last request for synchronisation off the wire; ok is false when there is none.
func (c *cluster) answer() (s wire.MessageIDSync, ok bool) {
	c.l.t.Helper()
	for _, d := range c.l.answers(c.peer) {
		msg, err := wire.Parse(d)
		if err != nil {
			c.l.t.Fatal(err)
		}
		if msg.Header.Flags&wire.FlagResponse == 0 {
			continue
		}
		if msg.Header.MessageID != 0 || msg.Header.Exchange != wire.ExchangeInformational {
			c.l.t.Fatalf("the answer is %s %d", msg.Header.Exchange, msg.Header.MessageID)
		}
		plain, err := c.us.machine().opener.Open(d, msg.Encrypted.AADLen)
		if err != nil {
			c.l.t.Fatal(err)
		}
		payloads, err := wire.ParsePayloads(msg.Encrypted.First, plain, wire.HeaderLen)
		if err != nil {
			c.l.t.Fatal(err)
		}
		n := notify(payloads, wire.NotifyIKEv2MessageIDSync)
		if n == nil {
			continue
		}
		if s, err = n.MessageIDSync(); err != nil {
			c.l.t.Fatal(err)
		}
		ok = true
	}
	return s, ok
}

// adopt lets the member go on as agreed.
func (c *cluster) adopt(s wire.MessageIDSync) {
	w := &c.us.machine().window
	w.nextSend, w.nextRecv, w.response = s.ExpectedReceived, s.ExpectedSendID, nil
}

// want checks the answer.
func (c *cluster) want(nonce byte, send, recv uint32) {
	c.l.t.Helper()
	s, ok := c.answer()
	if want := (wire.MessageIDSync{Nonce: [4]byte{nonce, 2, 3, 4}, ExpectedSendID: send, ExpectedReceived: recv}); !ok || s != want {
		c.l.t.Errorf("the answer is %+v (%v), want %+v", s, ok, want)
	}
	c.adopt(s)
}

// wantDropped checks that there is no answer, and that nothing has changed.
func (c *cluster) wantDropped(reason IgnoreReason, before window) {
	c.l.t.Helper()
	if s, ok := c.answer(); ok {
		c.l.t.Errorf("it was answered: %+v", s)
	}
	if w := c.peer.machine().window; w.nextSend != before.nextSend || w.nextRecv != before.nextRecv {
		c.l.t.Errorf("the window is %d, %d, it was %d, %d", w.nextSend, w.nextRecv, before.nextSend, before.nextRecv)
	}
	if n := c.peer.ignored(reason); n == 0 {
		c.l.t.Errorf("nothing was counted as %s", reason)
	}
}

// TestMessageIDSync plays the situations of RFC 6311 with each side as the original initiator.
func TestMessageIDSync(t *testing.T) {
	situation := func(name, script string, run func(c *cluster)) {
		t.Run(name, func(t *testing.T) {
			play(t, script, nil, nil, func(l *ladder) {
				if !l.x.machine().sync.negotiated || !l.y.machine().sync.negotiated {
					l.t.Fatal("synchronisation is not negotiated")
				}
				run(&cluster{l: l, us: l.x, peer: l.y})
			})
		})
	}
	// goesOn shows that both sides understand each other.
	goesOn := func(c *cluster) {
		c.l.t.Helper()
		for _, w := range []string{"x:rekey", "!", "y:rekey", "!"} {
			c.l.word(w)
		}
		c.l.wantChild("y")
	}
	situation("responder", "", func(c *cluster) {
		w := c.peer.machine().window
		c.ask(1, w.nextRecv+5, w.nextSend)
		c.want(1, w.nextSend, w.nextRecv+5)
		goesOn(c)
	})
	situation("recv_update", "", func(c *cluster) {
		// The cluster has heard of more requests of the peer than the peer has made, as far as it knows: the higher id counts.
		w := c.peer.machine().window
		c.ask(1, w.nextRecv, w.nextSend+7)
		c.want(1, w.nextSend+7, w.nextRecv)
		// And of fewer: the peer knows better.
		w = c.peer.machine().window
		c.ask(2, w.nextRecv+1, 0)
		c.want(2, w.nextSend, w.nextRecv+1)
		goesOn(c)
	})
	situation("retransmit", "", func(c *cluster) {
		// What M1 was used for once is dropped, be it a retransmission; the cluster asks again with a higher one.
		w := c.peer.machine().window
		b := c.ask(1, w.nextRecv+5, w.nextSend)
		c.l.answers(c.peer) // lost
		w = c.peer.machine().window
		c.l.inject(c.us, b)
		c.wantDropped(IgnoreMessageID, w)
		c.ask(2, w.nextRecv+1, w.nextSend)
		c.want(2, w.nextSend, w.nextRecv+1)
		goesOn(c)
	})
	situation("replay", "", func(c *cluster) {
		w := c.peer.machine().window
		b := c.ask(1, w.nextRecv+5, w.nextSend)
		c.want(1, w.nextSend, w.nextRecv+5)
		goesOn(c)
		w = c.peer.machine().window
		c.l.inject(c.us, b)
		c.wantDropped(IgnoreMessageID, w)
		goesOn(c)
	})
	situation("sender_too_low", "x:rekey !", func(c *cluster) {
		w := c.peer.machine().window
		if w.nextRecv == 0 {
			t.Fatal("no request was made")
		}
		c.ask(1, w.nextRecv-1, w.nextSend)
		c.wantDropped(IgnoreMessageID, w)
		goesOn(c)
	})
	situation("disabled", "x:rekey !", func(c *cluster) {
		c.peer.machine().sync.negotiated = false
		w := c.peer.machine().window
		c.ask(1, w.nextRecv+5, w.nextSend)
		c.wantDropped(IgnoreMessageID, w)
		goesOn(c)
	})
	situation("active", "", func(c *cluster) {
		// A request of the peer's is on its way to the member that has failed. It is made again under the next id, with the
		// same content; the old message is of no use to anybody.
		c.l.word("y:rekey")
		old := c.l.answers(c.peer)
		m := c.peer.machine()
		id, w := m.pending.id, m.window
		c.ask(1, w.nextRecv+3, w.nextSend)
		sent := c.l.held
		c.want(1, w.nextSend, w.nextRecv+3)
		again := slices.IndexFunc(sent, func(f flight) bool { return f.to == c.us && !headerOf(f.data).Flags.Response() })
		if again < 0 {
			t.Fatal("the request is not made again")
		}
		if h := headerOf(sent[again].data); h.MessageID != w.nextSend || m.pending.id != w.nextSend || h.MessageID == id {
			t.Errorf("it has id %d, the old one had %d", h.MessageID, id)
		}
		if bytes.Equal(old[0], sent[again].data) {
			t.Error("it is the old message")
		}
		c.l.held = append(c.l.held, sent[again])
		c.l.word("!")
		c.l.wantChild("y")
		goesOn(c)
	})
	situation("malformed", "x:rekey !", func(c *cluster) {
		w := c.peer.machine().window
		c.request(&wire.Notify{NotifyType: wire.NotifyIKEv2MessageIDSync, Data: make([]byte, 11)})
		c.wantDropped(IgnoreMalformed, w)
		c.ask(1, maxMessageID+1, w.nextSend)
		c.wantDropped(IgnoreMessageID, w)
		c.ask(1, w.nextRecv+1, maxMessageID+1)
		c.wantDropped(IgnoreMessageID, w)
		goesOn(c)
	})
	situation("after rekeying the IKE SA", "x:rekeyike !", func(c *cluster) {
		w := c.peer.machine().window
		c.ask(1, w.nextRecv+2, w.nextSend+2)
		c.want(1, w.nextSend+2, w.nextRecv+2)
		goesOn(c)
	})
	situation("an ordinary request 0", "", func(c *cluster) {
		// The original responder's first request has id 0 as well.
		c.l.word("y:rekey")
		c.l.word("!")
		c.l.r.run(settleTime + time.Minute)
		c.l.wantChild("y")
		goesOn(c)
	})
}
