package sa

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/policy"
)

// Both sides prove themselves by certificates, with keys of each kind.
func TestCertificatesInBothRoles(t *testing.T) {
	for _, k := range []pkitest.Kind{pkitest.P256, pkitest.P384, pkitest.P521, pkitest.RSA2048, pkitest.Ed25519} {
		t.Run(string(k), func(t *testing.T) {
			r, _, _ := newCertRig(t, 300, k, nil)
			r.a.connect()
			r.run(time.Minute)
			r.wantUp(1)
			for _, e := range []*end{r.a, r.b} {
				if len(e.failures) != 0 {
					t.Errorf("%s: %v", e.name, e.failures)
				}
			}
			for _, want := range []string{"N(HASH_ALG)", "CERTREQ", "CERT"} {
				if !strings.Contains(r.ladder.String(), want) {
					t.Errorf("no %s was sent", want)
				}
			}
		})
	}
}

// A peer that signs and has come by the addresses of a connection with a pre-shared key says who it is all the same: where it is looked for
// by a name, that is how it is found again.
func TestPeerWithACertificateSaysWhoItIs(t *testing.T) {
	for _, k := range []pkitest.Kind{pkitest.P256, pkitest.Ed25519} {
		r, _, b := newCertRig(t, 301, k, func(_, b *Config) {
			b.LocalAuth, b.RemoteAuth, b.RemoteID = policy.AuthPSK, policy.AuthPSK, mustID(t, "c.example")
		})
		r.a.connect()
		r.run(10 * time.Second)
		b.wantFailure(diag.CodeAuthID)
		r.a.wantFailure(diag.CodeAuthRefused)
	}
}

// A distinguished name is sent as the certificate writes it: the one of the configuration doesn't say that it is a UTF8String
// (RFC 4945, section 3.1.5).
func TestNameOfTheCertificateIsSent(t *testing.T) {
	r, a, b := newCertRig(t, 301, pkitest.P256, func(a, b *Config) {
		a.LocalID, a.RemoteID = mustID(t, "CN=site-a"), mustID(t, "CN=site-b")
		b.LocalID, b.RemoteID = a.RemoteID, a.LocalID
	})
	var sent []identity.Identity
	for c, name := range map[*certified]string{a: "site-a", b: "site-b"} {
		id := mustID(t, fmt.Sprintf("CN=#0c%02x%x", len(name), name))
		c.show(t, c.ca, &x509.Certificate{RawSubject: id.Data})
		sent = append(sent, id)
	}
	r.a.connect()
	r.run(time.Minute)
	r.wantUp(1)
	for _, e := range []*end{r.a, r.b} {
		for _, got := range []identity.Identity{e.live()[0].LocalID(), e.live()[0].RemoteID()} {
			if !slices.ContainsFunc(sent, func(id identity.Identity) bool { return bytes.Equal(id.Data, got.Data) }) {
				t.Errorf("%s has %x", e.name, got.Data)
			}
		}
	}
}
