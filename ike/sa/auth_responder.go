package sa

import (
	"fmt"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// handleAuth is the IKE_AUTH exchange of the responder: it picks the connection by identities, verifies the peer,
// authenticates itself and creates the first CHILD SA.
func (m *Machine) handleAuth(r *request) []wire.Payload {
	x := wire.ExchangeIKEAuth
	idi, idr := findID(r.payloads, false), findID(r.payloads, true)
	a, hasAuth := find[*wire.Auth](r.payloads)
	if f := m.premature(); f != nil {
		return m.refuseAuth(wire.NotifyInvalidSyntax, f)
	}
	if idi == nil {
		return m.refuseAuth(wire.NotifyInvalidSyntax, m.failure(diag.CodeSyntax, x,
			failSides("", "an IKE_AUTH request without IDi"), failNotify(wire.NotifyInvalidSyntax)))
	}
	// Whatever the initiator floated to is where it is from now on.
	m.path = r.path
	cfg, f := m.selectConnection(idi, idr, wanted(r.payloads))
	if f != nil {
		return m.refuseAuth(wire.NotifyAuthenticationFailed, f)
	}
	m.cfg, m.candidates = cfg, nil
	m.localID = m.ownIdentity()
	if f := m.malformedChild(r.payloads); f != nil {
		return m.refuseAuth(wire.NotifyInvalidSyntax, f)
	}
	if !hasAuth {
		// Without AUTH the initiator asks for EAP (RFC 7296 section 2.16), which this connection does not have.
		return m.refuseAuth(wire.NotifyAuthenticationFailed, m.failure(diag.CodeAuthMethod, x, failLine(cfg.RemoteIDLine),
			failNotify(wire.NotifyAuthenticationFailed), failSides(cfg.RemoteAuth.String(), "EAP (no AUTH payload)")))
	}
	if a, f = m.takePPK(r.payloads, idi, a); f != nil {
		return m.refuseAuth(wire.NotifyAuthenticationFailed, f)
	}
	if f := m.verifyPeer(idi, a, m.init.peerMessage, m.init.nr, cfg); f != nil {
		return m.refuseAuth(wire.NotifyAuthenticationFailed, m.blamePPK(f, idi, r.payloads))
	}
	if cfg.MOBIKE && natChanged(r.payloads, r.path) {
		return m.refuseAuth(wire.NotifyUnexpectedNATDetected, m.failure(diag.CodeNAT, x,
			failNotify(wire.NotifyUnexpectedNATDetected), failSides("", r.path.Remote.String())))
	}
	secret, ok := m.env.PSK(m.localID, m.remoteID)
	if !ok {
		return m.refuseAuth(wire.NotifyAuthenticationFailed, m.failure(diag.CodeNoSecret, x, failLine(cfg.Line),
			failNotify(wire.NotifyAuthenticationFailed),
			failSides("a secret that names "+m.remoteID.String(), "")))
	}
	to, away := m.redirect.target(cfg)
	if f := m.oneTooMany(r); f != nil && !away {
		return m.refuseAuth(wire.NotifyAuthenticationFailed, f)
	}
	if f := m.spendTicket(r.now); f != nil {
		return m.refuseAuth(wire.NotifyAuthenticationFailed, f)
	}
	m.redirect.away = away
	own := &wire.ID{Responder: true, IDType: wire.IDType(m.localID.Type), Data: m.localID.Data}
	octets := m.signedOctets(m.init.ownMessage, m.init.ni, m.ownP(), own.AppendBody(nil))
	payloads := []wire.Payload{own, &wire.Auth{Method: wire.AuthSharedKey, Data: m.authValue(secret, octets)}}
	payloads = append(payloads, m.confirmation()...)

	m.takeToken(r.path, r.payloads)
	m.established(r.now)
	if m.resume.active {
		m.emit(Resumes{SPI: m.resume.of})
	}
	if away {
		return append(append(payloads, m.redirectAuth(r.now, to)...), m.ticketLater(r, false)...)
	}
	payloads = append(append(payloads, m.authLifetime()...), m.ownToken()...)
	payloads = append(payloads, m.grantTicket(r)...)
	if notify(r.payloads, wire.NotifyIKEv2MessageIDSyncSupported) != nil {
		m.sync.negotiated = true
		payloads = append(payloads, syncSupported())
	}
	if notify(r.payloads, wire.NotifyInitialContact) != nil {
		m.emit(PeerInitialContact{})
	}
	payloads = append(payloads, m.authChild(r)...)
	if m.mobilityAgreed(r.payloads); m.mob.on {
		payloads = append(payloads, m.mobilityOffer()...)
	}
	return payloads
}

// refuseAuth ends a half-open SA. The response is all the peer gets to know; the SA is gone once it is sent.
func (m *Machine) refuseAuth(t wire.NotifyType, f *diag.Failure) []wire.Payload {
	m.closing = &Closed{Reason: "IKE_AUTH refused: " + t.String(), Failure: f}
	return failing(t)
}

// oneTooMany tells why a peer that is who it says gets no IKE SA all the same: a limit is reached, or it has one, and that
// is kept. With INITIAL_CONTACT it has none any more.
func (m *Machine) oneTooMany(r *request) *diag.Failure {
	contact := notify(r.payloads, wire.NotifyInitialContact) != nil
	if m.env.IKEFull != nil {
		if limit := m.env.IKEFull(m, contact); limit != "" {
			return m.failure(diag.CodeLimit, wire.ExchangeIKEAuth, failLine(m.cfg.Line), failNotify(wire.NotifyAuthenticationFailed),
				failSides(limit, "another IKE SA"))
		}
	}
	if contact || m.env.Kept == nil {
		return nil
	}
	kept, ok := m.env.Kept(r.now, m)
	if !ok {
		return nil
	}
	return m.failure(diag.CodeLimit, wire.ExchangeIKEAuth, failLine(m.cfg.Line), failNotify(wire.NotifyAuthenticationFailed),
		failSides(fmt.Sprintf(`one IKE SA for each peer (unique = "keep"), and keep #%d`, kept), "another IKE SA"),
		failFix(`nothing if the peer has that one too; if it has lost it, terminate it here or wait for the liveness check; if several peers `+
			`are to use one identity, give each its own or set unique = "never"`))
}
