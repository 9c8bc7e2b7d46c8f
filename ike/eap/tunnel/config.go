package tunnel

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"time"
)

// Config is what a side of a connection has. It is not changed after it is made; any number of connections share it.
type Config struct {
	// Certificate is what this side shows: chain and key. A server needs one.
	Certificate *tls.Certificate
	// Ask has a server ask for a certificate of its client, and refuse one that has none.
	Ask bool
	// CAs are the names that a server tells its clients to choose their certificate by; nil: none.
	CAs *x509.CertPool
	// MaxVersion is the latest version of TLS; 0: 1.3. The earliest is 1.2 always.
	MaxVersion uint16
}

// Judge decides about the chain that a peer has shown, as DER, its own certificate first. The peer has not yet proved in TLS 1.3 that it has
// the key to it; if it turns out not to, the handshake fails. An error is the handshake's.
type Judge func(now time.Time, chain [][]byte) error

// errNoJudge is a connection that would accept anybody.
var errNoJudge = errors.New("nobody judges certificates")

// minVersion: TLS 1.0 and 1.1 "MUST NOT be used" (RFC 8996, which has RFC 5216 among those it updates).
const minVersion = tls.VersionTLS12

// config is what both roles have.
func (c *Config) config(conn func() *Conn) *tls.Config {
	t := &tls.Config{
		MinVersion: minVersion,
		MaxVersion: c.MaxVersion,
		// Resumption would let a peer in without showing its certificate or its password: what a connection accepts, a list of revoked
		// certificates or the users may have changed since. RFC 9190 section 2.1.3 leaves it to the server ("the EAP-TLS server MAY
		// choose to require a full handshake"). It would also need a store of tickets that all who handle EAP share.
		SessionTicketsDisabled: true,
		// A second handshake could change who the peer is.
		Renegotiation: tls.RenegotiateNever,
		KeyLogWriter:  keyLog{conn},
	}
	if c.Certificate != nil {
		own := *c.Certificate
		if signer, ok := own.PrivateKey.(crypto.Signer); ok {
			own.PrivateKey = &counted{Signer: signer, conn: conn}
		}
		t.Certificates = []tls.Certificate{own}
	}
	return t
}

// keyLog keeps the master secret of a connection of TLS 1.2, and nothing of others.
type keyLog struct{ conn func() *Conn }

func (k keyLog) Write(line []byte) (int, error) { return k.conn().secrets.Write(line) }

// counted is a key that says when it has signed.
type counted struct {
	crypto.Signer
	conn func() *Conn
}

func (k *counted) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.conn().costs.signed = true
	return k.Signer.Sign(rand, digest, opts)
}

// Server makes the server's side. The judge is asked if the client is asked for a certificate.
func Server(c *Config, judge Judge) (*Conn, error) {
	if c.Certificate == nil {
		return nil, errors.New("a server of TLS needs a certificate")
	}
	if c.Ask && judge == nil {
		return nil, errNoJudge
	}
	var conn *Conn
	t := c.config(func() *Conn { return conn })
	if c.Ask {
		// The verdict is the judge's alone, which VerifyConnection asks: crypto/tls checks only that the client has the key.
		t.ClientAuth = tls.RequireAnyClientCert
		t.ClientCAs = c.CAs
		t.VerifyConnection = func(s tls.ConnectionState) error { return conn.judge(judge, s) }
	}
	conn = newConn(func(p net.Conn) *tls.Conn { return tls.Server(p, t) })
	conn.costs.of(c, true)
	conn.server = true
	return conn, nil
}

// Client makes the client's side. The judge is asked about the server.
func Client(c *Config, judge Judge) (*Conn, error) {
	if judge == nil {
		return nil, errNoJudge
	}
	var conn *Conn
	t := c.config(func() *Conn { return conn })
	// The verdict is the judge's alone: it knows which CAs and which names are meant. crypto/tls checks that the server has the key.
	t.InsecureSkipVerify = true
	t.VerifyConnection = func(s tls.ConnectionState) error { return conn.judge(judge, s) }
	own := t.Certificates
	// The names of CAs with which a server asks for a certificate are often not those of whoever issued ours, which it accepts anyway.
	t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if len(own) == 0 {
			return &tls.Certificate{}, nil
		}
		return &own[0], nil
	}
	conn = newConn(func(p net.Conn) *tls.Conn { return tls.Client(p, t) })
	conn.costs.of(c, false)
	return conn, nil
}

func (c *Conn) judge(judge Judge, s tls.ConnectionState) error {
	chain := make([][]byte, len(s.PeerCertificates))
	for i, cert := range s.PeerCertificates {
		chain[i] = cert.Raw
	}
	if err := judge(c.now, chain); err != nil {
		return &Refused{Err: err}
	}
	c.costs.judged = true
	return nil
}

// Refused is a peer whose certificate the judge has refused.
type Refused struct{ Err error }

func (r *Refused) Error() string { return r.Err.Error() }
func (r *Refused) Unwrap() error { return r.Err }
