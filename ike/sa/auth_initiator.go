package sa

import (
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/wire"
)

// authTask is the IKE_AUTH exchange of the initiator, with the first CHILD SA in it.
type authTask struct {
	idBody []byte
	child  *childOffer // nil when the connection has none to bring up
}

func (t *authTask) name() string                { return "IKE_AUTH" }
func (t *authTask) exchange() wire.ExchangeType { return wire.ExchangeIKEAuth }

func (t *authTask) abandoned(m *Machine, now time.Time) {
	if t.child != nil {
		t.child.release(m)
	}
}

// ownIdentity is the configured identity, or the address that this SA uses.
func (m *Machine) ownIdentity() identity.Identity {
	if m.resume.active {
		return m.resume.own
	}
	if id := m.cfg.LocalID; id.Type != 0 && !id.Any() {
		return id
	}
	return identity.FromAddr(m.path.Local.Addr())
}

func (t *authTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	m.localID = m.ownIdentity()
	find := m.env.PSK
	if m.env.OfferPSK != nil && !m.cfg.RemoteID.Concrete() {
		find = m.env.OfferPSK
	}
	secret, ok := find(m.localID, m.cfg.RemoteID)
	if !ok {
		m.close(now, "no secret", m.failure(diag.CodeNoSecret, wire.ExchangeIKEAuth,
			failSides("a secret that names "+m.cfg.RemoteID.String(), "")))
		return nil, false
	}
	id := &wire.ID{IDType: wire.IDType(m.localID.Type), Data: m.localID.Data}
	t.idBody = id.AppendBody(nil)
	proof, err := m.initiatorAuth(secret, t.idBody)
	if err != nil {
		m.close(now, "no AUTH", m.failure(diag.CodeInternal, wire.ExchangeIKEAuth, failCause(err)))
		return nil, false
	}

	payloads := []wire.Payload{id}
	if m.env.FirstContact(m.cfg) {
		payloads = append(payloads, &wire.Notify{NotifyType: wire.NotifyInitialContact})
	}
	if r := m.cfg.RemoteID; r.Concrete() {
		payloads = append(payloads, &wire.ID{Responder: true, IDType: wire.IDType(r.Type), Data: r.Data})
	}
	payloads = append(append(payloads, proof...), syncSupported())
	payloads = append(payloads, m.ownToken()...)
	payloads = append(payloads, m.requestTicket()...)

	if without, ok := m.withoutChild(now); without || !ok {
		return append(payloads, m.mobilityOffer()...), ok
	}
	// The first child that was asked for goes along; the others follow in CREATE_CHILD_SA exchanges.
	c, ok := queued(m, func(c *createChildTask) bool { return true })
	if !ok {
		// A connection without children has nothing to carry.
		m.close(now, "no child to bring up", m.failure(diag.CodeConfig, wire.ExchangeIKEAuth,
			failSides("no child to bring up", "")))
		return nil, false
	}
	m.dequeue(c)
	offer, err := m.newOffer(c.cfg, c.trigger, nil, true)
	if err != nil {
		m.close(now, "no SPI", m.failure(diag.CodeInstall, wire.ExchangeIKEAuth, failCause(err), failChild(c.cfg, c.cfg.Line)))
		return nil, false
	}
	t.child = offer
	payloads = append(payloads, offer.sa(), toWireTS(false, offer.ts.Local), toWireTS(true, offer.ts.Remote))
	return append(payloads, m.mobilityOffer()...), true
}

func (t *authTask) done(m *Machine, r *response) {
	x := wire.ExchangeIKEAuth
	if m.resume.active {
		m.emit(SessionSpent{}) // whatever the answer says: only the peer can have made it
	}
	idr, authPayload := findID(r.payloads, true), (*wire.Auth)(nil)
	if a, ok := find[*wire.Auth](r.payloads); ok {
		authPayload = a
	}
	n := fatalNotify(r.payloads)
	if n == nil && authPayload == nil {
		n = errorNotify(r.payloads)
	}
	if n != nil {
		t.abandoned(m, r.now)
		m.close(r.now, "peer answered "+n.NotifyType.String(), m.peerRefusedAuth(n))
		return
	}
	if idr == nil || authPayload == nil {
		t.abandoned(m, r.now)
		m.rejectPeer(r.now, m.failure(diag.CodeSyntax, x, failSides("", "a response without IDr or AUTH")))
		return
	}
	f := m.confirmPPK(r.payloads)
	if f == nil {
		f = m.verifyPeer(idr, authPayload, m.init.peerMessage, m.init.ni, m.cfg)
	}
	if f != nil {
		t.abandoned(m, r.now)
		m.rejectPeer(r.now, f)
		return
	}
	if m.redirectedInAuth(r) {
		t.abandoned(m, r.now)
		return
	}
	m.sync.negotiated = notify(r.payloads, wire.NotifyIKEv2MessageIDSyncSupported) != nil
	m.takeToken(r.path, r.payloads)
	m.established(r.now)
	m.mobilityAgreed(r.payloads)
	m.peerAuthLifetime(r.now, r.path, r.payloads)
	m.takeTicket(r)
	t.finishChild(m, r)
}

// finishChild handles what IKE_AUTH says about the child. "[E]stablishing the Child SA … may still fail. This failure
// does not automatically cause the IKE SA to be deleted." https://www.rfc-editor.org/rfc/rfc7296#section-2.21.2
// Whether an IKE SA is of use without it is decided by pruneChildless.
func (t *authTask) finishChild(m *Machine, r *response) {
	if t.child != nil {
		m.finishOffer(r, t.child)
	}
	m.pruneChildless(r.now)
}

