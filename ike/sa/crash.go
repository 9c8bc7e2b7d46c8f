package sa

import (
	"crypto/subtle"
	"iter"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// Quick crash detection, RFC 6290. Each side may give the other a token that only it can make. A side that has lost an
// IKE SA shows the token in the clear, which proves that it was lost: nobody else has the token, and its maker never
// shows it as long as it has the SA. Making tokens and believing those of the peer are independent of each other.

// maxCrashTokens bounds how many tokens of one message are compared: a maker that has changed its secret may show one
// for each secret.
const maxCrashTokens = 4

// token is the token of this side for an IKE SA as a payload; none when this daemon makes no tokens.
func (e *Env) token(spii, spir wire.SPI) []wire.Payload {
	if e.CrashToken == nil {
		return nil
	}
	return []wire.Payload{wire.NewQCDToken(e.CrashToken(spii, spir))}
}

func (m *Machine) ownToken() []wire.Payload { return m.env.token(m.spii(), m.spir()) }

// tokenAnswer keeps the initiator's token, and gives this side's.
func (m *Machine) tokenAnswer(asked *request) []wire.Payload {
	m.takeToken(asked.path, asked.payloads)
	return m.ownToken()
}

// ProofOfLoss is the token that goes with INVALID_IKE_SPI in the answer to a message of an IKE SA that this side does not have, if
// one may be shown. Whoever has it can end the IKE SA at the peer, so that it is never that of an IKE SA that exists here: exists
// looks for one by its SPI of this side, all lists every one. The IKE SA for a message is found by one of its SPIs, which the
// Initiator flag selects; anybody can flip that, so both are looked up. And it answers nothing but what looks like a protected
// request: RFC 6290 section 4.5.
//
// Nor is it shown for one that has had a successor: that is the opposite of a loss. A peer that has not heard of the end of
// the rekeying still speaks on the old IKE SA, and would close it and with it all that the new one carries.
func (e *Env) ProofOfLoss(h wire.Header, exists func(wire.SPI) bool, all iter.Seq[*Machine]) []wire.Payload {
	protected := h.NextPayload == wire.PayloadSK || h.NextPayload == wire.PayloadSKF
	if e.CrashToken == nil || !protected || h.SPIi == 0 || h.SPIr == 0 || h.Exchange == wire.ExchangeIKESAInit || exists(h.SPIi) || exists(h.SPIr) ||
		e.outlived.has(h.SPIi) || e.outlived.has(h.SPIr) {
		return nil
	}
	// Of an IKE SA that a rekeying of ours is about to bring about the peer may know already, and it will live.
	for m := range all {
		if m.state == StateRekeying {
			return nil
		}
	}
	return e.token(h.SPIi, h.SPIr)
}

// outlived remembers the local SPIs of IKE SAs that a successor has taken the place of, for a while after their end. The zero value is
// empty. Two sets take turns, so that a full one costs no search for the oldest.
type outlived struct {
	fresh, old map[wire.SPI]struct{}
	since      time.Time // of fresh
}

const (
	// outlivedTime is how long one is remembered at least, unless there are too many: longer than a peer with the usual timers
	// repeats a request.
	outlivedTime = 5 * time.Minute
	// maxOutlived bounds each of the two sets.
	maxOutlived = 1 << 14
)

func (o *outlived) add(now time.Time, spi wire.SPI) {
	if o.fresh == nil || len(o.fresh) >= maxOutlived || now.Sub(o.since) >= outlivedTime {
		o.old, o.fresh, o.since = o.fresh, map[wire.SPI]struct{}{}, now
	}
	o.fresh[spi] = struct{}{}
}

func (o *outlived) has(spi wire.SPI) bool {
	_, fresh := o.fresh[spi]
	_, old := o.old[spi]
	return fresh || old
}

// takeToken keeps the token of the peer, out of a message that is protected. A later one replaces it: RFC 6290
// section 4.4.
func (m *Machine) takeToken(path Path, payloads []wire.Payload) {
	n := notify(payloads, wire.NotifyQuickCrashDetection)
	if n == nil {
		return
	}
	token, err := n.QCDToken()
	if err != nil {
		m.ignore(path, IgnoreToken, err.Error())
		return
	}
	m.peerToken = slices.Clone(token)
}

// crashed closes the IKE SA when an unprotected message proves that the peer has lost it. There is nobody who would
// understand a DELETE. A message without the token, or with another one, changes nothing. What else is in the message does not matter:
// the token goes with INVALID_IKE_SPI in answer to a request, with INVALID_SPI in answer to ESP, and stands alone in the figures of
// section 7. It may come from any address: RFC 6290 section 4.5.
func (m *Machine) crashed(now time.Time, msg *wire.Message, path Path) bool {
	if m.state == StateConnecting || m.state == StateClosed || notify(msg.Payloads, wire.NotifyQuickCrashDetection) == nil {
		return false
	}
	if !m.tokens.allow(now, path.Remote.Addr() == m.path.Remote.Addr()) {
		m.ignore(path, IgnoreToken, "more than are looked at")
		return false
	}
	shown, equal := 0, 0
	for _, p := range msg.Payloads {
		t, ok := p.(*wire.Notify)
		if !ok || t.NotifyType != wire.NotifyQuickCrashDetection {
			continue
		}
		if shown++; shown > maxCrashTokens {
			break
		}
		if len(m.peerToken) > 0 {
			equal |= subtle.ConstantTimeCompare(t.Data, m.peerToken)
		}
	}
	if equal != 1 {
		m.ignore(path, IgnoreToken, msg.Header.Exchange.String())
		return false
	}
	said := wire.NotifyQuickCrashDetection
	if n := errorNotify(msg.Payloads); n != nil {
		said = n.NotifyType
	}
	m.window.response = nil
	m.close(now, "the peer has lost the IKE SA", diag.PeerRestarted(m.where(msg.Header.Exchange), said))
	return true
}

// tokenChecks bounds how often tokens are compared for an IKE SA: "it SHOULD limit the rate at which such notifications are processed".
// Those from the peer's address have a share of their own, so that others cannot use it up.
// https://www.rfc-editor.org/rfc/rfc6290#section-8.2
type tokenChecks struct {
	since time.Time
	n     [2]int
}

// maxTokenChecks is how many messages with tokens are looked at within a second, of the peer's address and of all others. A peer that
// has restarted answers each of our requests once.
const maxTokenChecks = 8

func (c *tokenChecks) allow(now time.Time, fromPeer bool) bool {
	if now.Sub(c.since) >= time.Second {
		*c = tokenChecks{since: now}
	}
	share := &c.n[0]
	if fromPeer {
		share = &c.n[1]
	}
	*share++
	return *share <= maxTokenChecks
}

// tokenTask gives the peer our token for an IKE SA that we have made by rekeying: when that was asked for, half of the
// SPIs it is made of was not known yet. RFC 6290 section 4.3.
type tokenTask struct{}

func (tokenTask) name() string                        { return "quick crash detection token" }
func (tokenTask) exchange() wire.ExchangeType         { return wire.ExchangeInformational }
func (tokenTask) done(m *Machine, r *response)        {}
func (tokenTask) abandoned(m *Machine, now time.Time) {}
func (tokenTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	p := m.ownToken()
	return p, len(p) > 0
}

// exchangeTokens takes the token that came with the answer to a rekeying, and lets ours follow.
func (m *Machine) exchangeTokens(r *response) {
	m.takeToken(r.path, r.payloads)
	if m.env.CrashToken != nil {
		m.delayed = append(m.delayed, delayed{tokenTask{}, r.now}) // sent when the rekeying is settled
	}
}
