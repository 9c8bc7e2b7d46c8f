package eap

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"slices"
	"time"
)

// EAP-TTLS, version 0 (RFC 5281; RFC 9427 for TLS 1.3): a tunnel to a server with a certificate, and in it AVPs with a password, a response of
// MSCHAPv2, or EAP.

// ttlsVersion is the version of TTLS.
const ttlsVersion = 0

// ttlsPAP and ttlsMSCHAPv2 are what is said in the tunnel without EAP, for people.
const (
	ttlsPAP      = "pap"
	ttlsMSCHAPv2 = "mschapv2"
)

type ttlsServer struct {
	talk *Server
	*session
	// inner is the conversation within the tunnel, if the client chooses EAP; begun reports that it has.
	inner *Server
	begun bool
	// result is that of MSCHAPv2 while the client has to believe it.
	result *Result
}

func newTTLSServer(s *Server) *ttlsServer {
	return &ttlsServer{talk: s, session: newServerSession(TypeTTLS, s.cfg.TLS, false, ""), inner: NewServer(s.cfg.inner())}
}

// inner is what holds within a tunnel, whose server has proved itself.
func (c *ServerConfig) inner() *ServerConfig {
	return &ServerConfig{Methods: innerMethods(c.Inner), AskIdentity: true, Protected: true, Users: c.Users, Guard: c.Guard, TLS: c.TLS, Random: c.Random}
}

// innerMethods are those within a tunnel: all with a password if nothing else is said, and no tunnel in a tunnel.
func innerMethods(methods []Type) []Type {
	if len(methods) == 0 {
		return []Type{TypeMSCHAPv2, TypeGTC, TypeMD5}
	}
	return slices.DeleteFunc(slices.Clone(methods), func(t Type) bool { return t == TypeTTLS || t == TypePEAP })
}

func (m *ttlsServer) start(time.Time, uint8) methodStep {
	if m.bad != nil {
		return methodStep{fail: m.bad}
	}
	return methodStep{out: m.link.StartPacket()}
}

func (m *ttlsServer) step(now time.Time, _, _ uint8, data []byte) methodStep {
	if f := wantVersion(data, ttlsVersion); f != nil {
		return methodStep{fail: f}
	}
	before := m.established()
	a, fail := m.receive(now, data)
	switch {
	case fail != nil:
		return methodStep{out: a.reply, fail: fail}
	case a.reply != nil:
		return methodStep{out: a.reply}
	case m.result != nil && a.empty:
		// "Upon receipt of the empty EAP-TTLS packet from the client, the TTLS server considers the MS-CHAP-V2 authentication to have
		// succeeded." https://www.rfc-editor.org/rfc/rfc5281#section-11.2.4
		return methodStep{result: m.result}
	case m.result != nil:
		return methodStep{fail: a.unexpected("in answer to MS-CHAP2-Success")}
	case len(a.plain) > 0 && !a.out:
		return m.said(now, a.plain)
	case a.empty || a.start || len(a.plain) > 0 || before && !a.out:
		return methodStep{fail: a.unexpected("where a TLS message was due")}
	}
	// TLS goes on, or the client's turn has come to speak in the tunnel: of TLS 1.3 it gets an empty packet to answer.
	return methodStep{out: m.next()}
}

// said takes what the client says in the tunnel.
func (m *ttlsServer) said(now time.Time, plain []byte) methodStep {
	all, fail := knownAVPs(plain)
	if fail != nil {
		return methodStep{fail: fail}
	}
	if message, ok := all.get(0, avpEAPMessage); ok {
		return m.eap(now, message)
	}
	name, ok := all.get(0, avpUserName)
	if !ok || m.begun {
		return methodStep{fail: protocolError("no EAP-Message and no User-Name in the tunnel")}
	}
	if detail := BadName(name); detail != "" {
		return methodStep{fail: &Failure{Reason: ReasonIdentity, Detail: detail}}
	}
	if password, ok := all.get(0, avpUserPassword); ok {
		return m.pap(now, string(name), password)
	}
	if response, ok := all.get(vendorMicrosoft, avpMSCHAP2Response); ok {
		challenge, _ := all.get(vendorMicrosoft, avpMSCHAPChallenge)
		return m.mschapv2(now, string(name), challenge, response)
	}
	return methodStep{fail: protocolError("nothing in the tunnel that authenticates: no EAP, PAP or MSCHAPv2")}
}

// allows reports whether a method may be used within the tunnel.
func (m *ttlsServer) allows(t Type) bool { return slices.Contains(m.inner.cfg.methods(), t) }

