package sa

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// ppk is where a new IKE SA is with its post-quantum preshared key, RFC 8784:
//
//	IKE_SA_INIT  N(USE_PPK)                                   -->
//	                                                          <--  N(USE_PPK)
//	IKE_AUTH     AUTH, N(PPK_IDENTITY), [N(NO_PPK_AUTH)]      -->
//	                                                          <--  AUTH, [N(PPK_IDENTITY)]
//
// The key changes SK_d, SK_pi and SK_pr, so that the AUTH payloads prove it, and all CHILD SAs and later IKE SAs depend on
// it. With IKE_INTERMEDIATE the keys that it changes are those of the last of these exchanges. Rekeyings inherit it by SK_d
// and do not mix it in again.
type ppk struct {
	id     string
	secret []byte // of an initiator
	// announced tells that the initiator's IKE_SA_INIT had USE_PPK, agreed that both messages had.
	announced, agreed bool
	// mixed are the keys of an initiator that come into force if the responder uses the PPK; plain those of a responder
	// from before.
	mixed, plain *suite.Keys
	used         bool
}

// settled is what is kept of an established SA.
func (p ppk) settled() ppk { return ppk{id: p.id, agreed: p.agreed, used: p.used} }

// ppk finds the key of an identity.
func (e *Env) ppk(id string) ([]byte, bool) {
	if e.PPK == nil || id == "" {
		return nil, false
	}
	return e.PPK(id)
}

// mayUsePPK reports whether the PPK is one for the connection: that which it names, or without a name one that no other
// connection has for itself.
func (e *Env) mayUsePPK(c *Config, id string) bool {
	if c.PPKID != "" {
		return c.PPKID == id
	}
	return e.FreePPK == nil || e.FreePPK(id)
}

// hasPPK tells whether a connection could use a PPK with a peer that chooses one.
func (e *Env) hasPPK(c *Config) bool {
	if c.PPKID == "" {
		return e.HasPPK != nil && e.HasPPK()
	}
	_, ok := e.ppk(c.PPKID)
	return ok
}

// choosePPK finds the PPK of an initiator. It is found once, so that a repeated IKE_SA_INIT with a cookie has the same
// payloads, and IKE_AUTH has what IKE_SA_INIT announced.
func (m *Machine) choosePPK() *diag.Failure {
	secret, ok := m.env.ppk(m.cfg.PPKID)
	switch {
	case ok:
		m.ppk.id, m.ppk.secret = m.cfg.PPKID, secret
	case m.cfg.PPKRequired:
		return m.ppkFailure(wire.ExchangeIKESAInit, m.cfg.PPKID, m.ownPPK()+", and have no key for it", "")
	}
	return nil
}

// offerPPK: an initiator that is configured to use a PPK "MUST include a notification USE_PPK in the IKE_SA_INIT request
// message", whether it is mandatory or not. https://www.rfc-editor.org/rfc/rfc8784#section-3
func (m *Machine) offerPPK() []wire.Payload {
	if m.ppk.secret == nil {
		return nil
	}
	return usePPK()
}

func usePPK() []wire.Payload { return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyUsePPK}} }

// answersPPK takes the responder's IKE_SA_INIT. Without USE_PPK in it and with a PPK that is mandatory, "the initiator MUST
// abort the exchange": https://www.rfc-editor.org/rfc/rfc8784#section-3
func (m *Machine) answersPPK(payloads []wire.Payload) *diag.Failure {
	m.ppk.agreed = m.ppk.secret != nil && notify(payloads, wire.NotifyUsePPK) != nil
	if !m.ppk.agreed && m.cfg.PPKRequired {
		return m.ppkFailure(wire.ExchangeIKESAInit, m.ppk.id, m.ownPPK(), "no PPK: its IKE_SA_INIT has no USE_PPK")
	}
	return nil
}

// acceptPPK is the responder's half. Which connection it will be is known in IKE_AUTH only, so that any candidate counts.
func (m *Machine) acceptPPK(payloads []wire.Payload) []wire.Payload {
	m.ppk.announced = notify(payloads, wire.NotifyUsePPK) != nil
	m.ppk.agreed = m.ppk.announced && slices.ContainsFunc(m.candidates, m.env.hasPPK)
	if !m.ppk.agreed {
		return nil
	}
	return usePPK()
}

