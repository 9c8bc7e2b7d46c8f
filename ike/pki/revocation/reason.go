package revocation

// Reason is why a certificate was revoked, CRLReason of RFC 5280 section 5.3.1, which OCSP has as well.
type Reason uint8

// The reasons. The value 7 is not used.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	CACompromise         Reason = 2
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	CertificateHold      Reason = 6
	RemoveFromCRL        Reason = 8
	PrivilegeWithdrawn   Reason = 9
	AACompromise         Reason = 10
)

var reasons = [...]string{"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
	"certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise"}

// String is the name of the RFC.
func (r Reason) String() string {
	if !r.valid() {
		return "unknown"
	}
	return reasons[r]
}

func (r Reason) valid() bool { return int(r) < len(reasons) && reasons[r] != "" }

// because is the reason in a sentence, nothing if none was given.
func (r Reason) because() string {
	if r == Unspecified {
		return ""
	}
	return " (" + r.String() + ")"
}
