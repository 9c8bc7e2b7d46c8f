package sa

import (
	"bytes"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// Nothing protects the answers to IKE_SA_INIT and IKE_SESSION_RESUME. Who sees the request can answer it, and may be faster
// than the peer. So no such answer ends anything by itself: "[T]he recipient should continue trying for some time before
// giving up." https://www.rfc-editor.org/rfc/rfc7296#section-2.21.1
//
//   - An error is reported at once, as what somebody says. The request goes on being repeated, though not as often as one that
//     nobody answers at all; a good answer that comes meanwhile is taken.
//   - Another group is tried at once, and an answer to the request with the former one is still good (initTask.earlier).
//   - Repetitions of IKE_SA_INIT go on with the earlier requests as well, and with and without a cookie by turns: a peer that has
//     answered one of them may ignore the others, as those of somebody else.
//   - A cookie is sent back, and a ticket given up, when forgeryGrace is over: until then a good answer may come to the request
//     as it was.

const (
	// forgeryGrace is how long a demand in the clear waits for being contradicted: longer than most round trips, in which
	// the peer's own answer would come, and short for who waits for a connection.
	forgeryGrace = 250 * time.Millisecond
	// doubtTries is how often a request is repeated at least that somebody has refused in the clear. With the default timers
	// the last repetition is sent after 12 seconds, and the attempt ends 2 seconds later.
	doubtTries = 3
	// maxVerdicts bounds the different refusals of one attempt that are reported.
	maxVerdicts = 4
)

// openingTask is a task whose exchange begins an IKE SA: in the clear, with message id 0. Its answers take a way of their own, and
// the exchange may need several requests.
type openingTask interface {
	task
	// jar is where the peer's cookie goes.
	jar() *peerCookie
	// take handles an answer that neither asks for a cookie nor redirects. It may ask as build may.
	take(m *Machine, now time.Time, msg *wire.Message, datagram []byte, path Path) sequel
	// ripe acts on a demand that nobody has contradicted within its time.
	ripe(m *Machine, now time.Time) sequel
	// repeat sends the request again.
	repeat(m *Machine, now time.Time, p *outstanding)
}

// sequel is what follows in an opening exchange.
type sequel uint8

const (
	// sequelNone: the request is still in flight.
	sequelNone sequel = iota
	// sequelAgain: the task makes another request. The exchange begins again.
	sequelAgain
	// sequelRepeat: the task makes another request in place of a repetition, so that the exchange ends when it would have ended.
	sequelRepeat
	// sequelOver: the exchange is over. What comes next is queued, or the IKE SA is closed.
	sequelOver
)

// takeOpening handles an answer in the clear, or keeps it while it waits for a key exchange. A whole answer takes the place of a demand
// for another group that waits. Whatever else comes while one waits is dropped: who answers the most would have this side compute the
// most.
func (m *Machine) takeOpening(now time.Time, p *outstanding, t openingTask, msg *wire.Message, datagram []byte, path Path) {
	a := &asks{arrived: now, lost: func(now time.Time, err error) { m.unanswered(now, p, err) }}
	a.again = func(now time.Time) {
		if p.parked == a {
			p.parked = nil
		}
		var o sequel
		m.within(a, func() { o = m.receiveOpening(now, p, t, msg, datagram, path) })
		if a.waits() {
			p.parked = a
		}
		m.settleOpening(now, p, o)
	}
	a.again(now)
}

// receiveOpening is one attempt at it. No answer is authenticated before IKE_AUTH has verified the messages, so that each is taken as
// what somebody says: a retry is bounded, an error is not believed at once.
func (m *Machine) receiveOpening(now time.Time, p *outstanding, t openingTask, msg *wire.Message, datagram []byte, path Path) sequel {
	switch {
	case msg.Encrypted != nil:
		m.ignore(path, IgnoreState, "protected "+msg.Header.Exchange.String()+" response")
		return sequelNone
	case path.Remote.Addr() != p.path.Remote.Addr():
		m.ignore(path, IgnoreUnauthentic, "answer from another address")
		return sequelNone
	}
	if n := notify(msg.Payloads, wire.NotifyCookie); n != nil {
		if t.jar().accept(m, now, n, path) {
			m.initExchanged(now, msg, datagram, path)
		}
		return sequelNone
	}
	if m.redirectedInInit(now, msg, datagram, path) {
		return sequelNone
	}
	return t.take(m, now, msg, datagram, path)
}

// settleOpening does what a sequel says. It reports whether the request that was in flight no longer is.
func (m *Machine) settleOpening(now time.Time, p *outstanding, o sequel) bool {
	switch o {
	case sequelNone:
		return false
	case sequelAgain:
		m.pending = nil
		m.requeue(p.task)
	case sequelRepeat:
		m.remake(now, p)
	case sequelOver:
		m.pending = nil
	}
	return true
}

// ripens makes the demand in hand due after forgeryGrace.
func (p *outstanding) ripens(now time.Time) {
	p.next = earliest(p.next, now.Add(forgeryGrace))
}

// refusals are those in the clear of one attempt. The last one is what the attempt fails with if nothing better comes.
type refusals struct {
	list []*diag.Failure
	last *diag.Failure
}

// add reports a refusal, unless one like it was reported before.
func (v *refusals) add(m *Machine, f *diag.Failure) {
	m.pending.doubted = true
	for _, old := range v.list {
		if old.Code == f.Code && old.Notify == f.Notify {
			v.last = old
			return
		}
	}
	if len(v.list) >= maxVerdicts {
		return
	}
	f.Unproven = true
	v.list, v.last = append(v.list, f), f
	m.emit(Failed{Failure: f, Early: true})
}

// peerCookie is the cookie that a responder has asked for, if it has.
type peerCookie struct {
	data []byte
	// demanded is a cookie that is not sent yet.
	demanded []byte
	times    int
	// took is how long after the request the demand came: a round trip, or more if the request was repeated meanwhile.
	took time.Duration
}

// accept keeps the cookie of an answer to be sent when it is ripe; false for one that is of no use.
func (c *peerCookie) accept(m *Machine, now time.Time, n *wire.Notify, path Path) bool {
	switch {
	case len(n.Data) == 0 || len(n.Data) > maxCookieLen:
		m.ignore(path, IgnoreMalformed, "cookie length")
		return false
	case slices.Equal(c.data, n.Data) || slices.Equal(c.demanded, n.Data):
		m.ignore(path, IgnoreDuplicate, "COOKIE")
		return false
	}
	if c.demanded == nil && c.times < maxCookieRetries {
		m.pending.ripens(now)
	}
	c.demanded, c.took = slices.Clone(n.Data), now.Sub(m.pending.firstSent)
	return true
}

// adopt has the next request carry the cookie that is demanded.
func (c *peerCookie) adopt() {
	if c.demanded != nil {
		c.data, c.demanded = c.demanded, nil
		c.times++
	}
}

// ripe has the request carry the cookie that is demanded. The first ones begin the exchange again. Those behind them are forged, or the
// peer can't remember: each takes the place of a repetition.
func (c *peerCookie) ripe(m *Machine) sequel {
	p := m.pending
	if c.demanded == nil || c.times >= maxCookieRetries && p.tries >= m.triesOf(p) {
		return sequelNone
	}
	c.adopt()
	if c.times > maxCookieRetries {
		return sequelRepeat
	}
	return sequelAgain
}

// payloads are what a request begins with: "[I]nclude the COOKIE notification containing the received data as the first payload,
// and all other payloads unchanged". https://www.rfc-editor.org/rfc/rfc7296#section-2.6
func (c *peerCookie) payloads() []wire.Payload {
	if c.data == nil {
		return nil
	}
	return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyCookie, Data: c.data}}
}

