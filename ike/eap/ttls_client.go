package eap

import (
	"crypto/subtle"
	"time"

	"esplanade/ike/aaa"
)

type ttlsClient struct {
	cfg *ClientConfig
	*session
	inner *Client // for EAP within the tunnel

	spoken bool
	x      exchange // of MSCHAPv2
	ident  byte
	nt     [16]byte
	// done reports that nothing is left to be said.
	done bool
}

func newTTLSClient(c *ClientConfig) *ttlsClient {
	return &ttlsClient{cfg: c, session: newClientSession(TypeTTLS, c.TLS), inner: NewClient(c.inner())}
}

func (m *ttlsClient) step(now time.Time, _ uint8, data []byte) methodStep {
	if m.started {
		if f := wantVersion(data, ttlsVersion); f != nil {
			return methodStep{fail: f}
		}
	}
	before := m.established()
	a, fail := m.receive(now, data)
	switch {
	case fail != nil:
		return methodStep{out: a.reply, fail: fail}
	case a.reply != nil:
		return methodStep{out: a.reply}
	}
	if out, begun := m.begin(now, a); begun {
		return out
	}
	switch {
	case m.conn.Ended():
		return methodStep{fail: protocolError("the server ends TLS before it has said that it is done")}
	case len(a.plain) > 0:
		return m.told(now, a.plain)
	case !m.established() || !before && a.out:
		// TLS goes on. With the Finished of TLS 1.3 the client could speak at once; but servers have been seen that lose what comes with it.
		if a.empty {
			return methodStep{fail: a.unexpected("in the middle of the handshake")}
		}
		return methodStep{out: m.next()}
	case m.spoken:
		return methodStep{fail: a.unexpected("where an answer within the tunnel was due")}
	}
	return m.speak()
}

// speak is what the client begins with in the tunnel.
func (m *ttlsClient) speak() methodStep {
	m.spoken = true
	var say []byte
	switch m.cfg.TLS.Plain {
	case PlainPAP:
		password, ok := m.cfg.Secret.Plain()
		if !ok {
			return methodStep{fail: noPlain(m.cfg.Secret)}
		}
		padded := append([]byte(password), make([]byte, -len(password)&15)...)
		say = appendAVP(nil, 0, avpUserName, []byte(m.cfg.Identity))
		say = appendAVP(say, 0, avpUserPassword, padded)
		m.done = true
	case PlainMSCHAPv2:
		response, fail := m.respond()
		if fail != nil {
			return methodStep{fail: fail}
		}
		say = appendAVP(nil, 0, avpUserName, []byte(m.cfg.Identity))
		say = appendAVP(say, vendorMicrosoft, avpMSCHAPChallenge, m.x.server[:])
		say = appendAVP(say, vendorMicrosoft, avpMSCHAP2Response, response)
	case PlainNone:
		say = appendAVP(nil, 0, avpEAPMessage, packet{code: codeResponse, typ: TypeIdentity, data: []byte(m.cfg.Identity)}.bytes())
	}
	out, fail := m.send(say)
	return methodStep{out: out, fail: fail}
}

// respond is an MS-CHAP2-Response to the challenge of the tunnel.
func (m *ttlsClient) respond() ([]byte, *Failure) {
	implicit, fail := m.implicitChallenge()
	if fail != nil {
		return nil, fail
	}
	nt, ok := m.cfg.Secret.NT()
	if !ok {
		return nil, noPlain(m.cfg.Secret)
	}
	m.nt, m.ident = nt, implicit.ident
	m.x = exchange{server: implicit.challenge, client: [mschapChallengeLen]byte(m.cfg.random(mschapChallengeLen)), name: account(m.cfg.Identity)}
	m.x.response = m.x.ntResponse(nt)
	// Ident, Flags, Peer-Challenge, eight reserved octets, Response.
	response := append([]byte{m.ident, 0}, m.x.client[:]...)
	response = append(response, make([]byte, 8)...)
	return append(response, m.x.response[:]...), nil
}

// told takes what the server says in the tunnel.
func (m *ttlsClient) told(now time.Time, plain []byte) methodStep {
	all, fail := knownAVPs(plain)
	if fail != nil {
		return methodStep{fail: fail}
	}
	if !m.spoken {
		return methodStep{fail: protocolError("the server speaks first in the tunnel")}
	}
	switch m.cfg.TLS.Plain {
	case PlainNone:
		if message, ok := all.get(0, avpEAPMessage); ok {
			s := m.inner.Step(now, message)
			if s.Out == nil {
				return innerStep(s)
			}
			out, fail := m.send(appendAVP(nil, 0, avpEAPMessage, s.Out))
			if fail == nil && s.Err != nil {
				fail = innerFailure(s.Err)
			}
			return methodStep{out: out, fail: fail}
		}
	case PlainMSCHAPv2:
		if success, ok := all.get(vendorMicrosoft, avpMSCHAP2Success); ok && !m.done {
			return m.succeeded(success)
		}
		if message, ok := all.get(vendorMicrosoft, avpMSCHAPError); ok && !m.done && len(message) > 0 {
			return methodStep{out: m.next(), fail: parseMSCHAPError(message[1:]).failure()}
		}
	case PlainPAP:
	}
	return methodStep{fail: protocolError("nothing in the tunnel that the client has asked for")}
}

// succeeded has the server prove that it knows the password.
func (m *ttlsClient) succeeded(success []byte) methodStep {
	if len(success) == 0 || success[0] != m.ident {
		return methodStep{fail: protocolError("an MS-CHAP2-Success with another identifier")}
	}
	got, fail := mschapAuthenticator(success[1:])
	if fail != nil {
		return methodStep{fail: fail}
	}
	if subtle.ConstantTimeCompare([]byte(got), []byte(m.x.authenticator(m.nt))) != 1 {
		return methodStep{fail: &Failure{Reason: ReasonServer}}
	}
	m.done = true
	return methodStep{out: m.next()}
}

func (m *ttlsClient) success() (*Result, *Failure) {
	early := &Failure{Reason: ReasonEarlySuccess}
	if !m.spoken {
		return nil, early
	}
	r, plain := m.clientResult(m.cfg), ttlsPAP
	switch m.cfg.TLS.Plain {
	case PlainNone:
		// The server does not say Success within the tunnel.
		s := m.inner.Step(time.Time{}, packet{code: codeSuccess, id: m.inner.id}.bytes())
		if s.Err != nil {
			return nil, innerFailure(s.Err)
		}
		r.Inner = s.innerMethod()
		plain = r.Inner.String()
	case PlainMSCHAPv2:
		plain = ttlsMSCHAPv2
		fallthrough
	case PlainPAP:
		if !m.done {
			return nil, early
		}
	}
	r.User = aaa.User{Name: m.cfg.Identity, Method: TypeTTLS.String() + " (" + plain + ")"}
	return r, nil
}

func (m *ttlsClient) failure() *Failure {
	switch {
	case !m.spoken:
		return nil
	case m.cfg.TLS.Plain != PlainNone:
		return &Failure{Reason: ReasonPassword}
	}
	s := m.inner.Step(time.Time{}, packet{code: codeFailure, id: m.inner.id}.bytes())
	return innerFailure(s.Err)
}

func (m *ttlsClient) cost(data []byte) time.Duration {
	return m.session.cost(data) + innerCost(m.established(), m.inner.current())
}

func (m *ttlsClient) close() {
	m.session.close()
	m.inner.Close()
}
