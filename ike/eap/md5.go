package eap

import (
	"crypto/md5"
	"crypto/subtle"
	"time"

	"esplanade/ike/aaa"
)

// MD5-Challenge (RFC 3748 section 5.4), which is CHAP of RFC 1994: the hash of the identifier, the password and a challenge. It proves the
// client only and makes no key.

const (
	md5ValueLen     = md5.Size
	md5ChallengeLen = 16
)

// md5Response is the Value of a response: "a one-way hash calculated over a stream of octets consisting of the Identifier, followed by
// (concatenated with) the "secret", followed by (concatenated with) the Challenge Value" (RFC 1994).
func md5Response(id uint8, password string, challenge []byte) []byte {
	h := md5.New()
	h.Write([]byte{id})
	h.Write([]byte(password))
	h.Write(challenge)
	return h.Sum(nil)
}

// md5Fields takes Value-Size, Value and Name apart.
func md5Fields(data []byte) (value, name []byte, f *Failure) {
	if len(data) == 0 {
		return nil, nil, protocolError("no Value-Size")
	}
	n := int(data[0])
	if n == 0 || n > len(data)-1 {
		return nil, nil, protocolError("Value-Size %d in %d bytes", n, len(data))
	}
	return data[1 : 1+n], data[1+n:], nil
}

type md5Server struct {
	quick
	talk      *Server
	challenge []byte
}

func (m *md5Server) start(time.Time, uint8) methodStep {
	m.challenge = m.talk.cfg.random(md5ChallengeLen)
	return methodStep{out: append([]byte{md5ChallengeLen}, m.challenge...)}
}

func (m *md5Server) step(now time.Time, id, _ uint8, data []byte) methodStep {
	value, name, f := md5Fields(data)
	if f == nil && len(value) != md5ValueLen {
		f = protocolError("a Value of %d bytes; it takes %d", len(value), md5ValueLen)
	}
	if f != nil {
		return methodStep{fail: f}
	}
	// Whose password it is the identity says. Without one, "the identity is obtained in another fashion (via … the Name field of the MD5-Challenge
	// Response, etc.)". https://www.rfc-editor.org/rfc/rfc3748#section-2
	user := m.talk.identity
	if user == "" {
		if detail := BadName(name); detail != "" {
			return methodStep{fail: &Failure{Reason: ReasonIdentity, Detail: detail}}
		}
		user = string(name)
	}
	c := m.talk.claim(now, user)
	plain, isPlain := c.secret.Plain()
	right := subtle.ConstantTimeCompare(md5Response(id, plain, m.challenge), value) == 1
	return c.verdict(isPlain, right)
}

type md5Client struct {
	redacted
	quick
	cfg  *ClientConfig
	done bool
}

func (m *md5Client) step(_ time.Time, id uint8, data []byte) methodStep {
	if m.done {
		return methodStep{fail: protocolError("a second challenge")}
	}
	challenge, _, f := md5Fields(data)
	if f != nil {
		return methodStep{fail: f}
	}
	password, ok := m.cfg.Secret.Plain()
	if !ok {
		return methodStep{fail: noPlain(m.cfg.Secret)}
	}
	m.done = true
	out := append([]byte{md5ValueLen}, md5Response(id, password, challenge)...)
	return methodStep{out: append(out, m.cfg.Identity...)}
}

func (m *md5Client) success() (*Result, *Failure) {
	if !m.done {
		return nil, &Failure{Reason: ReasonEarlySuccess}
	}
	return &Result{User: aaa.User{Name: m.cfg.Identity}}, nil
}

func (m *md5Client) failure() *Failure { return shown(m.done) }

// shown is why a server refuses a client whose method is one answer.
func shown(done bool) *Failure {
	if done {
		return &Failure{Reason: ReasonPassword}
	}
	return nil
}
