package sa

import (
	"crypto/sha256"
	"fmt"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// Refusal is what is left of a responder that has refused its peer: the answer, which is short, and what it takes to
// recognise that it is asked for again. Anybody can bring these about, so that the rest of the machine is not kept.
type Refusal struct {
	spi    wire.SPI
	digest [sha256.Size]byte // of the request that began it
	window window
}

// Refusal is what is to be kept of a machine that has refused its peer, until [Refusal.Until]; the machine can be forgotten.
func (m *Machine) Refusal() (*Refusal, bool) {
	if m.state != StateClosed || m.initiator || !m.establishedAt.IsZero() || m.closedUntil.IsZero() {
		return nil, false
	}
	w := window{nextRecv: m.window.nextRecv, response: m.window.response, opened: m.window.opened, paces: m.window.paces}
	return &Refusal{spi: m.localSPI, digest: m.init.digest, window: w}, true
}

// LocalSPI is the SPI that this side had chosen.
func (r *Refusal) LocalSPI() wire.SPI { return r.spi }

// Until is how long to keep a refusal from now on.
func (r *Refusal) Until(now time.Time) time.Time { return now.Add(lingerTime) }

// Matches is [Machine.Matches].
func (r *Refusal) Matches(initRequest []byte) bool { return sha256.Sum256(initRequest) == r.digest }

// Again gives the answer to a request that repeats the one that was refused. Whatever else comes is ignored, for a reason.
func (r *Refusal) Again(now time.Time, datagram []byte, path Path) (answer [][]byte, ignored *Ignored) {
	msg, err := wire.Parse(datagram)
	if err != nil {
		return nil, &Ignored{Path: path, Reason: IgnoreMalformed, Detail: err.Error()}
	}
	h := msg.Header
	switch {
	case h.Flags&wire.FlagResponse != 0:
		return nil, &Ignored{Path: path, Reason: IgnoreLate, Detail: h.Exchange.String()}
	case msg.Encrypted == nil:
		return nil, &Ignored{Path: path, Reason: IgnoreUnprotected, Detail: h.Exchange.String()}
	case !r.window.repeated(h):
		return nil, &Ignored{Path: path, Reason: IgnoreMessageID}
	}
	if reason, detail := r.window.asksAgain(now, msg, datagram, false); reason != "" {
		return nil, &Ignored{Path: path, Reason: reason, Detail: detail}
	}
	return r.window.response, nil
}

// repeated reports whether a request has the id and the exchange of the last one that was answered.
func (w *window) repeated(h wire.Header) bool {
	return h.MessageID+1 == w.nextRecv && w.answers(h.Exchange)
}

// asksAgain judges a request that [window.repeated] recognises. With no reason to ignore it, the answer is to be sent again.
// own: it came by the path of the IKE SA.
func (w *window) asksAgain(now time.Time, msg *wire.Message, datagram []byte, own bool) (reason IgnoreReason, detail string) {
	if w.opened == nil {
		return IgnoreState, ""
	}
	if _, err := w.opened.Open(datagram, msg.Encrypted.AADLen); err != nil {
		return IgnoreICV, ""
	}
	// RFC 7383 section 2.6.1: only fragment number 1 of a retransmitted request makes the responder answer again.
	if msg.Encrypted.Fragment && msg.Encrypted.Number != 1 {
		return IgnoreDuplicate, "fragment of an answered request"
	}
	if !w.paces.allow(now, own) {
		return IgnoreRepeated, msg.Header.Exchange.String()
	}
	return "", ""
}

const (
	// repeatEvery is how often an answer is repeated in the long run. Peers repeat a request after half a second at the
	// earliest and wait longer each time; the network may double a packet; more than that is somebody who plays back what he
	// has seen, maybe with somebody else's address, at whom the answers would go.
	repeatEvery = 500 * time.Millisecond
	// repeatBurst is how often it is repeated at once.
	repeatBurst = 4
)

// pace allows repetitions at a rate: so many at once, then one in each interval.
type pace struct{ next time.Time }

func (p *pace) allow(now time.Time) bool {
	if p.next.Before(now) {
		p.next = now
	}
	if p.next.Sub(now) > (repeatBurst-1)*repeatEvery {
		return false
	}
	p.next = p.next.Add(repeatEvery)
	return true
}

// paces are one for the path of the IKE SA and one for all others: who plays back a request from elsewhere does not
// keep the peer from its answer.
type paces struct{ own, other pace }

func (p *paces) allow(now time.Time, own bool) bool {
	if own {
		return p.own.allow(now)
	}
	return p.other.allow(now)
}

// shed gives up what a machine that has ended needs no more: all but its last answer. The machine of a peer that was
// refused would otherwise keep two messages of up to maxIKEDatagram, and all keys.
func (m *Machine) shed() {
	m.init = initState{digest: m.init.digest}
	m.inter, m.ppk, m.frag = intermediate{}, ppk{}, fragments{}
	m.keys, m.sealer, m.opener, m.window.whole = suite.Keys{}, nil, nil, nil
	m.flow.end()
	m.candidates, m.flow, m.peerToken = nil, nil, nil
}

// Held is how many octets a half-open responder keeps of what its peer has sent: anybody can be the peer.
func (m *Machine) Held() int {
	return len(m.init.peerMessage) + len(m.init.ownMessage) + m.frag.request.size + m.flow.held()
}

// abortHalfOpen ends a responder whose peer has not authenticated itself in time, and an initiator whose peer goes on and on.
// Nothing is left of it: there is no answer that the peer could be waiting for.
func (m *Machine) abortHalfOpen(now time.Time) {
	if m.initiator {
		m.close(now, "IKE_AUTH takes too long", diag.LimitReached(m.where(wire.ExchangeIKEAuth),
			fmt.Sprintf("%s for all rounds of IKE_AUTH", maxAuthTime), "another one"))
		return
	}
	m.window.response = nil
	if m.flow != nil && m.flow.told != nil {
		m.close(now, "the user was refused, and has not come back", m.flow.told)
		return
	}
	if m.flow != nil && m.flow.rounds > 1 && m.cfg.usesEAP() && m.busy == nil {
		who := diag.EAP{User: userName(m.flow.pair.Claimed())}
		m.close(now, "half-open for too long", diag.EAPUnfinished(m.whereUser(m.where(wire.ExchangeIKEAuth), who), who, now.Sub(m.flow.now)))
		return
	}
	if m.busy != nil {
		m.close(now, "half-open for too long", m.busy)
		return
	}
	m.close(now, "half-open for too long", diag.HalfOpenExpired(m.where(wire.ExchangeIKEAuth), m.cfg.HalfOpenTimeout))
}
