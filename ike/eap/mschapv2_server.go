package eap

import (
	"crypto/subtle"
	"fmt"
	"strings"
	"time"
)

// mschapServerName is the Name of a challenge, which nobody looks at.
const mschapServerName = "gateway"

type mschapServer struct {
	redacted
	quick
	talk  *Server
	state mschapState
	x     exchange
	id    uint8 // MS-CHAPv2-ID
	// result is that of a right response, for when the client has taken note of the Success.
	result *Result
}

type mschapState uint8

const (
	mschapChallenged mschapState = iota // the challenge is out; of a client: it has not come yet
	mschapResponded                     // a client has answered the challenge
	mschapProved                        // the client is right: a Success is out; of a client: the server is as well
)

func (m *mschapServer) start(_ time.Time, id uint8) methodStep {
	m.id = id
	m.x.server = [mschapChallengeLen]byte(m.talk.cfg.random(mschapChallengeLen))
	return methodStep{out: mschapPacket(mschapChallenge, id, []byte{mschapChallengeLen}, m.x.server[:], []byte(mschapServerName))}
}

func (m *mschapServer) step(now time.Time, _, _ uint8, data []byte) methodStep {
	switch {
	case m.state == mschapChallenged && len(data) > 0 && data[0] == mschapResponse:
		return m.responded(now, data)
	case m.state == mschapProved && len(data) > 0 && data[0] == mschapSuccess:
		// "MSCHAPv2 Success Code value only"; whatever comes behind it says nothing. [MS-CHAP] 2.2
		return methodStep{result: m.result}
	case m.state == mschapProved && len(data) > 0 && data[0] == mschapFailure:
		return methodStep{fail: protocolError("the client does not believe that this side knows the password")}
	case m.state == mschapProved:
		return methodStep{fail: protocolError("%s in answer to a Success", mschapName(data))}
	}
	// A Success that nothing was proved for is the way in that others have left open.
	return methodStep{fail: protocolError("%s in answer to a Challenge", mschapName(data))}
}

// responded judges a Response.
func (m *mschapServer) responded(now time.Time, data []byte) methodStep {
	_, _, body, f := mschapBody(data)
	if f != nil {
		return methodStep{fail: f}
	}
	value, octets, f := mschapValue(body, mschapResponseValue)
	if f != nil {
		return methodStep{fail: f}
	}
	if detail := BadName(octets); detail != "" {
		return methodStep{fail: &Failure{Reason: ReasonIdentity, Detail: detail}}
	}
	names, f := m.names(string(octets))
	if f != nil {
		return methodStep{fail: f}
	}
	// Eight reserved octets and Flags "MUST be zero"; nothing depends on them. https://www.rfc-editor.org/rfc/rfc2759#section-4
	m.x.client = [mschapChallengeLen]byte(value)
	m.x.response = [ntResponseLen]byte(value[mschapChallengeLen+8:])
	m.x.name = account(string(octets))

	c := m.talk.claim(now, names...)
	nt, _ := c.secret.NT()
	want := m.x.ntResponse(nt)
	v := c.verdict(true, subtle.ConstantTimeCompare(want[:], m.x.response[:]) == 1)
	if v.fail != nil {
		return methodStep{out: m.refusal(v.fail), fail: v.fail}
	}
	m.state, m.result = mschapProved, v.result
	m.result.MSK, m.result.Mutual = m.x.msk(nt), true
	return methodStep{out: mschapPacket(mschapSuccess, m.id, []byte(m.x.authenticator(nt)+" M=Welcome"))}
}

// names are those under which a user is looked for, the best first. Whose response it is the packet says, which has the name in its hash. A name
// that was given before has to be the same: a connection is chosen by that. Either may have a Windows domain in front that the other leaves out.
func (m *mschapServer) names(name string) ([]string, *Failure) {
	identity := m.talk.identity
	if !m.talk.bound || name == identity {
		return []string{name, account(name)}, nil
	}
	switch {
	case account(name) == name && account(identity) == name:
		return []string{identity, name}, nil
	case account(identity) == identity && account(name) == identity:
		return []string{name, identity}, nil
	}
	return nil, &Failure{Reason: ReasonIdentity, Detail: fmt.Sprintf("MSCHAPv2 is for %q", name)}
}

// refusal is the Failure that goes to the client. It learns that its password has expired only if it knows that password, and otherwise nothing:
// "E=691", and no other try.
func (m *mschapServer) refusal(f *Failure) []byte {
	e := mschapError{code: errAuthentication, text: "Authentication failed"}
	if f.Reason == ReasonPasswordExpired {
		e = mschapError{code: errPasswordExpired, text: "The password has expired. Change it and try again"}
	}
	return mschapPacket(mschapFailure, m.id, []byte(e.message(m.talk.cfg.random(mschapChallengeLen))))
}

// mschapAuthenticator is the authenticator response in the message of a Success.
func mschapAuthenticator(message []byte) (string, *Failure) {
	if len(message) > maxMSCHAPMessage {
		return "", protocolError("a Success with a message of %d bytes", len(message))
	}
	s, _, _ := strings.Cut(string(message), " ")
	if len(s) != authenticatorLen || !strings.HasPrefix(s, "S=") {
		return "", &Failure{Reason: ReasonServer, Detail: "its Success has no authenticator response"}
	}
	return s, nil
}
