package eap

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/eap/tunnel"
)

// session is the TLS of one conversation, of either side: what EAP-TLS, EAP-TTLS and EAP-PEAP share.
type session struct {
	typ    Type
	client bool
	link   tunnel.Link
	conn   *tunnel.Conn // nil if it could not be made
	bad    *Failure     // why not
	keys   []byte       // 128 octets, once the handshake is over
	peer   Verdict      // about the other side, once it has shown itself
	// started is of a client: the server has said start.
	started bool
}

// labels are what the keys are derived with in TLS 1.2: https://www.rfc-editor.org/rfc/rfc5216#section-2.3,
// https://www.rfc-editor.org/rfc/rfc5281#section-8, and [MS-PEAP] 3.1.5.5.2.1 has that of EAP-TLS.
var labels = map[Type]string{
	TypeTLS:  "client EAP encryption",
	TypeTTLS: "ttls keying material",
	TypePEAP: "client EAP encryption",
}

// newServerSession is a server's. ask has it ask for the client's certificate, which judge judges.
func newServerSession(t Type, c *TLSServer, ask bool, identity string) *session {
	s := &session{typ: t}
	if c == nil {
		s.bad = &Failure{Reason: ReasonTLS, Detail: "this side has no certificate for the method"}
		return s
	}
	s.link.Size = c.Fragment
	var judge tunnel.Judge
	if ask && c.Judge != nil {
		judge = s.judge(c.Judge, identity)
	}
	conn, err := tunnel.Server(c.tunnelConfig(ask), judge)
	s.made(conn, err)
	return s
}

func newClientSession(t Type, c *TLSClient) *session {
	s := &session{typ: t, client: true}
	if c == nil {
		s.bad = &Failure{Reason: ReasonTLS, Detail: "nothing says which server is trusted"}
		return s
	}
	s.link.Size = c.Fragment
	config := &tunnel.Config{MaxVersion: c.MaxVersion}
	if t == TypeTLS {
		// What a tunnel is for is the password: a server of TTLS or PEAP that asks for a certificate as well gets none.
		if config.Certificate = c.Certificate; config.Certificate == nil {
			s.bad = &Failure{Reason: ReasonSecret, Detail: "there is no certificate to show"}
			return s
		}
	}
	var judge tunnel.Judge
	if c.Judge != nil {
		judge = s.judge(c.Judge, "")
	}
	conn, err := tunnel.Client(config, judge)
	s.made(conn, err)
	return s
}

func (s *session) made(conn *tunnel.Conn, err error) {
	s.conn = conn
	if err != nil {
		s.bad = &Failure{Reason: ReasonTLS, Err: err}
	}
}

// judge asks the judge of the configuration, and keeps what it says.
func (s *session) judge(judge Judge, identity string) tunnel.Judge {
	return func(now time.Time, chain [][]byte) error {
		v, err := judge(now, Shown{Identity: identity, Chain: chain})
		switch {
		case err != nil:
			return err
		case v.Name == "":
			return errors.New("the certificate is for nobody")
		}
		s.peer = v
		return nil
	}
}

// arrival is what a packet of the other side was.
type arrival struct {
	// reply is due at once, and all that is to be done: an acknowledgement, or the next fragment.
	reply []byte
	// plain came through the tunnel.
	plain []byte
	// empty reports that the packet was empty: the other side has nothing to say.
	empty bool
	// out reports that TLS has something to say, which [session.next] gives.
	out bool
	// start reports that it was a server's start.
	start bool
}

// receive takes the type data of a packet. What it answers with fail may have an alert in reply.
func (s *session) receive(now time.Time, data []byte) (a arrival, fail *Failure) {
	message, kind, err := s.link.Receive(data)
	if err != nil {
		return a, protocolError("%v", err)
	}
	switch kind {
	case tunnel.Fragment, tunnel.Ack:
		return arrival{reply: s.link.Next()}, nil
	case tunnel.Start:
		return arrival{start: true}, nil
	case tunnel.Empty:
		return arrival{empty: true}, nil
	case tunnel.Message:
	}
	return s.feed(now, message)
}

