package sa

import (
	"strings"
	"testing"
	"time"

	"esplanade/ike/pki/pkitest"
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
