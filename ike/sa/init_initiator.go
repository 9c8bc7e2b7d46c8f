package sa

import (
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// NewInitiator starts an IKE SA to a peer. Its first datagram is among the outputs. The children are negotiated with
// and after IKE_AUTH, in order; with none, the IKE SA is for itself (RFC 6023), and closed again if the peer takes none such.
func NewInitiator(env *Env, now time.Time, cfg *Config, path Path, children []*ChildConfig) *Machine {
	return newInitiator(env, now, cfg, path, children).begin(now, &initTask{})
}

// newInitiator is an initiator that has not begun.
func newInitiator(env *Env, now time.Time, cfg *Config, path Path, children []*ChildConfig) *Machine {
	m := newMachine(env, now, cfg, path)
	m.initiator = true
	m.localID = cfg.LocalID
	m.remoteID = cfg.RemoteID
	m.nat.forced = cfg.ForceEncap
	m.childless.alone = len(children) == 0
	m.childless.meant = m.childless.alone && (cfg.Childless == policy.ChildlessPrefer || cfg.Childless == policy.ChildlessForce)
	for _, c := range children {
		m.queue = append(m.queue, &createChildTask{cfg: c})
	}
	return m
}

// begin makes the first exchange.
func (m *Machine) begin(now time.Time, first task) *Machine {
	m.requeue(first)
	m.pump(now)
	return m
}

// Limits of the IKE_SA_INIT retries of an initiator: what an attacker who answers first can make it do.
const (
	// maxCookieRetries is how many cookies begin the exchange again at once. A later one goes with the next repetition.
	maxCookieRetries    = 3
	maxInvalidKERetries = 3
	// maxCookieLen: "MUST be between 1 and 64 octets in length (inclusive)", https://www.rfc-editor.org/rfc/rfc7296#section-2.6
	maxCookieLen = 64
	// nonceLen is the length of our nonces. They "MUST be at least half the key size of the negotiated
	// pseudorandom function (PRF)": 256 bits for the
	// largest PRF: https://www.rfc-editor.org/rfc/rfc7296#section-2.10
	nonceLen = 32
)

// initTask is the IKE_SA_INIT exchange. The same task makes all attempts, since cookie, group and nonce are carried
// from one to the next.
type initTask struct {
	ke     suite.KeyExchange // nil at first
	cookie peerCookie
	// transcript is how downgrade prevention is announced: in the same way in all requests.
	transcript []wire.Payload
	// earlier are the requests with other groups than the present one. Who asked for another group is not known, so that a
	// good answer to one of them is as good as ever. There is at most one for each group.
	earlier []initRequest
	// switches counts the changes of the group.
	switches int
	// plain and cookied are the present request without and with the cookie, once there is one.
	plain, cookied []byte
	// sent and before are when the last request was sent and the one before it.
	sent, before time.Time
	refusals     refusals
}

// initRequest is an IKE_SA_INIT request that was sent: its key exchange, and the message that AUTH covers if it is this
// one that the peer has answered.
type initRequest struct {
	ke      suite.KeyExchange
	message []byte
}

func (t *initTask) name() string                        { return "IKE_SA_INIT" }
func (t *initTask) exchange() wire.ExchangeType         { return wire.ExchangeIKESAInit }
func (t *initTask) abandoned(m *Machine, now time.Time) {}
func (t *initTask) jar() *peerCookie                    { return &t.cookie }

// verdict: the last of the refusals in the clear is what the attempt has failed with, if there was one. Nor is it silence when each
// request was answered with another cookie.
func (t *initTask) verdict(m *Machine, now time.Time, p *outstanding) *diag.Failure {
	switch {
	case t.refusals.last != nil:
		return t.refusals.last
	case p.stuck == nil && p.unreachable == 0 && t.cookie.times > maxCookieRetries:
		return diag.CookieLoop(m.where(t.exchange()), p.sent(now))
	}
	return nil
}

func (t *initTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	if t.ke == nil {
		group, ok := firstGroup(m.cfg.Proposals, nil)
		if !ok {
			m.close(now, "no key exchange left", diag.NoKEGroupLeft(m.whereProposals(wire.ExchangeIKESAInit), proposalTexts(m.cfg.Proposals)))
			return nil, false
		}
		if t.ke, ok = t.generate(m, now, group); !ok {
			return nil, false
		}
	}
	if m.init.ni == nil {
		m.init.ni = m.env.Nonce(nonceLen)
		if f := m.choosePPK(); f != nil {
			m.close(now, "no PPK", f)
			return nil, false
		}
		t.transcript = m.transcript()
	}
	t.before, t.sent = t.sent, now
	payloads := append(t.cookie.payloads(), offerSA(m.cfg.Proposals, nil),
		&wire.KE{Group: t.ke.Group(), Data: t.ke.Public()}, &wire.Nonce{Data: m.init.ni})
	payloads = append(payloads, natPayloads(m.localSPI, 0, m.path, m.cfg.ForceEncap)...)
	payloads = append(append(payloads, m.offerIntermediate()...), m.offerPPK()...)
	payloads = append(append(payloads, m.offerSignatures()...), m.redirectNotifies()...)
	payloads = append(payloads, t.transcript...)
	return append(payloads, m.initNotifies()...), true
}

// initNotifies are the extensions that both roles announce in IKE_SA_INIT.
func (m *Machine) initNotifies() []wire.Payload {
	if !m.cfg.Fragmentation {
		return nil
	}
	return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyIKEv2FragmentationSupported}}
}

