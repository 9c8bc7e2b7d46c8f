package eap

import (
	"time"

	"esplanade/ike/aaa"
)

// Generic Token Card (RFC 3748 section 5.6): a question and an answer in the clear, here a password. "The EAP GTC method … MUST NOT be used to
// provide support for cleartext passwords in the absence of a protected tunnel with server authentication", which is what
// [ClientConfig.Protected] and [ServerConfig.Protected] say there is.

// gtcPrompt is what the user of a client is asked.
const gtcPrompt = "Password: "

type gtcServer struct {
	quick
	talk *Server
}

func (m *gtcServer) start(time.Time, uint8) methodStep { return methodStep{out: []byte(gtcPrompt)} }

func (m *gtcServer) step(now time.Time, _, _ uint8, data []byte) methodStep {
	if len(data) > MaxPassword {
		return methodStep{fail: protocolError("a password of %d bytes; at most %d are taken", len(data), MaxPassword)}
	}
	c := m.talk.claim(now, m.talk.identity)
	return c.verdict(true, c.secret.Is(data))
}

type gtcClient struct {
	redacted
	quick
	cfg  *ClientConfig
	done bool
}

func (m *gtcClient) step(_ time.Time, _ uint8, data []byte) methodStep {
	// "The Request contains a displayable message greater than zero octets in length." There are servers that have none to show.
	if m.done {
		// What a second question asks for is not known: another password, or the number that a token shows.
		return methodStep{fail: &Failure{Reason: ReasonProtocol, Detail: "the server asks again", Message: printable(data)}}
	}
	password, ok := m.cfg.Secret.Plain()
	if !ok {
		return methodStep{fail: noPlain(m.cfg.Secret)}
	}
	m.done = true
	return methodStep{out: []byte(password)}
}

func (m *gtcClient) success() (*Result, *Failure) {
	if !m.done {
		return nil, &Failure{Reason: ReasonEarlySuccess}
	}
	return &Result{User: aaa.User{Name: m.cfg.Identity}}, nil
}

func (m *gtcClient) failure() *Failure { return shown(m.done) }