// begin has a client begin with TLS where the server says start, and refuses a start anywhere else, and anything else in its place. begun is
// false for what comes behind the start.
func (s *session) begin(now time.Time, a arrival) (out methodStep, begun bool) {
	switch {
	case a.start && s.started:
		return methodStep{fail: a.unexpected("in the middle of a conversation")}, true
	case !a.start && !s.started:
		return methodStep{fail: a.unexpected("where a start was due")}, true
	case !a.start:
		return methodStep{}, false
	}
	s.started = true
	if _, fail := s.feed(now, nil); fail != nil {
		return methodStep{fail: fail}, true
	}
	return methodStep{out: s.next()}, true
}

// feed gives TLS what the other side has sent; a client begins with nothing.
func (s *session) feed(now time.Time, message []byte) (a arrival, fail *Failure) {
	if s.bad != nil {
		return a, s.bad
	}
	out, plain, err := s.conn.Feed(now, message)
	if len(out) > 0 {
		s.link.Send(out)
		a.out = true
	}
	if err == nil && s.keys == nil && s.conn.Established() {
		s.keys, err = s.conn.Keys(labels[s.typ], byte(s.typ))
	}
	if err != nil {
		// "Whenever an implementation encounters a fatal error condition, it MUST send an appropriate TLS Error alert."
		// https://www.rfc-editor.org/rfc/rfc9190#section-2.1.4-5
		// An alert of the other side is no reason for one of ours, and needs an answer only of a client, which has to let the server speak.
		alert, alerted := clearAlert(message)
		if alerted {
			err = alert
		}
		if len(out) > 0 && !alerted || s.client {
			a.reply = s.link.Next()
		}
		return a, &Failure{Reason: tlsReason(err), Err: err}
	}
	a.plain = plain
	return a, nil
}

// clearAlert is the alert that a message begins with, if it is in the clear. A client of OpenSSL that refuses the certificate of a server of TLS 1.3
// sends it before it has keys, where the server does not take it for one any more.
func clearAlert(message []byte) (error, bool) {
	const recordHeader, alertLen, alertRecord = 5, 2, 21
	if len(message) < recordHeader+alertLen || message[0] != alertRecord || message[3] != 0 || message[4] != alertLen {
		return nil, false
	}
	return fmt.Errorf("remote error, in the clear: %w", tls.AlertError(message[recordHeader+1])), true
}

// tlsReason is what an error of TLS is about.
func tlsReason(err error) Reason {
	if r := (*tunnel.Refused)(nil); errors.As(err, &r) {
		return ReasonCertificate
	}
	return ReasonTLS
}

// established reports whether the handshake is over.
func (s *session) established() bool { return s.keys != nil }

// tls13 reports whether it was TLS 1.3.
func (s *session) tls13() bool { return s.conn.Version() >= tls.VersionTLS13 }

// next is the next packet: what TLS has to say, or nothing.
func (s *session) next() []byte { return s.link.Next() }

// send puts octets into the tunnel and gives the next packet.
func (s *session) send(plain []byte) ([]byte, *Failure) {
	out, err := s.conn.Write(plain)
	if err != nil {
		return nil, &Failure{Reason: ReasonTLS, Err: err}
	}
	s.link.Send(out)
	return s.link.Next(), nil
}

// unexpected is the failure of a packet that is not what is due.
func (a arrival) unexpected(what string) *Failure {
	switch {
	case a.start:
		return protocolError("a start %s", what)
	case a.empty:
		return protocolError("an empty packet %s", what)
	case len(a.plain) > 0:
		return protocolError("data within the tunnel %s", what)
	}
	return protocolError("a TLS message %s", what)
}

// msk is the MSK.
func (s *session) msk() []byte { return s.keys[:MSKLen] }

// clientResult is what a client has in the end.
func (s *session) clientResult(c *ClientConfig) *Result {
	return &Result{User: aaa.User{Name: c.Identity}, MSK: s.msk(), Mutual: true, Chain: s.chain()}
}

// chain is that of the other side.
func (s *session) chain() []*x509.Certificate { return s.peer.Chain }

// cost is about what a packet will take.
func (s *session) cost(data []byte) time.Duration {
	if s.conn == nil || tunnel.Partial(data) {
		return 0
	}
	return s.conn.Cost()
}

func (s *session) close() {
	if s.conn != nil {
		s.conn.Close()
	}
}
