package sa

import (
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
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
