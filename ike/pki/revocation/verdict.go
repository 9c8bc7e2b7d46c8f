package revocation

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"esplanade/ike/pki"
	"esplanade/ike/policy"
)

// Status is what is known of a certificate.
type Status uint8

// What may be known.
const (
	// Unknown: neither a CRL nor an OCSP answer that is current says anything of it.
	Unknown Status = iota
	// Good: it was not revoked.
	Good
	// Revoked: it was revoked, or is on hold.
	Revoked
)

// String is the status in words.
func (s Status) String() string {
	switch s {
	case Good:
		return "good"
	case Revoked:
		return "revoked"
	default:
		return "unknown"
	}
}

// State is what is known of one certificate.
type State struct {
	Certificate *x509.Certificate
	Status      Status
	// By says, for people, which CRL or which OCSP answer it is known from: "the CRL http://ca.example/ca.crl, number 7 of …".
	By string
	// Until is how long that may be relied on. Zero unless Status is Good.
	Until time.Time
	// At and Reason are when and why it was revoked.
	At     time.Time
	Reason Reason
	// Expected: there should be an answer, since the certificate or the configuration names a place to ask at or has a CRL.
	Expected bool
	// Problems are why nothing is known, one for each source that was of no use, in the order in which they were tried.
	Problems []error
}

// Verdict is what [Store.Assess] says of a chain.
type Verdict struct {
	// States are those of the certificates of the chain but the anchor, in its order.
	States []State
	// Until is how long it may be relied on: the earliest end of what it was found out from. Zero if nothing bounds it, as when the
	// policy lets a peer in of whom nothing is known.
	Until time.Time
	// Refused is nil if the policy lets the peer in.
	Refused *Refusal
	// Needed are what would have to be fetched to know more, one thing for each certificate that is not known to be good or revoked, the
	// best source first. While there are any, the verdict is not the last word: fetch them and assess the chain again. When there is no
	// time left, the verdict counts as it is. None if a certificate was revoked, since there is nothing more to know, but for one that is on
	// hold by what has ended: it may have been released.
	Needed []Needed
}

// Err is the refusal as an error; nil if there is none.
func (v *Verdict) Err() error {
	if v.Refused == nil {
		return nil
	}
	return v.Refused
}

// Refusal is why a peer is not let in: a certificate was revoked, or nothing is known of one and the policy wants more. It is for the
// operator; the peer hears AUTHENTICATION_FAILED.
type Refusal struct {
	// State is that of the certificate. Its Status says which of the two it is.
	State
	// Policy is the one that refuses.
	Policy policy.Revocation
}

// Error names the certificate, and what it is known from or why it is not.
func (r *Refusal) Error() string {
	if r.Status == Revoked {
		return fmt.Sprintf("the certificate %s was revoked at %s%s, says %s", describe(r.Certificate), stamp(r.At), r.Reason.because(), r.By)
	}
	return fmt.Sprintf("it is not known whether the certificate %s was revoked: %s", describe(r.Certificate), r.Why())
}

// Waited adds that an answer was waited for, for so long, and is not there yet. It is for before the refusal is handed on.
func (r *Refusal) Waited(n Needed, d time.Duration) {
	if r.Status == Unknown && n.Certificate.Equal(r.Certificate) {
		r.Problems = append(slices.Clip(r.Problems), problem(FaultFetch, "no answer within %s", d).of(n.Kind, n.URI))
	}
}

// Why says, for people, why nothing is known.
func (r *State) Why() string {
	if len(r.Problems) == 0 {
		return "neither it nor the configuration says where to ask"
	}
	list := make([]string, len(r.Problems))
	for i, err := range r.Problems {
		list[i] = err.Error()
	}
	return strings.Join(list, "; ")
}

// judge applies the policy to the states.
func (v *Verdict) judge(p policy.Revocation) {
	for i := range v.States {
		s := &v.States[i]
		if s.Status == Revoked {
			v.Refused, v.Until = &Refusal{*s, p}, time.Time{}
			v.Needed = slices.DeleteFunc(v.Needed, func(n Needed) bool { return s.Reason != CertificateHold || !n.Certificate.Equal(s.Certificate) })
			return
		}
		if s.Status == Good && (v.Until.IsZero() || s.Until.Before(v.Until)) {
			v.Until = s.Until
		}
	}
	for _, s := range v.States {
		if s.Status == Unknown && (p == policy.RevocationStrict || p == policy.RevocationIfURI && s.Expected) {
			v.Refused = &Refusal{s, p}
			return
		}
	}
}

// describe names a certificate in a message.
func describe(c *x509.Certificate) string {
	return fmt.Sprintf("%q (serial number %s, issued by %q)", pki.Subject(c), pki.Serial(c), pki.Issuer(c))
}

// stamp is a time in a message.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
