package auth

import (
	"crypto/hmac"

	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// keyPad is the "17 ASCII characters without null termination" that turn a shared secret into a MAC key, so that a
// gateway need not store the secret itself. https://www.rfc-editor.org/rfc/rfc7296#section-2.15
const keyPad = "Key Pad for IKEv2"

// PSK is the AUTH value of a shared key: prf(prf(secret, "Key Pad for IKEv2"), octets).
func PSK(prf suite.PRF, secret, octets []byte) []byte {
	return prf.Sum(prf.Sum(secret, []byte(keyPad)), octets)
}

// Secret finds the credential of a proof. It is asked when the value is made or checked: a key that was taken away by then
// proves nothing any more.
type Secret func() (Credential, bool)

// value makes an AUTH value of the method for a shared key. own is the sender: this side, or the peer.
type value func(t *Transcript, c Credential, own bool) []byte

func pskValue(t *Transcript, c Credential, own bool) []byte {
	if own {
		return PSK(t.PRF, c.Secret, t.OwnOctets())
	}
	return PSK(t.PRF, c.Secret, t.PeerOctets())
}

// ProvePSK proves this side with a pre-shared key, RFC 7296 section 2.15.
func ProvePSK(s Secret) Authenticator { return &prover{secret: s, value: pskValue} }

// CheckPSK has the peer prove itself with a pre-shared key.
func CheckPSK(s Secret) Authenticator { return &checker{secret: s, value: pskValue} }

// prover sends one AUTH payload of the method for a shared key.
type prover struct {
	secret Secret
	value  value
	status Status
	// first: it goes with the first message, whoever the peer is.
	first bool
}

// Build makes AUTH. A responder shows nothing made with a key to a peer that has not shown that it has the key: otherwise
// anybody could ask for a value to try passwords on. Of a peer that makes several proofs it takes the first one:
// "the responder has to reveal its identity before all of the initiator authentication exchanges have been completed".
// https://www.rfc-editor.org/rfc/rfc4739#section-5
func (p *prover) Build(t *Transcript) (Step, error) {
	if !p.first && !t.Initiator && !t.PeerProved && t.PeerRounds == 0 {
		return Step{Status: NeedMore}, nil
	}
	c, ok := p.secret()
	if !ok {
		return Step{}, ErrNoSecret
	}
	p.status = Done
	return Step{Status: Done, Payloads: []wire.Payload{&wire.Auth{Method: wire.AuthSharedKey, Data: p.value(t, c, true)}}}, nil
}

func (p *prover) Process(*Transcript, []wire.Payload) (Step, error) {
	return Step{Status: p.status}, nil
}

func (p *prover) Held() int { return 0 }

// checker expects one AUTH payload of the method for a shared key.
type checker struct {
	secret Secret
	value  value
	status Status
}

func (c *checker) Build(*Transcript) (Step, error) { return Step{Status: c.status}, nil }

func (c *checker) Held() int { return 0 }

// Process judges AUTH. A responder may keep an initiator waiting for it that has not proved itself.
func (c *checker) Process(t *Transcript, in []wire.Payload) (Step, error) {
	a := findAuth(in)
	switch {
	case a == nil && t.Initiator && !t.OwnProved:
		return Step{Status: NeedMore}, nil
	case a == nil:
		return Step{}, &MethodError{Want: wire.AuthSharedKey, Missing: true}
	case a.Method != wire.AuthSharedKey:
		return Step{}, &MethodError{Want: wire.AuthSharedKey, Got: a.Method}
	}
	cred, ok := c.secret()
	if !ok {
		return Step{}, ErrNoSecret
	}
	if !hmac.Equal(c.value(t, cred, false), a.Data) {
		if t.Full && hmac.Equal(c.value(t.Alone(), cred, false), a.Data) {
			return Step{}, ErrStripped
		}
		return Step{}, ErrMismatch
	}
	c.status = Done
	return Step{Status: Done}, nil
}
