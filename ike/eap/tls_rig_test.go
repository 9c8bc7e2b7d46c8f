package eap

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	ikeid "esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
)

// pair is a certificate with its key, as crypto/tls has it.
func pair(h *pkitest.Holder) *tls.Certificate {
	c := &tls.Certificate{PrivateKey: h.Key}
	// The anchor is left out, which the other side has.
	chain := h.Chain()
	for _, cert := range chain[:len(chain)-1] {
		c.Certificate = append(c.Certificate, cert.Raw)
	}
	return c
}

// judge trusts what a CA has issued, for the identity that is given, or else for a fixed one: as the connections of a gateway do.
func judge(ca *pkitest.Holder, fixed string) Judge {
	trust := &pki.Trust{Anchors: []*x509.Certificate{ca.Cert}}
	return func(now time.Time, s Shown) (Verdict, error) {
		name := s.Identity
		if anonymous(name) {
			name = fixed
		}
		id, err := ikeid.Parse(name)
		if err != nil {
			return Verdict{}, err
		}
		p, err := trust.Judge(now, id, pki.Presented{Certs: s.Chain})
		if err != nil {
			return Verdict{}, err
		}
		return Verdict{Name: name, Chain: p.Chain}, nil
	}
}

// anonymous reports whether a name says nobody, as a client of TLS 1.3 has to: it "MUST NOT send its username (or any other permanent
// identifiers) in cleartext in the Identity Response". https://www.rfc-editor.org/rfc/rfc9190#section-2.1.8-3
func anonymous(name string) bool {
	user, _, _ := strings.Cut(name, "@")
	return user == "" || user == "anonymous"
}

const (
	gatewayName = "gateway.example.org"
	aliceName   = "alice@example.org"
)

// world are a gateway and its users, with certificates and passwords.
type world struct {
	ca             *pkitest.Holder
	gateway, alice *pkitest.Holder
	server         TLSServer
	client         TLSClient
}

func userCertificate(t *testing.T, ca *pkitest.Holder, now time.Time, email string) *pkitest.Holder {
	t.Helper()
	template := pkitest.EndTemplate("user")
	template.DNSNames, template.EmailAddresses = nil, []string{email}
	return pkitest.Issue(t, now, ca, template, pkitest.Key(t, pkitest.P256))
}

func newWorld(t *testing.T, version uint16) *world { return newWorldAt(t, version, noon) }

// newWorldAt is one for peers with a clock of their own.
func newWorldAt(t *testing.T, version uint16, now time.Time) *world {
	t.Helper()
	w := &world{ca: pkitest.CA(t, now, "Example CA", pkitest.P256)}
	w.gateway = w.ca.End(t, now, gatewayName, pkitest.P256)
	w.alice = userCertificate(t, w.ca, now, aliceName)
	cas := x509.NewCertPool()
	cas.AddCert(w.ca.Cert)
	w.server = TLSServer{Certificate: pair(w.gateway), Judge: judge(w.ca, aliceName), CAs: cas, MaxVersion: version}
	w.client = TLSClient{Certificate: pair(w.alice), Judge: judge(w.ca, gatewayName)}
	return w
}

// configs are those of a method that is all there is, as for users of IKE without another authentication of the gateway.
func (w *world) configs(method Type) (*ServerConfig, *ClientConfig) {
	s := serverConfig(method)
	s.Protected, s.TLS = false, &w.server
	s.Users = directory{aliceName: Password("correct horse"), "nthash": NTHash(ntHash("correct horse")), "locked": users["locked"]}
	c := clientConfig(aliceName, Password("correct horse"), method)
	c.Protected, c.TLS = false, &w.client
	return s, c
}

// versions runs a test for each version of TLS.
func versions(t *testing.T, test func(t *testing.T, version uint16)) {
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(v), func(t *testing.T) { test(t, v) })
	}
}

// closeAll ends both sides at the end of a test, as whoever uses them does.
func closeAll(t *testing.T, s *Server, c *Client) {
	t.Cleanup(s.Close)
	t.Cleanup(c.Close)
}

// run has a client and a server of some configurations talk.
func run(t *testing.T, s *ServerConfig, c *ClientConfig) outcome {
	t.Helper()
	server, client := NewServer(s), NewClient(c)
	closeAll(t, server, client)
	return converse(t, server, client)
}

// wantKeys holds both ends of a conversation to success with the same MSK, and returns the server's result.
func wantKeys(t *testing.T, o outcome, name string) *Result {
	t.Helper()
	s, c := wantSuccess(t, "the server", o.server), wantSuccess(t, "the client", o.client)
	if s.User.Name != name || !s.Mutual || !c.Mutual {
		t.Errorf("user %q, mutual %t and %t", s.User.Name, s.Mutual, c.Mutual)
	}
	if len(s.MSK) != MSKLen || !bytes.Equal(s.MSK, c.MSK) {
		t.Errorf("MSKs of %d and %d bytes, the same: %t", len(s.MSK), len(c.MSK), bytes.Equal(s.MSK, c.MSK))
	}
	return s
}

// tamper plays a conversation in which a packet of one side is replaced before it arrives: the nth of a server (counted from 0), or of a
// client. It returns what both said last.
type tamper struct {
	n        int
	ofServer bool
	change   func(packet []byte) []byte
}

func (x tamper) play(t *testing.T, s *ServerConfig, c *ClientConfig) (server, client Step) {
	t.Helper()
	a, b := NewServer(s), NewClient(c)
	closeAll(t, a, b)
	server = a.Step(noon, nil)
	for n := range 2 * MaxRounds {
		out := server.Out
		if x.ofServer && n == x.n {
			out = x.change(bytes.Clone(out))
		}
		if client = b.Step(noon, out); server.Done || client.Out == nil {
			return server, client
		}
		out = client.Out
		if !x.ofServer && n == x.n {
			out = x.change(bytes.Clone(out))
		}
		server = a.Step(noon, out)
	}
	t.Fatal("they never come to an end")
	return server, client
}

// refusal is an error of a judge.
func refusal(err error) (r *pki.Refusal, ok bool) {
	ok = errors.As(err, &r)
	return r, ok
}