// pruneChildless closes an IKE SA of ours that carries nothing and is about to carry nothing.
func (m *Machine) pruneChildless(now time.Time) {
	if m.state != StateEstablished || len(m.children) > 0 || m.childless.meant {
		return
	}
	if _, ok := queued(m, func(*createChildTask) bool { return true }); ok {
		return
	}
	m.Delete(now, "no CHILD SA could be created")
}

// peerRefusedAuth is an error notify instead of an IKE_AUTH answer.
func (m *Machine) peerRefusedAuth(n *wire.Notify) *diag.Failure {
	code := diag.CodePeerError
	switch n.NotifyType {
	case wire.NotifyAuthenticationFailed:
		code = diag.CodeAuthPSK
	case wire.NotifyUnexpectedNATDetected:
		code = diag.CodeNAT
	case wire.NotifyInvalidSyntax:
		code = diag.CodeSyntax
	case wire.NotifyUnsupportedCriticalPayload:
		code = diag.CodeUnsupported
	}
	f := m.failure(code, wire.ExchangeIKEAuth, failByPeer(n.NotifyType), failLine(m.cfg.LocalIDLine),
		failSides("the pre-shared key for "+m.localID.String()+" and "+m.cfg.RemoteID.String(), ""))
	m.namePPK(f)
	return f
}

// signedOctets are what an AUTH value covers: those of IKE_SA_INIT and the identity, and IntAuth behind them.
func (m *Machine) signedOctets(message, nonce, skp, idBody []byte) []byte {
	return append(auth.SignedOctets(m.prf, message, nonce, skp, idBody), m.intAuth()...)
}

// verifyPeer checks the peer's identity against the connection and its AUTH value. message and nonce are the peer's
// IKE_SA_INIT message and our nonce.
func (m *Machine) verifyPeer(id *wire.ID, a *wire.Auth, message, nonce []byte, cfg *Config) *diag.Failure {
	x := wire.ExchangeIKEAuth
	got, err := identity.FromWire(uint8(id.IDType), id.Data)
	if err != nil {
		return m.failure(diag.CodeAuthID, x, failCause(err), failLine(cfg.RemoteIDLine), failNotify(wire.NotifyAuthenticationFailed),
			failSides(cfg.RemoteID.String(), id.IDType.String()))
	}
	if _, ok := got.Matches(cfg.RemoteID); !ok {
		f := m.failure(diag.CodeAuthID, x, failLine(cfg.RemoteIDLine), failNotify(wire.NotifyAuthenticationFailed),
			failSides(cfg.RemoteID.String(), got.String()))
		f.PeerID = got.String()
		return f
	}
	if f := m.otherThanResumed(got); f != nil {
		return f
	}
	if a.Method != wire.AuthSharedKey {
		return m.failure(diag.CodeAuthMethod, x, failLine(cfg.RemoteIDLine), failNotify(wire.NotifyAuthenticationFailed),
			failSides(cfg.RemoteAuth.String(), a.Method.String()))
	}
	secret, ok := m.env.PSK(m.ownIdentity(), got)
	if !ok {
		return m.failure(diag.CodeNoSecret, x, failLine(cfg.Line), failNotify(wire.NotifyAuthenticationFailed),
			failSides("a secret that names "+got.String(), got.String()))
	}
	octets := m.signedOctets(message, nonce, m.peerP(), id.AppendBody(nil))
	if !m.verifyAuth(secret, octets, a.Data) {
		f := m.failure(diag.CodeAuthPSK, x, failLine(cfg.Line), failNotify(wire.NotifyAuthenticationFailed),
			failSides("the pre-shared key for "+m.ownIdentity().String()+" and "+got.String(), "an AUTH value of another key"))
		f.PeerID = got.String()
		return f
	}
	m.remoteID = got
	return nil
}

// established marks the SA as authenticated both ways and starts its lifetime.
func (m *Machine) established(now time.Time) {
	m.establishedAt = now
	m.life.start(now, m.cfg.RekeyTime, m.cfg.RandTime, m.cfg.HardTime, m.env.Jitter())
	m.startAuthLife(m.authenticatedAt())
	m.auth.reauthAt = earliest(m.auth.reauthAt, m.resume.reauthAt)
	m.init.ownMessage, m.init.peerMessage = nil, nil // the nonces still key the first child
	m.inter, m.ppk = intermediate{}, m.ppk.settled()
	m.setState(StateEstablished, "IKE_AUTH done")
	m.emit(Established{})
	// A PPK that was not used is a downgrade that both sides allow: "implementations SHOULD audit this event".
	// https://www.rfc-editor.org/rfc/rfc8784#section-6
	if m.cfg.PPKID != "" && !m.ppk.used {
		m.emit(PPKUnused{ID: m.cfg.PPKID})
	}
}

// rejectTask tells a responder that this initiator does not accept its authentication: "If the error occurs on
// the initiator, the notification MAY be returned in a separate INFORMATIONAL exchange, usually with no other payloads."
// (https://www.rfc-editor.org/rfc/rfc7296#section-2.21.2). Without it the responder would keep an SA that only it
// believes in.
type rejectTask struct{ f *diag.Failure }

func (t *rejectTask) name() string                        { return "reject the peer's authentication" }
func (t *rejectTask) exchange() wire.ExchangeType         { return wire.ExchangeInformational }
func (t *rejectTask) abandoned(m *Machine, now time.Time) {}
func (t *rejectTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	return failing(wire.NotifyAuthenticationFailed), true
}
func (t *rejectTask) done(m *Machine, r *response) {
	m.close(r.now, "the peer's authentication was rejected", t.f)
}

// rejectPeer ends an SA whose responder could not prove who it is.
func (m *Machine) rejectPeer(now time.Time, f *diag.Failure) {
	m.abandonTasks(now)
	m.emit(Failed{Failure: f})
	m.requeue(&rejectTask{f: f})
}
