package sa

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
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
	used              bool
}

// settle keeps what is to be known of an established SA.
func (p *ppk) settle(id string, used bool) {
	p.secret, p.used = nil, used
	if used {
		p.id = id
	}
}

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

// hasPPK reports whether a connection could use a PPK with a peer that chooses one.
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
		return diag.NoPPK(m.where(wire.ExchangeIKESAInit).At(m.cfg.PPKLine), m.ownPPK())
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
		return m.ppkFailure(m.where(wire.ExchangeIKESAInit).At(m.cfg.PPKLine), m.ppk.id, "no PPK: its IKE_SA_INIT has no USE_PPK")
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

// ppkPolicy is what a responder does about PPKs in IKE_AUTH, with the connection that was found by then.
func (m *Machine) ppkPolicy() auth.PPKPolicy {
	return auth.PPKPolicy{
		Announced: m.ppk.announced, Agreed: m.ppk.agreed, Required: m.cfg.PPKRequired,
		Find: func(id string) ([]byte, bool) {
			if !m.env.mayUsePPK(m.cfg, id) {
				return nil, false
			}
			return m.env.ppk(id)
		},
	}
}

// ppkDisagreed is what IKE_AUTH has failed with because of a PPK.
func (m *Machine) ppkDisagreed(e *auth.PPKError) *diag.Failure {
	w := m.where(wire.ExchangeIKEAuth).At(m.cfg.PPKLine)
	if e.Reason == auth.PPKNotConfirmed {
		return m.ppkFailure(w, m.ppk.id, "no PPK: its IKE_AUTH has no PPK_IDENTITY")
	}
	w = w.Answering(wire.NotifyAuthenticationFailed).Showing(m.flow.peer.String()) // what it claims to be
	switch e.Reason {
	case auth.PPKNotAnnounced:
		return m.ppkFailure(w, m.cfg.PPKID, "no PPK: its IKE_SA_INIT has no USE_PPK")
	case auth.PPKNoneHere:
		return m.ppkFailure(w, m.cfg.PPKID, "a PPK that is not known here")
	case auth.PPKNotNamed:
		return m.ppkFailure(w, m.cfg.PPKID, "no PPK in the end: its IKE_SA_INIT has USE_PPK, its IKE_AUTH no PPK_IDENTITY")
	case auth.PPKMalformed:
		return m.ppkFailure(w, "", "a PPK_IDENTITY without an id")
	case auth.PPKDiffers:
		return diag.WrongPPK(w, ppkName(e.ID))
	case auth.PPKUnknown, auth.PPKNotConfirmed:
	}
	theirs := e.Kind.String()
	if e.Kind == wire.PPKIDFixed {
		theirs = "PPK " + ppkName(e.ID)
	}
	return m.ppkFailure(w, e.ID, theirs)
}

// ppkFailure is the failure that the sides do not agree on a PPK. id is that of the PPK, theirs completes "the peer uses …".
func (m *Machine) ppkFailure(w diag.Where, id, theirs string) *diag.Failure {
	if id != "" {
		id = ppkName(id)
	}
	return diag.PPKMismatch(w, id, m.ownPPK(), theirs)
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
