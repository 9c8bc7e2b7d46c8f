package eap

import (
	"bytes"
	"time"

	"esplanade/ike/aaa"
)

// EAP-TLS (RFC 5216, and RFC 9190 for TLS 1.3): certificates of both sides, and nothing in the tunnel but the octet with which a server of
// TLS 1.3 says that it is done.

// protectedSuccess is that octet: "it sends an encrypted TLS record with application data 0x00". https://www.rfc-editor.org/rfc/rfc9190#section-2.5-4
var protectedSuccess = []byte{0}

type tlsServer struct {
	talk *Server
	*session
}

func newTLSServer(s *Server) *tlsServer {
	return &tlsServer{talk: s, session: newServerSession(TypeTLS, s.cfg.TLS, true, s.identity)}
}

func (m *tlsServer) start(time.Time, uint8) methodStep {
	if m.bad != nil {
		return methodStep{fail: m.bad}
	}
	return methodStep{out: m.link.StartPacket()}
}

func (m *tlsServer) step(now time.Time, _, _ uint8, data []byte) methodStep {
	before := m.established()
	a, fail := m.receive(now, data)
	switch {
	case fail != nil:
		return methodStep{out: a.reply, fail: fail}
	case a.reply != nil:
		return methodStep{out: a.reply}
	case len(a.plain) > 0:
		return methodStep{fail: a.unexpected("of a client, which has nothing to say there")}
	case before && a.empty:
		// The client has all of it: of TLS 1.2 our Finished, of TLS 1.3 the octet.
		return m.verdict()
	case before || a.empty || a.start:
		return methodStep{fail: a.unexpected("where a TLS message of the handshake was due, or none")}
	case m.established() && m.tls13():
		// "The EAP-TLS server MUST NOT send an encrypted TLS record with application data 0x00 before it has successfully processed the
		// client Finished and sent its last handshake message." https://www.rfc-editor.org/rfc/rfc9190#section-2.5-4
		out, fail := m.send(protectedSuccess)
		return methodStep{out: out, fail: fail}
	}
	return methodStep{out: m.next()}
}

// verdict is that about the client: whom its certificate is for, never whom it has said it is (CVE-2022-4967). It need not be among the users, which have passwords; if it is, its groups and
// whether it is locked count.
func (m *tlsServer) verdict() methodStep {
	user := aaa.User{Name: m.peer.Name, Foreign: m.peer.Foreign}
	if users := m.talk.cfg.Users; users != nil && user.Foreign == "" {
		if secret, known, ok := users.User(m.peer.Name); ok {
			if secret.Locked {
				return methodStep{fail: &Failure{User: m.peer.Name, Reason: ReasonLocked}}
			}
			user = known
			user.Name = m.peer.Name
		}
	}
	return methodStep{result: &Result{User: user, MSK: m.msk(), Mutual: true, Chain: m.chain()}}
}

type tlsClient struct {
	cfg *ClientConfig
	*session
	// done reports that nothing may come any more but Success: of TLS 1.2 both sides have finished, of TLS 1.3 the server has said so
	// within the tunnel.
	done bool
}

func newTLSClient(c *ClientConfig) *tlsClient {
	return &tlsClient{cfg: c, session: newClientSession(TypeTLS, c.TLS)}
}

func (m *tlsClient) step(now time.Time, _ uint8, data []byte) methodStep {
	a, fail := m.receive(now, data)
	switch {
	case fail != nil:
		return methodStep{out: a.reply, fail: fail}
	case a.reply != nil:
		return methodStep{out: a.reply}
	case m.done:
		// "After sending an EAP-Request that contains the protected success result indication, the EAP-TLS server must not send any more
		// EAP-Requests". https://www.rfc-editor.org/rfc/rfc9190#section-2.5-4
		return methodStep{fail: a.unexpected("after the end")}
	}
	if out, begun := m.begin(now, a); begun {
		return out
	}
	switch {
	case a.empty:
		return methodStep{fail: a.unexpected("where the server has to speak")}
	case len(a.plain) > 0 && !(m.tls13() && bytes.Equal(a.plain, protectedSuccess)):
		return methodStep{fail: a.unexpected("that is not the octet with which EAP-TLS ends")}
	case m.conn.Ended() && len(a.plain) == 0:
		return methodStep{fail: protocolError("the server ends TLS before it has said that it is done")}
	}
	m.done = len(a.plain) > 0 || m.established() && !m.tls13()
	return methodStep{out: m.next()}
}

func (m *tlsClient) success() (*Result, *Failure) {
	if !m.done {
		return nil, &Failure{Reason: ReasonEarlySuccess}
	}
	return m.clientResult(m.cfg), nil
}

func (m *tlsClient) failure() *Failure {
	if m.established() {
		return &Failure{Reason: ReasonRefused, Detail: "TLS has succeeded, and the user is not let in"}
	}
	return nil
}
