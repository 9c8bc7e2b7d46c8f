package eap

import (
	"time"

	"esplanade/ike/aaa"
)

type peapClient struct {
	cfg *ClientConfig
	*session
	inner  *Client
	spoken bool // the server has asked something in the tunnel
	// done is the result, once both sides have told each other in the tunnel that there is one.
	done *Result
}

func newPEAPClient(c *ClientConfig) *peapClient {
	return &peapClient{cfg: c, session: newClientSession(TypePEAP, c.TLS), inner: NewClient(c.inner())}
}

func (m *peapClient) step(now time.Time, id uint8, data []byte) methodStep {
	// A server offers the latest version that it has. The client's answer has the one that is used.
	if m.started {
		if f := wantVersion(data, peapVersion); f != nil {
			return methodStep{fail: f}
		}
	}
	a, fail := m.receive(now, data)
	switch {
	case fail != nil:
		return methodStep{out: a.reply, fail: fail}
	case a.reply != nil:
		return methodStep{out: a.reply}
	case m.done != nil:
		return methodStep{fail: a.unexpected("after the end")}
	}
	if out, begun := m.begin(now, a); begun {
		return out
	}
	switch {
	case m.conn.Ended():
		return methodStep{fail: protocolError("the server ends TLS before it has said that it is done")}
	case len(a.plain) > 0:
		return m.asked(now, id, a.plain)
	case a.empty && !m.established():
		return methodStep{fail: a.unexpected("in the middle of the handshake")}
	}
	// TLS goes on, or the server's turn has come to speak in the tunnel.
	return methodStep{out: m.next()}
}

// asked takes what the server says in the tunnel.
func (m *peapClient) asked(now time.Time, id uint8, plain []byte) methodStep {
	m.spoken = true
	if p, err := parse(plain); err == nil && p.code == codeRequest && p.typ == typeExtensions {
		return m.told(p)
	}
	request, fail := unwrapPEAP(plain, codeRequest, id)
	if fail != nil {
		return methodStep{fail: fail}
	}
	s := m.inner.Step(now, request)
	if s.Out == nil {
		return innerStep(s)
	}
	out, fail := m.send(wrapPEAP(s.Out))
	// The server tells the end in the tunnel, as for all that fails: the conversation remembers why.
	return methodStep{out: out, fail: fail}
}

// told takes the result of the server, and answers with that of this side.
func (m *peapClient) told(p packet) methodStep {
	e, fail := parseExtensions(p.data)
	if fail != nil {
		return methodStep{fail: fail}
	}
	end := uint8(codeFailure)
	if e.result == resultSuccess {
		end = codeSuccess
	}
	// The server does not say Success or Failure of the inner method in the tunnel: this is what it says instead.
	s := m.inner.Step(time.Time{}, packet{code: end, id: m.inner.id}.bytes())
	answer := extensions{result: resultFailure}
	if s.Err != nil {
		fail = innerFailure(s.Err)
	} else if answer.binding, fail = m.bind(e, s.Result); fail == nil {
		answer.result = resultSuccess
	}
	out, broken := m.send(packet{code: codeResponse, id: p.id, typ: typeExtensions, data: answer.bytes()}.bytes())
	if fail == nil {
		fail = broken
	}
	if fail != nil {
		m.done = nil
	}
	return methodStep{out: out, fail: fail}
}

// bind makes the result of the method, and the answer to a Cryptobinding TLV.
func (m *peapClient) bind(e extensions, inner *Result) (binding []byte, fail *Failure) {
	r := m.clientResult(m.cfg)
	r.Inner = inner.Method
	r.User = aaa.User{Name: m.cfg.Identity, Method: TypePEAP.String() + " (" + inner.Method.String() + ")"}
	want := m.cfg.TLS.CryptoBinding
	switch {
	case e.binding != nil && want != BindingOff:
		keys := newCompound(m.keys, inner.MSK)
		if wrong := keys.bound(e.binding, bindingRequest, nil); wrong != "" {
			return nil, &Failure{Reason: ReasonBinding, Detail: wrong}
		}
		binding = keys.bindingTLV(bindingResponse, bindingNonce(e.binding))
		r.MSK = keys.msk()
	case want == BindingRequired:
		return nil, &Failure{Reason: ReasonBinding, Detail: "the server has sent no Cryptobinding TLV, which it has to by the configuration"}
	}
	m.done = r
	return binding, nil
}

func (m *peapClient) success() (*Result, *Failure) {
	if m.done == nil {
		return nil, &Failure{Reason: ReasonEarlySuccess}
	}
	return m.done, nil
}

func (m *peapClient) failure() *Failure {
	switch {
	case m.done != nil:
		return &Failure{Reason: ReasonRefused, Detail: "the method within the tunnel has succeeded, and the user is not let in"}
	case !m.spoken:
		return nil
	}
	return innerFailure(m.inner.Step(time.Time{}, packet{code: codeFailure, id: m.inner.id}.bytes()).Err)
}

func (m *peapClient) cost(data []byte) time.Duration {
	return m.session.cost(data) + innerCost(m.established(), m.inner.current())
}

func (m *peapClient) close() {
	m.session.close()
	m.inner.Close()
}