// refusedInner is the failure of a client that says something in the tunnel that is not allowed.
func (m *ttlsServer) refusedInner(name, what string) methodStep {
	return methodStep{fail: &Failure{User: name, Reason: ReasonNak, Detail: "within the tunnel, where the client wants " + what,
		Offered: m.inner.cfg.methods()}}
}

// pap judges a password, which GTC would show as well.
func (m *ttlsServer) pap(now time.Time, name string, password []byte) methodStep {
	if !m.allows(TypeGTC) {
		return m.refusedInner(name, ttlsPAP)
	}
	if len(password) > MaxPassword+16 {
		return methodStep{fail: protocolError("a password of %d bytes; at most %d are taken", len(password), MaxPassword)}
	}
	// "The client SHOULD, however, null-pad the password to a multiple of 16 octets, to obfuscate its length."
	// https://www.rfc-editor.org/rfc/rfc5281#section-11.2.5
	c := m.talk.claim(now, name)
	v := c.verdict(true, c.secret.Is(bytes.TrimRight(password, "\x00")))
	return m.end(v, ttlsPAP, 0)
}

// mschapv2 judges a response to the challenge that both sides take from TLS.
func (m *ttlsServer) mschapv2(now time.Time, name string, challenge, response []byte) methodStep {
	if !m.allows(TypeMSCHAPv2) {
		return m.refusedInner(name, ttlsMSCHAPv2)
	}
	want, fail := m.implicitChallenge()
	if fail != nil {
		return methodStep{fail: fail}
	}
	if len(response) != mschap2ResponseLen {
		return methodStep{fail: protocolError("an MS-CHAP2-Response of %d bytes; it takes %d", len(response), mschap2ResponseLen)}
	}
	// "If either item does not match exactly, the TTLS server MUST reject the client." https://www.rfc-editor.org/rfc/rfc5281#section-11.2.4
	if subtle.ConstantTimeCompare(challenge, want.challenge[:]) != 1 || response[0] != want.ident {
		return methodStep{fail: protocolError("MSCHAPv2 with another challenge than the one of the tunnel")}
	}
	x := exchange{
		server:   want.challenge,
		client:   [mschapChallengeLen]byte(response[2:]),
		name:     account(name),
		response: [ntResponseLen]byte(response[2+mschapChallengeLen+8:]),
	}
	c := m.talk.claim(now, name, account(name))
	nt, _ := c.secret.NT()
	right := x.ntResponse(nt)
	v := c.verdict(true, subtle.ConstantTimeCompare(right[:], x.response[:]) == 1)
	if v.fail != nil {
		return m.end(v, ttlsMSCHAPv2, 0)
	}
	m.result = m.end(v, ttlsMSCHAPv2, 0).result
	success := append([]byte{want.ident}, x.authenticator(nt)...)
	out, fail := m.send(appendAVP(nil, vendorMicrosoft, avpMSCHAP2Success, success))
	return methodStep{out: out, fail: fail}
}

// eap carries a packet of EAP.
func (m *ttlsServer) eap(now time.Time, message []byte) methodStep {
	if !m.begun {
		m.begun = true
		// The client begins with the answer to a request that it has not got. Some take a number of their own for that.
		// https://www.rfc-editor.org/rfc/rfc5281#section-11.2.1
		id := uint8(0)
		if len(message) > 1 {
			id = message[1]
		}
		m.inner.Adopt(id)
	}
	return m.inside(m.inner.Step(now, message))
}

// inside goes on with what the conversation in the tunnel has come to.
func (m *ttlsServer) inside(s Step) methodStep {
	if s.Done {
		return m.end(innerStep(s), "", s.innerMethod())
	}
	out, fail := m.send(appendAVP(nil, 0, avpEAPMessage, s.Out))
	if fail == nil && s.Err != nil {
		fail = innerFailure(s.Err)
	}
	return methodStep{out: out, fail: fail}
}

// end makes the end of what was said in the tunnel that of the method.
func (m *ttlsServer) end(v methodStep, plain string, inner Type) methodStep {
	if v.fail != nil {
		if plain != "" {
			v.fail.Detail = join("by "+plain+" within the tunnel", v.fail.Detail)
		}
		return v
	}
	if plain == "" {
		plain = inner.String()
	}
	r := *v.result
	r.Inner, r.MSK, r.Mutual = inner, m.msk(), true
	r.User.Method = fmt.Sprintf("%s (%s)", TypeTTLS, plain)
	return methodStep{result: &r}
}

func (m *ttlsServer) cost(data []byte) time.Duration {
	return m.session.cost(data) + innerCost(m.established(), m.inner.current())
}

func (m *ttlsServer) close() {
	m.session.close()
	m.inner.Close()
}
