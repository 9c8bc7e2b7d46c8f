package eap

import (
	"crypto/subtle"
	"time"

	"esplanade/ike/aaa"
)

type mschapClient struct {
	redacted
	quick
	cfg   *ClientConfig
	state mschapState
	x     exchange
	nt    [16]byte
}

func (m *mschapClient) step(_ time.Time, _ uint8, data []byte) methodStep {
	code, id, body, f := mschapBody(data)
	switch {
	case f != nil:
		return methodStep{fail: f}
	case code == mschapChallenge && m.state == mschapChallenged:
		return m.challenged(id, body)
	case code == mschapSuccess && m.state == mschapResponded:
		return m.succeeded(body)
	case code == mschapFailure && m.state == mschapResponded:
		// The client acknowledges, and that is the end. There is no other password to try where R=1 allows it.
		return methodStep{out: []byte{mschapFailure}, fail: parseMSCHAPError(body).failure()}
	}
	return methodStep{fail: protocolError("%s %s", mschapName(data), [...]string{"before a Challenge", "after a Response", "after a Success"}[m.state])}
}

// challenged answers a challenge.
func (m *mschapClient) challenged(id uint8, body []byte) methodStep {
	challenge, _, f := mschapValue(body, mschapChallengeLen)
	if f != nil {
		return methodStep{fail: f}
	}
	nt, ok := m.cfg.Secret.NT()
	if !ok {
		return methodStep{fail: noPlain(m.cfg.Secret)}
	}
	m.state, m.nt = mschapResponded, nt
	m.x = exchange{
		server: [mschapChallengeLen]byte(challenge),
		client: [mschapChallengeLen]byte(m.cfg.random(mschapChallengeLen)),
		name:   account(m.cfg.Identity),
	}
	m.x.response = m.x.ntResponse(nt)
	var reserved [8]byte
	return methodStep{out: mschapPacket(mschapResponse, id, []byte{mschapResponseValue},
		m.x.client[:], reserved[:], m.x.response[:], []byte{0}, []byte(m.cfg.Identity))}
}

// succeeded has the server prove that it knows the password: "If the authenticator response is either missing or incorrect, the peer MUST end
// the session." https://www.rfc-editor.org/rfc/rfc2759#section-5
func (m *mschapClient) succeeded(message []byte) methodStep {
	got, f := mschapAuthenticator(message)
	if f != nil {
		return methodStep{fail: f}
	}
	if subtle.ConstantTimeCompare([]byte(got), []byte(m.x.authenticator(m.nt))) != 1 {
		return methodStep{fail: &Failure{Reason: ReasonServer}}
	}
	m.state = mschapProved
	return methodStep{out: []byte{mschapSuccess}}
}

func (m *mschapClient) success() (*Result, *Failure) {
	if m.state != mschapProved {
		return nil, &Failure{Reason: ReasonEarlySuccess}
	}
	return &Result{User: aaa.User{Name: m.cfg.Identity}, MSK: m.x.msk(m.nt), Mutual: true}, nil
}

func (m *mschapClient) failure() *Failure {
	switch m.state {
	case mschapResponded:
		return &Failure{Reason: ReasonRefused, Detail: "it has not said why it does not take the response"}
	case mschapProved:
		return &Failure{Reason: ReasonRefused, Detail: "the password is right, and the user is not let in"}
	case mschapChallenged:
	}
	return nil
}