// initiatorAuth is the initiator's AUTH and what goes with it. An initiator that can do without the PPK also sends the AUTH
// data that it would have then, in NO_PPK_AUTH: https://www.rfc-editor.org/rfc/rfc8784#section-3
func (m *Machine) initiatorAuth(secret, idBody []byte) ([]wire.Payload, error) {
	value := func(k suite.Keys) []byte {
		return m.authValue(secret, m.signedOctets(m.init.ownMessage, m.init.nr, k.Pi, idBody))
	}
	if !m.ppk.agreed {
		return []wire.Payload{&wire.Auth{Method: wire.AuthSharedKey, Data: value(m.keys)}}, nil
	}
	mixed, err := suite.MixPPK(m.prf, m.ppk.secret, m.keys)
	if err != nil {
		return nil, err
	}
	m.ppk.mixed = &mixed
	payloads := []wire.Payload{
		&wire.Auth{Method: wire.AuthSharedKey, Data: value(mixed)},
		wire.NewPPKIdentity(wire.PPKIDFixed, []byte(m.ppk.id)),
	}
	if !m.cfg.PPKRequired {
		payloads = append(payloads, &wire.Notify{NotifyType: wire.NotifyNoPPKAuth, Data: value(m.keys)})
	}
	return payloads, nil
}

// confirmPPK takes the responder's IKE_AUTH, whose PPK_IDENTITY says that the PPK is in use; what is in it does not matter.
// Without it a mandatory PPK fails the SA, which the responder is told in an INFORMATIONAL exchange:
// https://www.rfc-editor.org/rfc/rfc8784#section-3
func (m *Machine) confirmPPK(payloads []wire.Payload) *diag.Failure {
	switch {
	case !m.ppk.agreed:
	case notify(payloads, wire.NotifyPPKIdentity) != nil:
		m.keys, m.ppk.used = *m.ppk.mixed, true
	case m.cfg.PPKRequired:
		return m.ppkFailure(wire.ExchangeIKEAuth, m.ppk.id, m.ownPPK(), "no PPK: its IKE_AUTH has no PPK_IDENTITY")
	}
	return nil
}

// takePPK decides about the PPK of an initiator, by the table of RFC 8784 section 3, and returns the AUTH payload that
// counts:
//
//	USE_PPK  NO_PPK_AUTH  PPK known  PPK mandatory
//	no       any          no         any            standard IKEv2
//	no       any          yes        no             standard IKEv2
//	no       any          yes        yes            fail
//	yes      no           no         any            fail
//	yes      yes          no         yes            fail
//	yes      yes          no         no             standard IKEv2, NO_PPK_AUTH being the AUTH data
//	yes      any          yes        any            use the PPK
//
// A connection that requires a PPK and has none fails in the first line as well: somebody has configured it to.
func (m *Machine) takePPK(payloads []wire.Payload, idi *wire.ID, a *wire.Auth) (*wire.Auth, *diag.Failure) {
	const x = wire.ExchangeIKEAuth
	refuse := func(id, theirs string) (*wire.Auth, *diag.Failure) {
		f := m.ppkFailure(x, id, m.ownPPK(), theirs)
		failNotify(wire.NotifyAuthenticationFailed)(f)
		if peer, err := identity.FromWire(uint8(idi.IDType), idi.Data); err == nil {
			f.PeerID = peer.String() // what it claims to be: AUTH is checked later
		}
		return nil, f
	}
	switch {
	case m.ppk.agreed:
	case m.cfg.PPKRequired && m.ppk.announced:
		return refuse(m.cfg.PPKID, "a PPK that is not known here")
	case m.cfg.PPKRequired:
		return refuse(m.cfg.PPKID, "no PPK: its IKE_SA_INIT has no USE_PPK")
	default:
		return a, nil
	}
	n, without := notify(payloads, wire.NotifyPPKIdentity), notify(payloads, wire.NotifyNoPPKAuth)
	if n == nil {
		// The responder has to fail then, even if it could do without: section 3.
		return refuse(m.cfg.PPKID, "no PPK in the end: its IKE_SA_INIT has USE_PPK, its IKE_AUTH no PPK_IDENTITY")
	}
	kind, octets, err := n.PPKIdentity()
	id := string(octets)
	if err == nil && kind == wire.PPKIDFixed && m.env.mayUsePPK(m.cfg, id) {
		if secret, ok := m.env.ppk(id); ok {
			return a, m.mixPPK(id, secret)
		}
	}
	theirs := kind.String()
	switch {
	case err != nil:
		theirs = "a PPK_IDENTITY without an id"
	case kind == wire.PPKIDFixed:
		theirs = "PPK " + ppkName(id)
	}
	if m.cfg.PPKRequired || without == nil {
		return refuse(id, theirs)
	}
	return &wire.Auth{Method: a.Method, Data: without.Data}, nil
}