func (t *initTask) ripe(m *Machine, now time.Time) sequel {
	first := t.cookie.data == nil
	o := t.cookie.ripe(m)
	if o != sequelNone && first {
		t.plain = m.pending.datagrams[0]
	}
	return o
}

// repeat sends the request again, and those with other groups.
func (t *initTask) repeat(m *Machine, now time.Time, p *outstanding) {
	if t.plain != nil {
		next := t.plain
		if sent := p.datagrams[0]; bytes.Equal(sent, t.plain) {
			next = t.cookied
		} else {
			t.cookied = sent
		}
		p.datagrams, m.init.ownMessage = [][]byte{next}, next
	}
	t.before, t.sent = t.sent, now
	p.path = m.path
	m.transmit(now, p)
	for _, e := range t.earlier {
		m.emit(Send{Path: p.path, Datagram: e.message})
	}
}

// covered is the request that AUTH covers if the answer in hand is to the present one. Whether it is to that with the cookie or to that
// without does not show: it is taken for one to what was sent last. But where the demand took longer to come than this answer has taken
// since the cookie was last left out, the answer is to the repetition before, with the cookie: a peer that demands one and is further
// away than a repetition would never be believed.
func (t *initTask) covered(m *Machine) []byte {
	own := m.init.ownMessage
	if t.cookied == nil || !bytes.Equal(own, t.plain) {
		return own
	}
	if since, pause := m.asks.arrived.Sub(t.sent), t.sent.Sub(t.before); since+pause/2 < t.cookie.took {
		return t.cookied
	}
	return own
}

func (t *resumeTask) repeat(m *Machine, now time.Time, p *outstanding) {
	p.path = m.path
	m.transmit(now, p)
}