// generate makes a private value. ok is false while it waits, and when there will be none: the SA is closed then.
func (t *initTask) generate(m *Machine, now time.Time, group uint16) (ke suite.KeyExchange, ok bool) {
	ke, err := m.generate(now, group)
	if err != nil && err != errWaits {
		m.close(now, "key exchange", keFailure(m.where(wire.ExchangeIKESAInit), err))
	}
	return ke, err == nil
}

// offerSA makes the SA payload of a request; spi is empty for the first IKE SA.
func offerSA(ps []proposal.Proposal, spi []byte) *wire.SA {
	sa := &wire.SA{}
	for i, p := range ps {
		sa.Proposals = append(sa.Proposals, p.Wire(uint8(i+1), spi))
	}
	return sa
}

func (t *initTask) take(m *Machine, now time.Time, msg *wire.Message, datagram []byte, path Path) sequel {
	if n := notify(msg.Payloads, wire.NotifyInvalidKEPayload); n != nil {
		return t.retryWithGroup(m, now, n, msg, datagram, path)
	}
	if n := errorNotify(msg.Payloads); n != nil {
		m.ignore(path, IgnoreUnauthentic, n.NotifyType.String())
		t.refusals.add(m, m.peerRefusedInit(n))
		return sequelNone
	}
	return t.finish(m, now, msg, datagram, path)
}

// initExchanged emits the log material of an IKE_SA_INIT round.
func (m *Machine) initExchanged(now time.Time, msg *wire.Message, datagram []byte, path Path) {
	p := m.pending
	m.emit(ExchangeDone{
		Exchange: p.task.exchange(), MessageID: p.id, Initiated: true, Path: path, Request: p.summary,
		Response: wire.Summary(msg.Header, msg.Payloads), RequestLen: p.size(), ResponseLen: len(datagram),
		Took: now.Sub(p.firstSent), Retransmits: p.tries,
	})
}

func (t *initTask) retryWithGroup(m *Machine, now time.Time, n *wire.Notify, msg *wire.Message, datagram []byte, path Path) sequel {
	group, err := n.AcceptedGroup()
	if err != nil {
		m.ignore(path, IgnoreMalformed, err.Error())
		return sequelNone
	}
	// The exchange is made again with the group that the peer wants: only one that it offered, or an attacker could choose a
	// weak one; and only so many times, or two of them could go round in circles. One that was used before may be wanted again:
	// it was somebody else, then, who wanted the present one. https://www.rfc-editor.org/rfc/rfc7296#section-1.2
	if group == t.ke.Group() && len(t.earlier) > 0 {
		m.ignore(path, IgnoreDuplicate, "INVALID_KE_PAYLOAD") // an answer to an earlier request, which is repeated as well
		return sequelNone
	}
	if !offersGroup(m.cfg.Proposals, group) || group == t.ke.Group() || t.switches >= maxInvalidKERetries {
		m.ignore(path, IgnoreUnauthentic, "INVALID_KE_PAYLOAD with "+groupName(group))
		t.refusals.add(m, m.refusedGroup(group))
		return sequelNone
	}
	if m.pending.parked.waits() {
		m.ignore(path, IgnorePending, "INVALID_KE_PAYLOAD")
		return sequelNone
	}
	i := t.earlierWith(group)
	ke, ok := suite.KeyExchange(nil), true
	if i >= 0 {
		ke = t.earlier[i].ke
	} else if ke, ok = t.generate(m, now, group); !ok {
		return sequelNone
	}
	m.initExchanged(now, msg, datagram, path)
	t.switches++
	before := initRequest{t.ke, m.init.ownMessage}
	t.cookie.adopt()
	t.ke, t.plain, t.cookied = ke, nil, nil
	if i >= 0 {
		t.earlier = slices.Delete(t.earlier, i, i+1)
	}
	t.earlier = append(t.earlier, before)
	return sequelAgain
}