// mixPPK puts a responder's PPK in force.
func (m *Machine) mixPPK(id string, secret []byte) *diag.Failure {
	mixed, err := suite.MixPPK(m.prf, secret, m.keys)
	if err != nil {
		return m.failure(diag.CodeInternal, wire.ExchangeIKEAuth, failCause(err), failNotify(wire.NotifyAuthenticationFailed))
	}
	plain := m.keys
	m.keys, m.ppk.id, m.ppk.plain, m.ppk.used = mixed, id, &plain, true
	return nil
}

// confirmation is the PPK_IDENTITY, without data, in the responder's IKE_AUTH if the PPK is in use.
// https://www.rfc-editor.org/rfc/rfc8784#section-3
func (m *Machine) confirmation() []wire.Payload {
	if !m.ppk.used {
		return nil
	}
	return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyPPKIdentity}}
}

// blamePPK looks closer at an AUTH value of the initiator that does not verify with the PPK mixed in. If NO_PPK_AUTH does
// verify, the pre-shared keys are the same and the PPKs are not.
func (m *Machine) blamePPK(f *diag.Failure, id *wire.ID, payloads []wire.Payload) *diag.Failure {
	if !m.ppk.used || f.Code != diag.CodeAuthPSK {
		return f
	}
	without := notify(payloads, wire.NotifyNoPPKAuth)
	got, err := identity.FromWire(uint8(id.IDType), id.Data)
	if without != nil && err == nil {
		octets := m.signedOctets(m.init.peerMessage, m.init.nr, m.ppk.plain.Pi, id.AppendBody(nil))
		if secret, ok := m.env.PSK(m.ownIdentity(), got); ok && auth.VerifyPSK(m.prf, secret, octets, without.Data) {
			w := m.ppkWhere(wire.ExchangeIKEAuth)
			w.PeerID = f.PeerID
			return diag.WrongPPK(w, ppkName(m.ppk.id))
		}
	}
	m.namePPK(f)
	return f
}

// namePPK adds the PPK to a failure of the pre-shared key: AUTH depends on both, and does not tell which of them is wrong.
func (m *Machine) namePPK(f *diag.Failure) {
	if f.Code != diag.CodeAuthPSK || !m.ppk.agreed || m.ppk.id == "" {
		return
	}
	f.Ours += " with PPK " + ppkName(m.ppk.id)
	f.Fix = fmt.Sprintf("one of two keys differs, and AUTH does not tell which: compare the key in [secrets.ike.NAME] for these "+
		"identities, and the one in [secrets.ppk.NAME] for the id %s, with the peer's (`sha256sum` of the files; a trailing newline); "+
		"see also that the peer's connection is to use that PPK.", ppkName(m.ppk.id))
}

// ppkFailure is the failure that the sides do not agree on a PPK.
func (m *Machine) ppkFailure(x wire.ExchangeType, id, ours, theirs string) *diag.Failure {
	if id != "" {
		id = ppkName(id)
	}
	return diag.PPKMismatch(m.ppkWhere(x), id, ours, theirs)
}

func (m *Machine) ppkWhere(x wire.ExchangeType) diag.Where {
	w := diag.Where{
		Connection: m.cfg.Name, Exchange: x.String(), Local: m.path.Local, Remote: m.path.Remote, ConfigLine: m.cfg.PPKLine,
	}
	if !m.remoteID.Any() {
		w.PeerID = m.remoteID.String()
	}
	return w
}

// ownPPK is our side of a failure.
func (m *Machine) ownPPK() string {
	s := "any PPK in [secrets.ppk] that no other connection names"
	if m.cfg.PPKID != "" {
		s = "PPK " + ppkName(m.cfg.PPKID)
	}
	if m.cfg.PPKRequired {
		s += " (ppk_required)"
	}
	return s
}

// ppkName is an identity for an operator. A peer's can be anything, of any length.
func ppkName(id string) string {
	const most = 64
	if len(id) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(id[cut]) {
			cut--
		}
		return strconv.Quote(id[:cut]) + "…"
	}
	return strconv.Quote(id)
}
