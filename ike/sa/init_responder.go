package sa

import (
	"crypto/sha256"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/proposal"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// Accepted is the answer to an IKE_SA_INIT request. At most one of Machine, Response and WantsCookie is set; with
// none, the datagram is dropped without an answer.
type Accepted struct {
	// Machine is a new half-open responder; its outputs hold the response, or the request for the key exchange that comes before it.
	Machine *Machine
	// Response is a stateless answer: COOKIE, REDIRECT, INVALID_KE_PAYLOAD, NO_PROPOSAL_CHOSEN, INVALID_MAJOR_VERSION.
	Response []byte
	// RedirectedTo is the gateway that Response sends the peer to, if it does.
	RedirectedTo wire.Gateway
	// Failure says why there is no machine, for the operator. It is nil for the answers that ask for another attempt.
	Failure *diag.Failure
	// WantsCookie: the key exchange is too expensive for a peer that has not returned a cookie.
	WantsCookie bool
	// Ignored is set when the datagram is not worth an answer.
	Ignored *Ignored
}

// Accept is a responder's front door: it judges an IKE_SA_INIT or IKE_SESSION_RESUME request without keeping any state
// unless everything fits. While cookies are asked for, [Cookies.Screen] comes before it. The datagram may be used for something else
// afterwards.
func Accept(env *Env, now time.Time, datagram []byte, path Path) Accepted {
	drop := func(r IgnoreReason, detail string) Accepted {
		return Accepted{Ignored: &Ignored{Path: path, Reason: r, Detail: detail}}
	}
	h, err := wire.ParseHeader(datagram)
	if err != nil {
		return drop(IgnoreMalformed, err.Error())
	}
	if !isInitRequest(h) {
		return drop(IgnoreFlags, "not a request for an IKE SA")
	}
	if h.Exchange == wire.ExchangeIKESessionResume && !resumes(env, path) {
		return drop(IgnoreSPI, h.Exchange.String())
	}
	datagram = slices.Clone(datagram)
	msg, err := wire.Parse(datagram)
	if critical, ok := err.(*wire.CriticalError); ok {
		return Accepted{Response: statelessAnswer(h, wire.NewUnsupportedCriticalPayload(critical.Payload))}
	}
	if err != nil {
		return drop(IgnoreMalformed, err.Error())
	}
	if h.Exchange == wire.ExchangeIKESessionResume {
		return acceptResume(env, now, msg, datagram, path)
	}
	sa, ok1 := find[*wire.SA](msg.Payloads)
	ke, ok2 := find[*wire.KE](msg.Payloads)
	nonce, ok3 := find[*wire.Nonce](msg.Payloads)
	if !ok1 || !ok2 || !ok3 || msg.Encrypted != nil {
		return drop(IgnoreMalformed, "IKE_SA_INIT request without SA, KE or Nonce")
	}

	all := env.Connections(path.Local.Addr(), path.Remote.Addr())
	if len(all) == 0 {
		// "no connection matches" has no notify of its own; the operator gets the real reason, the peer this one.
		w := diag.Where{Exchange: h.Exchange.String(), Local: path.Local, Remote: path.Remote}.Answering(wire.NotifyNoProposalChosen)
		return Accepted{Response: statelessAnswer(h, failing(wire.NotifyNoProposalChosen)...), Failure: env.noConnection(w)}
	}
	opts := proposal.Options{PreferKE: ke.Group, NoAdditional: !announcesIntermediate(msg.Payloads)}
	var fits []*Config
	var chosen proposal.Chosen
	var mismatch *diag.Failure
	offer := sa.Proposals
	for _, cfg := range all {
		c, err := proposal.Choose(cfg.Proposals, offer, opts)
		if err != nil {
			if mismatch == nil && len(fits) == 0 {
				m := &Machine{cfg: cfg, path: path, windows: isWindows(msg.Payloads)}
				mismatch = m.initMismatch(h.Exchange, err)
			}
			continue
		}
		if len(fits) == 0 {
			// IKE_AUTH picks among connections that accept this, whether it is their own first choice or not: who is calling, and so
			// which connection is meant, shows there.
			chosen, offer = c, []wire.Proposal{c.Wire()}
		}
		fits = append(fits, cfg)
	}
	if len(fits) == 0 {
		return Accepted{Response: statelessAnswer(h, failing(wire.NotifyNoProposalChosen)...), Failure: mismatch}
	}
	if answer, to, ok := redirectInit(h, msg.Payloads, fits, path, nonce.Data); ok {
		return Accepted{Response: answer, RedirectedTo: to}
	}
	if chosen.KE != ke.Group {
		return Accepted{Response: statelessAnswer(h, wire.NewInvalidKEPayload(chosen.KE))}
	}
	switch env.admit(now, path, ke.Group, false) {
	case AdmitWithCookie:
		return Accepted{WantsCookie: true}
	case AdmitLater:
		return drop(IgnoreBudget, wire.TransformName(wire.TransformKE, ke.Group))
	case AdmitNow:
	}
	return newResponder(env, now, fits, chosen, msg, ke, nonce, datagram, path)
}

// statelessAnswer is a response to an IKE_SA_INIT request that leaves nothing behind: SPIr stays zero.
func statelessAnswer(req wire.Header, payloads ...wire.Payload) []byte {
	msg := wire.Message{
		Header:   wire.Header{SPIi: req.SPIi, Major: 2, Exchange: req.Exchange, Flags: wire.FlagResponse},
		Payloads: payloads,
	}
	return msg.Append(nil)
}

func newResponder(env *Env, now time.Time, fits []*Config, chosen proposal.Chosen, msg *wire.Message, ke *wire.KE, nonce *wire.Nonce, datagram []byte, path Path) Accepted {
	m := newMachine(env, now, fits[0], path)
	m.candidates = fits
	m.peerSPI = msg.Header.SPIi
	m.windows = isWindows(msg.Payloads)
	m.chosen = chosen
	m.inter.methods = chosen.Additional()
	m.nat.forced = m.cfg.ForceEncap
	m.nat.detect(m.peerSPI, 0, path, msg.Payloads)
	m.redirect = redirectsFrom(msg.Payloads)
	m.frag.negotiated = m.cfg.Fragmentation && notify(msg.Payloads, wire.NotifyIKEv2FragmentationSupported) != nil
	// INVALID_SYNTAX "may only be returned for and in an encrypted packet if the Message ID and cryptographic checksum were
	// valid" (https://www.rfc-editor.org/rfc/rfc7296#section-3.10.1): what is wrong here is dropped.
	fail := func(code diag.Code, err error) Accepted { return m.silently(code, wire.ExchangeIKESAInit, err) }
	prf, err := suite.NewPRF(chosen.PRF)
	if err != nil {
		return fail(diag.CodeInternal, err)
	}
	m.prf = prf
	if err := checkNonce(prf, nonce.Data); err != nil {
		return fail(diag.CodeSyntax, err)
	}
	m.init.ni = slices.Clone(nonce.Data)
	m.init.peerMessage, m.init.digest = datagram, sha256.Sum256(datagram)
	m.life.expireAt = now.Add(m.cfg.HalfOpenTimeout)
	m.answerInit(now, msg, ke)
	return Accepted{Machine: m}
}

// answerInit answers the IKE_SA_INIT request of a new responder when the key exchange is made. A request that this side has no time
// for is as if it had been lost: nothing is left, and the peer repeats it.
func (m *Machine) answerInit(now time.Time, msg *wire.Message, ke *wire.KE) {
	a := &asks{lost: func(now time.Time, err error) {
		m.ignore(m.path, IgnoreBusy, err.Error())
		m.close(now, "no time for IKE_SA_INIT", nil)
	}}
	a.again = func(now time.Time) {
		m.window.parked = nil
		m.within(a, func() { m.exchangeInit(now, msg, ke) })
		if a.waits() {
			m.window.parked = a
		}
	}
	a.again(now)
}

// exchangeInit makes the key exchange of an IKE_SA_INIT request and answers it.
func (m *Machine) exchangeInit(now time.Time, msg *wire.Message, ke *wire.KE) {
	path, x := m.path, wire.ExchangeIKESAInit
	step, err := m.exchange(now, KeyExchange{Group: ke.Group, Peer: ke.Data})
	switch {
	case err == errWaits:
		return
	case badValue(err):
		// A bad public value is answered: "the implementation MAY send an INVALID_SYNTAX error notification back".
		// https://www.rfc-editor.org/rfc/rfc6989#section-2.5
		m.emit(Send{Path: path, Datagram: statelessAnswer(msg.Header, failing(wire.NotifyInvalidSyntax)...)})
		m.close(now, "a bad public value", keFailure(m.where(x).Answering(wire.NotifyInvalidSyntax), err))
		return
	case err != nil:
		m.close(now, "key exchange", keFailure(m.where(x), err))
		return
	}
	m.init.nr = m.env.Nonce(nonceLen)
	if err := m.setKeys(suite.SKEYSEED(m.prf, m.init.ni, m.init.nr, step.Shared), m.init.ni, m.init.nr); err != nil {
		m.close(now, "keys", diag.Internal(m.where(x), err))
		return
	}
	payloads := []wire.Payload{
		&wire.SA{Proposals: []wire.Proposal{m.chosen.Wire()}},
		&wire.KE{Group: ke.Group, Data: step.Public}, &wire.Nonce{Data: m.init.nr},
	}
	payloads = append(payloads, natPayloads(m.peerSPI, m.localSPI, path, m.cfg.ForceEncap)...)
	payloads = append(append(payloads, m.acceptIntermediate(msg.Payloads)...), m.acceptPPK(msg.Payloads)...)
	payloads = append(append(payloads, m.acceptSignatures(msg.Payloads)...), m.transcript()...)
	payloads = append(payloads, multipleAuth()...)
	m.init.downgrade.full = m.init.downgrade.offered && announcesTranscript(msg.Payloads)
	m.halfOpen(now, msg, m.announceInInit(payloads))
}

// silently is how a request that nothing is made of is dropped, when there is nothing to say in the clear.
func (m *Machine) silently(code diag.Code, x wire.ExchangeType, err error) Accepted {
	if code == diag.CodeInternal {
		return Accepted{Failure: diag.Internal(m.where(x), err)}
	}
	return Accepted{Ignored: &Ignored{Path: m.path, Reason: IgnoreMalformed, Detail: err.Error()}}
}

// halfOpen answers the first request of a peer, IKE_SA_INIT or IKE_SESSION_RESUME, with payloads and what both have at the end.
func (m *Machine) halfOpen(now time.Time, msg *wire.Message, payloads []wire.Payload) {
	if m.frag.negotiated {
		payloads = append(payloads, m.initNotifies()...)
	}
	payloads = append(payloads, m.childlessSupported()...)
	h := wire.Header{SPIi: m.peerSPI, SPIr: m.localSPI, Major: 2, Exchange: msg.Header.Exchange, Flags: wire.FlagResponse}
	resp := wire.Message{Header: h, Payloads: payloads}
	m.init.ownMessage = resp.Append(nil)
	m.window.nextRecv = 1
	m.window.response = [][]byte{m.init.ownMessage}
	m.resend(m.path)
	m.emit(ExchangeDone{
		Exchange: h.Exchange, Path: m.path, Request: wire.Summary(msg.Header, msg.Payloads), Response: wire.Summary(h, payloads),
		RequestLen: len(m.init.peerMessage), ResponseLen: len(m.init.ownMessage),
	})
}
