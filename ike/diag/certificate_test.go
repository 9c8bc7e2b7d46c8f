package diag

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// everyCertificate has one failure of each kind of fault of a certificate.
func everyCertificate(w Where) map[string]*Failure {
	all := map[string]*Failure{}
	for fault := CertMissing; fault <= CertWeak; fault++ {
		all[fmt.Sprintf("CertRefused/%d", fault)] = CertRefused(w, CertRefusal{
			Fault: fault, ID: "site-b.example", CA: "CN=CA", Now: testTime, Limit: testTime.Add(-72 * time.Hour),
			Cert: Certificate{Subject: "CN=b", Serial: "12ab", Issuer: "CN=CA", Names: `"site-b.example"`}, Blame: "which is no good",
		})
	}
	c := Certificate{Subject: "CN=b", Serial: "12ab", Issuer: "CN=CA"}
	all["CertRevoked"] = CertRevoked(w, c, testTime, "keyCompromise", "the CRL http://ca.example/ca.crl (number 7)")
	all["CertStatusUnknown"] = CertStatusUnknown(w, c, "strict", "CRL http://ca.example/ca.crl: connection refused")
	return all
}

// A date is said with the other one and how far they are apart, a certificate with its serial number and issuer.
func TestCertificateTexts(t *testing.T) {
	w := testWhere("IKE_AUTH")
	r := CertRefusal{Fault: CertExpired, ID: "site-b.example", Now: testTime, Limit: testTime.Add(-72 * time.Hour),
		Cert: Certificate{Role: "certificate of the intermediate CA", Subject: "CN=CA 2\nE-FORGED", Serial: "12ab", Issuer: "CN=CA"}}
	text := CertRefused(w, r).Error()
	for _, want := range []string{"E-CERT-EXPIRED", "the certificate of the intermediate CA 'CN=CA 2 E-FORGED' (serial number 12ab, issued by 'CN=CA')",
		dateText(r.Limit), dateText(r.Now), "3 days later", "renew"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	r.Fault, r.Limit = CertEarly, testTime.Add(90*time.Second)
	if text := CertRefused(w, r).Error(); !strings.Contains(text, "90 seconds earlier") {
		t.Error(text)
	}
	for d, want := range map[time.Duration]string{time.Second: "1 second", 3 * time.Minute: "3 minutes", 47 * time.Hour: "47 hours"} {
		if got := apartText(d); got != want {
			t.Errorf("%v is %q", d, got)
		}
	}
}
