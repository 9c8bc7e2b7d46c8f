package eap

import (
	"fmt"
	"time"
)

// EAP-PEAP, version 0, as Windows has it ([MS-PEAP]; RFC 9427 for TLS 1.3): a tunnel to a server with a certificate, EAP in it, and at the end
// both sides tell each other within the tunnel what came of it.

type peapServer struct {
	talk *Server
	*session
	inner *Server
	begun bool
	// verdict is what the inner method has come to, while the client takes note of it.
	verdict  *methodStep
	compound compound
	nonce    []byte // of a binding that was asked for
}

func newPEAPServer(s *Server) *peapServer {
	return &peapServer{talk: s, session: newServerSession(TypePEAP, s.cfg.TLS, false, ""), inner: NewServer(s.cfg.inner())}
}

func (m *peapServer) start(time.Time, uint8) methodStep {
	if m.bad != nil {
		return methodStep{fail: m.bad}
	}
	return methodStep{out: m.link.StartPacket()}
}

func (m *peapServer) step(now time.Time, _, next uint8, data []byte) methodStep {
	if f := wantVersion(data, peapVersion); f != nil {
		return methodStep{fail: f}
	}
	a, fail := m.receive(now, data)
	switch {
	case fail != nil:
		return methodStep{out: a.reply, fail: fail}
	case a.reply != nil:
		return methodStep{out: a.reply}
	case !m.established() && !a.empty && !a.start, a.out:
		return methodStep{out: m.next()}
	case m.established() && !m.begun && !a.start && len(a.plain) == 0:
		// Both have finished: the server speaks first in the tunnel.
		m.begun = true
		return m.inside(m.inner.Step(now, nil), next)
	case len(a.plain) == 0 || !m.begun:
		return methodStep{fail: a.unexpected("where a packet within the tunnel was due")}
	case m.verdict != nil:
		return m.told(a.plain)
	}
	packet, fail := unwrapPEAP(a.plain, codeResponse, m.inner.id)
	if fail != nil {
		return methodStep{fail: fail}
	}
	return m.inside(m.inner.Step(now, packet), next)
}

// inside goes on with what the conversation in the tunnel has come to.
func (m *peapServer) inside(s Step, next uint8) methodStep {
	if s.Done {
		return m.tell(s, next)
	}
	// What has no identifier in the tunnel has that of the packet around.
	m.inner.id = next
	out, fail := m.send(wrapPEAP(s.Out))
	if fail == nil && s.Err != nil {
		fail = innerFailure(s.Err)
	}
	return methodStep{out: out, fail: fail}
}

// tell says in the tunnel what the inner method has come to. Its own Success or Failure is not sent.
func (m *peapServer) tell(s Step, next uint8) methodStep {
	v := innerStep(s)
	e := extensions{result: resultFailure}
	if v.fail == nil {
		r := *s.Result
		m.compound = newCompound(m.keys, r.MSK)
		r.Inner, r.MSK, r.Mutual = s.Result.Method, m.msk(), true
		r.User.Method = fmt.Sprintf("%s (%s)", TypePEAP, r.Inner)
		m.verdict = &methodStep{result: &r}
		e.result = resultSuccess
		if m.talk.cfg.TLS.CryptoBinding == BindingRequired {
			m.nonce = m.talk.cfg.random(bindingNonceLen)
			e.binding = m.compound.bindingTLV(bindingRequest, m.nonce)
		}
	}
	out, fail := m.send(packet{code: codeRequest, id: next, typ: typeExtensions, data: e.bytes()}.bytes())
	if fail == nil {
		fail = v.fail
	}
	return methodStep{out: out, fail: fail}
}

// told takes what the client makes of it. Only a client that agrees in the tunnel gets a Success outside of it.
func (m *peapServer) told(plain []byte) methodStep {
	e, fail := saidExtensions(plain, codeResponse)
	switch {
	case fail != nil:
		return methodStep{fail: fail}
	case e.result != resultSuccess:
		return methodStep{fail: &Failure{User: m.verdict.result.User.Name, Reason: ReasonProtocol, Detail: "the client does not agree that the method within the tunnel has succeeded"}}
	case m.nonce == nil:
		return *m.verdict
	case e.binding == nil:
		return methodStep{fail: m.unbound("the client has not answered the Cryptobinding TLV, which it has to by the configuration")}
	}
	if wrong := m.compound.bound(e.binding, bindingResponse, m.nonce); wrong != "" {
		return methodStep{fail: m.unbound(wrong)}
	}
	m.verdict.result.MSK = m.compound.msk()
	return *m.verdict
}

func (m *peapServer) unbound(detail string) *Failure {
	return &Failure{User: m.verdict.result.User.Name, Reason: ReasonBinding, Detail: detail}
}

// saidExtensions is what a packet of the EAP TLV Extensions Method says.
func saidExtensions(plain []byte, code uint8) (extensions, *Failure) {
	p, err := parse(plain)
	switch {
	case err != nil:
		return extensions{}, protocolError("%v", err)
	case p.code != code || p.typ != typeExtensions:
		return extensions{}, protocolError("%s where the result was due", p.says())
	}
	return parseExtensions(p.data)
}

func (m *peapServer) cost(data []byte) time.Duration {
	return m.session.cost(data) + innerCost(m.established(), m.inner.current())
}

func (m *peapServer) close() {
	m.session.close()
	m.inner.Close()
}