// earlierWith is the place of the earlier request with a group, or -1.
func (t *initTask) earlierWith(group uint16) int {
	return slices.IndexFunc(t.earlier, func(r initRequest) bool { return r.ke.Group() == group })
}

// answeredRequest is the request that an answer with that group is to; ok is false if there is none.
func (t *initTask) answeredRequest(m *Machine, group uint16) (r initRequest, ok bool) {
	if group == t.ke.Group() {
		return initRequest{t.ke, t.covered(m)}, true
	}
	if i := t.earlierWith(group); i >= 0 {
		return t.earlier[i], true
	}
	return initRequest{}, false
}

// finish takes a complete answer: the negotiated proposal, the peer's public value and nonce. An answer that is
// wrong in itself is dropped, since a better one may follow; only a timeout ends the wait.
func (t *initTask) finish(m *Machine, now time.Time, msg *wire.Message, datagram []byte, path Path) sequel {
	sa, ok1 := find[*wire.SA](msg.Payloads)
	ke, ok2 := find[*wire.KE](msg.Payloads)
	nonce, ok3 := find[*wire.Nonce](msg.Payloads)
	if !ok1 || !ok2 || !ok3 || msg.Header.SPIr == 0 {
		m.ignore(path, IgnoreMalformed, "IKE_SA_INIT response without SA, KE, Nonce or SPI")
		return sequelNone
	}
	x := wire.ExchangeIKESAInit
	reject := func(f *diag.Failure) {
		m.ignore(path, IgnoreUnauthentic, f.Error())
		t.refusals.add(m, f)
	}
	chosen, err := proposal.Verify(m.cfg.Proposals, sa.Proposals, proposal.Options{NoAdditional: !announcesIntermediate(msg.Payloads)})
	if err != nil {
		reject(diag.IKEProposalMismatch(m.whereProposals(x), differences(err)))
		return sequelNone
	}
	req, ok := t.answeredRequest(m, ke.Group)
	if chosen.KE != ke.Group || !ok {
		reject(diag.WrongKEGroup(m.whereProposals(x), groupName(t.ke.Group()), groupName(ke.Group)))
		return sequelNone
	}
	if m.pending.parked.concludes() {
		m.ignore(path, IgnorePending, wire.ExchangeIKESAInit.String())
		return sequelNone
	}
	step, err := m.exchange(now, KeyExchange{Group: ke.Group, Own: req.ke, Peer: ke.Data})
	if err == errWaits {
		return sequelNone
	}
	if err != nil {
		reject(keFailure(m.where(x), err))
		return sequelNone
	}
	prf, err := suite.NewPRF(chosen.PRF)
	if err != nil {
		reject(diag.Internal(m.where(x), err))
		return sequelNone
	}
	if err := checkNonce(prf, nonce.Data); err != nil {
		reject(diag.Malformed(m.where(x), err))
		return sequelNone
	}
	if f := m.answersPPK(msg.Payloads); f != nil {
		reject(f)
		return sequelNone
	}
	if f := m.answersTranscript(msg.Payloads); f != nil {
		reject(f)
		return sequelNone
	}
	if f := m.answersMultipleAuth(msg.Payloads); f != nil {
		reject(f)
		return sequelNone
	}
	m.chosen, m.prf = chosen, prf
	m.peerSPI = msg.Header.SPIr
	m.init.nr = slices.Clone(nonce.Data)
	m.init.ownMessage, m.init.peerMessage = req.message, datagram
	if err := m.setKeys(suite.SKEYSEED(prf, m.init.ni, m.init.nr, step.Shared), m.init.ni, m.init.nr); err != nil {
		m.peerSPI, m.init.ownMessage = 0, m.pending.datagrams[0]
		reject(diag.Internal(m.where(x), err))
		return sequelNone
	}
	m.answered(now, msg, datagram, path)
	m.inter.methods = chosen.Additional()
	m.requeue(m.afterInit())
	return sequelOver
}

// answered takes what the answers to IKE_SA_INIT and IKE_SESSION_RESUME say in addition to keys, once one of them is believed.
func (m *Machine) answered(now time.Time, msg *wire.Message, datagram []byte, path Path) {
	m.initExchanged(now, msg, datagram, path)
	m.nat.detect(m.localSPI, m.peerSPI, path, msg.Payloads)
	m.sig.answered(msg.Payloads)
	m.frag.negotiated = m.cfg.Fragmentation && notify(msg.Payloads, wire.NotifyIKEv2FragmentationSupported) != nil
	m.childless.offered = notify(msg.Payloads, wire.NotifyChildlessIKEv2Supported) != nil
	m.alive.lastHeard = now
	m.window.nextSend = 1
	m.init.port = m.path.Remote.Port()
	m.float()
}
