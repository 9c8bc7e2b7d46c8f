package tunnel

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"esplanade/ike/pki/pkitest"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// sides are a server and a client that trust each other.
type sides struct {
	server, client   Config
	byServer, byPeer Judge
}

// pair is a CA's certificate for a name, as crypto/tls has it.
func pair(h *pkitest.Holder) *tls.Certificate {
	c := &tls.Certificate{PrivateKey: h.Key}
	for _, cert := range h.Chain() {
		c.Certificate = append(c.Certificate, cert.Raw)
	}
	return c
}

// trust accepts chains that begin with one certificate.
func trust(h *pkitest.Holder) Judge {
	return func(_ time.Time, chain [][]byte) error {
		if len(chain) == 0 || !bytes.Equal(chain[0], h.Cert.Raw) {
			return errors.New("an unknown certificate")
		}
		return nil
	}
}

func newSides(t *testing.T, version uint16) *sides {
	t.Helper()
	ca := pkitest.CA(t, now, "CA", pkitest.P256)
	gateway, user := ca.End(t, now, "gateway.example.org", pkitest.P256), ca.End(t, now, "alice.example.org", pkitest.P256)
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	return &sides{
		server: Config{Certificate: pair(gateway), Ask: true, CAs: pool, MaxVersion: version}, byServer: trust(user),
		client: Config{Certificate: pair(user)}, byPeer: trust(gateway),
	}
}

func (s *sides) conns(t *testing.T) (server, client *Conn) {
	t.Helper()
	server, err := Server(&s.server, s.byServer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	client, err = Client(&s.client, s.byPeer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return server, client
}

// outcome is what a handshake came to.
type outcome struct {
	server, client error
	// toServer and toClient are the flights.
	toServer, toClient [][]byte
}

// shake lets the two talk until nobody has anything to say. change may change a flight, which is counted from 0; a client begins.
func shake(server, client *Conn, change func(n int, toServer bool, b []byte) []byte) (o outcome) {
	if change == nil {
		change = func(_ int, _ bool, b []byte) []byte { return b }
	}
	out, _, err := client.Feed(now, nil)
	o.client = err
	for n := 0; len(out) > 0 && n < 20; n++ {
		toServer := n%2 == 0
		b := change(n, toServer, out)
		if toServer {
			o.toServer = append(o.toServer, b)
			out, _, err = server.Feed(now, b)
			o.server = first(o.server, err)
		} else {
			o.toClient = append(o.toClient, b)
			out, _, err = client.Feed(now, b)
			o.client = first(o.client, err)
		}
	}
	return o
}

func first(errs ...error) error {
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

// established is a pair of connections after the handshake.
func established(t *testing.T, version uint16) (server, client *Conn) {
	t.Helper()
	server, client = newSides(t, version).conns(t)
	if o := shake(server, client, nil); o.server != nil || o.client != nil || !server.Established() || !client.Established() {
		t.Fatalf("the handshake failed: server %v, client %v", o.server, o.client)
	}
	return server, client
}

// versions runs a test for each version of TLS.
func versions(t *testing.T, test func(t *testing.T, version uint16)) {
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(v), func(t *testing.T) { test(t, v) })
	}
}
