package auth

import (
	"errors"
	"slices"

	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// A post-quantum preshared key (RFC 8784) goes with the message that has the initiator's AUTH, whatever its method:
//
//	IKE_AUTH     AUTH, N(PPK_IDENTITY), [N(NO_PPK_AUTH)]      -->
//	                                                          <--  AUTH, [N(PPK_IDENTITY)]
//
// The key changes SK_d, SK_pi and SK_pr, so that the AUTH payloads prove it, and all CHILD SAs and later IKE SAs depend on
// it. It is one around the proof of the initiator: [ProvePPK] on the initiator, [CheckPPK] on the responder.

// PPK is the key that an initiator uses, once both sides have said USE_PPK in IKE_SA_INIT.
type PPK struct {
	redacted
	ID     string
	Secret []byte
	// Required: nothing is proved without it.
	Required bool
}

// ProvePPK is a proof of the initiator with a PPK.
func ProvePPK(inner Authenticator, key PPK) Authenticator {
	return &provePPK{Authenticator: inner, key: key}
}

type provePPK struct {
	Authenticator
	key PPK
	// mixed are the keys that come into force if the responder uses the PPK; set when PPK_IDENTITY is sent.
	mixed *suite.Keys
}

// Build makes AUTH with the PPK. An initiator that can do without also sends the AUTH data that it would have then, in
// NO_PPK_AUTH: https://www.rfc-editor.org/rfc/rfc8784#section-3
func (p *provePPK) Build(t *Transcript) (Step, error) {
	plain := t.Keys
	mixed, err := suite.MixPPK(t.PRF, p.key.Secret, plain)
	if err != nil {
		return Step{}, err
	}
	t.Keys = mixed
	s, err := p.Authenticator.Build(t)
	t.Keys = plain
	if err != nil || findAuth(s.Payloads) == nil {
		return s, err // it waits, or there is more to come before AUTH
	}
	out := append(slices.Clone(s.Payloads), wire.NewPPKIdentity(wire.PPKIDFixed, []byte(p.key.ID)))
	if !p.key.Required {
		if s, err = p.Authenticator.Build(t); err != nil || s.Status == Wait {
			return s, err
		}
		a := findAuth(s.Payloads)
		if a == nil {
			return Step{}, errors.New("auth: AUTH with the PPK and none without")
		}
		out = append(out, &wire.Notify{NotifyType: wire.NotifyNoPPKAuth, Data: a.Data})
	}
	p.mixed = &mixed
	return Step{Status: s.Status, Payloads: out}, nil
}

// Process takes the responder's answer, whose PPK_IDENTITY says that the PPK is in use; what is in it does not matter. Without
// it a mandatory PPK fails the IKE SA: https://www.rfc-editor.org/rfc/rfc8784#section-3
func (p *provePPK) Process(t *Transcript, in []wire.Payload) (Step, error) {
	if p.mixed != nil {
		switch {
		case findNotify(in, wire.NotifyPPKIdentity) != nil:
			t.Keys, t.PPK, t.PPKUsed = *p.mixed, p.key.ID, true
		case p.key.Required:
			return Step{}, &PPKError{Reason: PPKNotConfirmed}
		}
		p.mixed = nil
	}
	return p.Authenticator.Process(t, in)
}

// Close ends what the proof keeps.
func (p *provePPK) Close() {
	if c, ok := p.Authenticator.(closer); ok {
		c.Close()
	}
}

// PPKPolicy is what a responder does about PPKs.
type PPKPolicy struct {
	// Announced: the initiator has said USE_PPK in IKE_SA_INIT. Agreed: this side has as well.
	Announced, Agreed bool
	// Required: no peer is let in without a PPK.
	Required bool
	// Find gives the PPK of an identity if it is one for this peer.
	Find func(id string) (secret []byte, ok bool)
}

// CheckPPK is the check of the initiator's proof with a policy about PPKs. It needs no agreement to be in place: that there is
// none is judged here.
func CheckPPK(inner Authenticator, policy PPKPolicy) Authenticator {
	return &checkPPK{Authenticator: inner, policy: policy}
}

type checkPPK struct {
	Authenticator
	policy PPKPolicy
	// confirm: the next message has to say that the PPK is in use.
	confirm bool
}

// Process decides about the PPK of an initiator, by the table of RFC 8784 section 3:
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
func (p *checkPPK) Process(t *Transcript, in []wire.Payload) (Step, error) {
	a := findAuth(in)
	if a == nil {
		return p.Authenticator.Process(t, in) // "in the request message containing the AUTH payload"
	}
	switch {
	case p.policy.Agreed:
	case p.policy.Required && p.policy.Announced:
		return Step{}, &PPKError{Reason: PPKNoneHere}
	case p.policy.Required:
		return Step{}, &PPKError{Reason: PPKNotAnnounced}
	default:
		return p.Authenticator.Process(t, in)
	}
	n, without := findNotify(in, wire.NotifyPPKIdentity), findNotify(in, wire.NotifyNoPPKAuth)
	if n == nil {
		// The responder has to fail then, even if it could do without: section 3.
		return Step{}, &PPKError{Reason: PPKNotNamed}
	}
	kind, octets, err := n.PPKIdentity()
	id := string(octets)
	if err == nil && kind == wire.PPKIDFixed {
		if secret, ok := p.policy.Find(id); ok {
			return p.use(t, in, id, secret, without)
		}
	}
	if p.policy.Required || without == nil {
		if err != nil {
			return Step{}, &PPKError{Reason: PPKMalformed}
		}
		return Step{}, &PPKError{Reason: PPKUnknown, Kind: kind, ID: id}
	}
	return p.Authenticator.Process(t, replaceAuth(in, a, without.Data))
}

// use judges AUTH with the PPK mixed in. If that fails and NO_PPK_AUTH is right, the PPKs are different.
func (p *checkPPK) use(t *Transcript, in []wire.Payload, id string, secret []byte, without *wire.Notify) (Step, error) {
	plain := t.Keys
	mixed, err := suite.MixPPK(t.PRF, secret, plain)
	if err != nil {
		return Step{}, err
	}
	t.Keys = mixed
	s, err := p.Authenticator.Process(t, in)
	switch {
	case err == nil && s.Status == Wait:
		t.Keys = plain
		return s, nil
	case err == nil:
		t.PPK, t.PPKUsed, p.confirm = id, true, true
		return s, nil
	case without != nil && errors.Is(err, ErrMismatch):
		t.Keys = plain
		switch s, again := p.Authenticator.Process(t, replaceAuth(in, findAuth(in), without.Data)); {
		case again == nil && s.Status == Wait:
			return s, nil
		case again == nil && s.Status == Done:
			err = &PPKError{Reason: PPKDiffers, ID: id}
		}
	}
	t.Keys, t.PPK, t.PPKUsed = mixed, id, true
	return Step{}, err
}

// Build adds PPK_IDENTITY, without data, if the PPK is in use. https://www.rfc-editor.org/rfc/rfc8784#section-3
func (p *checkPPK) Build(t *Transcript) (Step, error) {
	s, err := p.Authenticator.Build(t)
	if err != nil || s.Status == Wait || !p.confirm {
		return s, err
	}
	p.confirm = false
	s.Payloads = append(slices.Clone(s.Payloads), &wire.Notify{NotifyType: wire.NotifyPPKIdentity})
	return s, nil
}

// Close ends what the proof keeps.
func (p *checkPPK) Close() {
	if c, ok := p.Authenticator.(closer); ok {
		c.Close()
	}
}

// Verdict is that of the proof.
func (p *checkPPK) Verdict() error { return verdict(p.Authenticator) }

// Claimed is that of the proof.
func (p *checkPPK) Claimed() string { return claimed(p.Authenticator) }

// replaceAuth is a message with other AUTH data: the method "MUST be the same as the method indicated in the AUTH payload".
// https://www.rfc-editor.org/rfc/rfc8784#section-3
func replaceAuth(in []wire.Payload, a *wire.Auth, data []byte) []wire.Payload {
	out := slices.Clone(in)
	for i, p := range out {
		if p == wire.Payload(a) {
			out[i] = &wire.Auth{Method: a.Method, Data: data}
		}
	}
	return out
}
