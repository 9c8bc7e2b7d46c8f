package diag

import (
	"fmt"
	"time"
)

// CertRevoked is the failure that a certificate of the peer's chain was revoked at a time, for a reason, which may be empty. by says what it
// is known from: "the CRL http://… (number 7 of …)".
func CertRevoked(w Where, c Certificate, at time.Time, reason, by string) *Failure {
	theirs := c.text() + ", which was revoked at " + dateText(at)
	if reason != "" {
		theirs += " (" + oneLine(reason) + ")"
	}
	f := w.failure(CodeCertRevoked, by, theirs)
	f.Fix = "have a new certificate issued for the peer, in place of " + c.text() + "."
	if reason == "certificateHold" {
		f.Fix = "it is on hold: have its CA release it, or issue a new one."
	}
	return f
}

// CertStatusUnknown is the failure that it can't be found out whether a certificate of the peer's chain was revoked, and that the policy, by
// its word, wants to know. why has one reason for each source.
func CertStatusUnknown(w Where, c Certificate, policy, why string) *Failure {
	f := w.failure(CodeCertStatus, fmt.Sprintf("to know whether it was revoked (revocation = %q): %s", policy, oneLine(why)), c.text())
	f.Fix = "look at each source that is named: whether its server answers this host, whether what it has is out of date, whether the clock here is right. " +
		"Further ones are crl_uris and ocsp_uris of [authorities.NAME], and CRLs in x509crl of [credentials]; revocation = \"relaxed\" in " + w.connection() +
		".remote lets a peer in of whom nothing is known."
	return f
}
