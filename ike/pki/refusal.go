package pki

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"esplanade/ike/identity"
)

// Role is what a certificate is in a chain.
type Role uint8

// The roles.
const (
	End          Role = iota // the peer's own
	Intermediate             // a CA between
	Anchor                   // a CA that is trusted
)

// String is the noun for it.
func (r Role) String() string {
	switch r {
	case Intermediate:
		return "certificate of the intermediate CA"
	case Anchor:
		return "certificate of the trusted CA"
	default:
		return "certificate"
	}
}

// Refusal is why a peer is not who it says it is, as far as its certificate or key goes: the error of [Trust.Judge].
// Its texts are bounded and without control characters.
type Refusal struct {
	Reason Reason
	// ID is the identity that the peer claims.
	ID identity.Identity
	// Cert is the certificate that the reason is about, nil if there is none or it can't be read, and Role what it is.
	Cert *x509.Certificate
	Role Role
	// CA is the distinguished name of the CA that the reason is about: the issuer that is unknown, whose signature it is
	// not, that is no CA, whose constraint it is, or that is demanded. Empty for other reasons.
	CA string
	// Now is the time of the judgement, and Limit the date that Expired and NotYetValid are about.
	Now, Limit time.Time
	// Detail is what else there is to know: the bits of the key, the algorithm, the name that is not allowed.
	Detail string
}

// Apart is how far this side's clock is past the end, or before the beginning, of a certificate's validity.
func (r *Refusal) Apart() time.Duration {
	if r.Reason == Expired || r.Reason == NotYetValid {
		return r.Now.Sub(r.Limit).Abs()
	}
	return 0
}

// Subject is the name of the certificate, and Serial its serial number in hexadecimal; both are empty without one.
func (r *Refusal) Subject() string {
	if r.Cert == nil {
		return ""
	}
	return Subject(r.Cert)
}

// Serial is the serial number of the certificate in hexadecimal, or empty.
func (r *Refusal) Serial() string {
	if r.Cert == nil {
		return ""
	}
	return Serial(r.Cert)
}

// Error is one line with all of it.
func (r *Refusal) Error() string {
	var b strings.Builder
	if r.Cert != nil {
		fmt.Fprintf(&b, "the %s %q (serial number %s) ", r.Role, r.Subject(), r.Serial())
	}
	b.WriteString(r.predicate())
	if r.Detail != "" {
		b.WriteString(": " + r.Detail)
	}
	return b.String()
}

// predicate is the sentence without its subject, which is the certificate if there is one.
func (r *Refusal) predicate() string {
	switch r.Reason {
	case NoCertificate:
		return fmt.Sprintf("the peer has sent no certificate, and none for %q is configured", clip(r.ID.String()))
	case TooMuch:
		return "the peer has sent more certificates than are accepted"
	case Unreadable:
		return "the peer has sent a certificate or key that is malformed"
	case UnknownKey:
		return "the peer has sent a public key that is none of those configured for it"
	case NotPinned:
		return "is none of those configured for the peer"
	case UnknownCA:
		return fmt.Sprintf("was issued by %q, which is none of the trusted CAs, and no certificate leads there", r.CA)
	case SelfSigned:
		return "is self-signed, and is neither configured for the peer nor a trusted CA"
	case TooMuchWork:
		return "has more possible chains than are tried"
	case BadSignature:
		return fmt.Sprintf("was not signed with the key of the CA %q that is known here", r.CA)
	case NotCA:
		return fmt.Sprintf("was issued by %q, which may not issue certificates", r.CA)
	case WeakSignature:
		return "is signed with an algorithm that is not accepted"
	case UnfitKey:
		return "has a key that is not accepted"
	case WeakKey:
		return "has a key that is too short"
	case UnknownExtension:
		return "has a critical extension that is not known"
	case PathTooLong:
		return fmt.Sprintf("is in a chain with more CAs than %q allows", r.CA)
	case NotItsIdentity:
		return fmt.Sprintf("is not for %q; it is for %s", clip(r.ID.String()), Names(r.Cert))
	case WrongUsage:
		return "is for a key that may not sign: its key usage has neither digitalSignature nor nonRepudiation"
	case NotYetValid:
		return fmt.Sprintf("is not valid before %s; the clock here says %s, which is %s too early", date(r.Limit), date(r.Now),
			apart(r.Apart()))
	case Expired:
		return fmt.Sprintf("expired at %s; the clock here says %s, which is %s too late", date(r.Limit), date(r.Now), apart(r.Apart()))
	case NameNotAllowed:
		return fmt.Sprintf("has a name that the CA %q may not issue certificates for", r.CA)
	case WrongPolicy:
		return "was not issued under a certificate policy that is demanded"
	case WrongCA:
		return fmt.Sprintf("was not issued by way of the CA %q", r.CA)
	}
	return r.Reason.String()
}
