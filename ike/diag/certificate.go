package diag

import (
	"fmt"
	"time"
)

// CertFault is a kind of what is wrong with a certificate, or with that there is none. Each has a code.
type CertFault uint8

// The kinds.
const (
	// CertMissing: the peer has sent no certificate, and this side has none of it.
	CertMissing CertFault = iota + 1
	// CertUnreadable: it, or one that came with it, can't be read, or there are too many.
	CertUnreadable
	// CertUntrusted: it does not lead to a CA that is trusted.
	CertUntrusted
	// CertOther: the configuration names certificates or keys, and this is none of them.
	CertOther
	// CertIdentity: it is not for the identity that the peer shows.
	CertIdentity
	// CertUsage: its key may not sign.
	CertUsage
	// CertExpired: it is not valid any more. CertEarly: not yet.
	CertExpired
	CertEarly
	// CertConstraint: a CA of the chain may not issue such a certificate, or a policy is missing.
	CertConstraint
	// CertWeak: a key or a signature of the chain is too weak, or of a kind that is not accepted.
	CertWeak
)

// code is that of a kind.
func (c CertFault) code() Code {
	switch c {
	case CertMissing:
		return CodeCertNone
	case CertUnreadable:
		return CodeCertSyntax
	case CertOther:
		return CodeCertPinned
	case CertIdentity:
		return CodeCertID
	case CertUsage:
		return CodeCertUsage
	case CertExpired:
		return CodeCertExpired
	case CertEarly:
		return CodeCertEarly
	case CertConstraint:
		return CodeCertConstraint
	case CertWeak:
		return CodeCertWeak
	default:
		return CodeCertCA
	}
}

// Certificate is one certificate as people know it. All fields may be empty.
type Certificate struct {
	// Role is what it is: "certificate", "certificate of the intermediate CA".
	Role string
	// Subject and Issuer are distinguished names, Serial the serial number, Names what the certificate is for, in one text.
	Subject, Serial, Issuer, Names string
}

// text is "the certificate 'CN=b' (serial number 12ab, issued by 'CN=CA')".
func (c Certificate) text() string {
	switch {
	case c.Subject == "" && c.Serial == "":
		return "a certificate"
	case c.Subject == "":
		return "the certificate with the serial number " + oneLine(c.Serial) + ", issued by " + quote(c.Issuer)
	}
	s := "the " + orUnknown(c.Role, "certificate") + " " + quote(c.Subject)
	if c.Serial == "" {
		return s
	}
	return s + " (serial number " + oneLine(c.Serial) + ", issued by " + quote(c.Issuer) + ")"
}

// CertRefusal is why a peer's certificate is refused.
type CertRefusal struct {
	Fault CertFault
	// Cert is the certificate that it is about, the peer's or one of its chain.
	Cert Certificate
	// ID is the identity that the peer shows.
	ID string
	// CA is the distinguished name of the CA that it is about, if it is about one.
	CA string
	// Now is the time here, and Limit the date that the certificate ends or begins with.
	Now, Limit time.Time
	// Want is what this side expects, Blame what is wrong, each as the rest of a sentence, and Advice what to do. What is empty follows
	// from the fault.
	Want, Blame, Advice string
}

// CertRefused is the failure that the peer shows a certificate, or none, with which it can't prove who it is.
func CertRefused(w Where, r CertRefusal) *Failure {
	theirs, ours, fix := r.Cert.text(), r.Want, r.Advice
	switch r.Fault {
	case CertMissing:
		theirs = ""
		ours = orUnknown(ours, "have none for "+quote(r.ID)+" here")
		fix = orUnknown(fix, "let the peer send its certificate (strongSwan: send_cert = always), or name it in certs of "+w.connection()+".remote.")
	case CertIdentity:
		theirs += ", which is for " + oneLine(orUnknown(r.Cert.Names, "nobody"))
		ours = orUnknown(ours, "one for "+quote(r.ID)+", as which the peer shows itself")
		fix = orUnknown(fix, fmt.Sprintf("set the peer's own id to a name that is in its certificate, and remote.id of %s to the same; or issue it a "+
			"certificate with the subjectAltName %s.", w.connection(), quote(r.ID)))
	case CertExpired:
		theirs += ", which expired at " + dateText(r.Limit)
		ours = orUnknown(ours, dateText(r.Now)+", "+apartText(r.Now.Sub(r.Limit))+" later")
		fix = orUnknown(fix, "renew "+r.Cert.text()+"; if it is renewed already, have its owner load the new one. If the time here is wrong, set the clock.")
	case CertEarly:
		theirs += ", which is not valid before " + dateText(r.Limit)
		ours = orUnknown(ours, dateText(r.Now)+", "+apartText(r.Limit.Sub(r.Now))+" earlier")
		fix = orUnknown(fix, "compare the clock here with that of the CA that has issued "+r.Cert.text()+", and set the one that is wrong.")
	default:
		if r.Fault == CertOther && r.Cert == (Certificate{}) && r.Blame != "" {
			theirs = oneLine(r.Blame)
		} else if r.Blame != "" {
			theirs += ", " + oneLine(r.Blame)
		}
	}
	f := w.failure(r.Fault.code(), ours, theirs)
	f.PeerID = orUnknown(w.PeerID, r.ID)
	f.Fix = fix
	return f
}

// dateText is a date for people.
func dateText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// apartText is how long something is, in its largest unit, cut off.
func apartText(d time.Duration) string {
	n, unit := d/time.Second, "second"
	switch {
	case d >= 48*time.Hour:
		n, unit = d/(24*time.Hour), "day"
	case d >= 2*time.Hour:
		n, unit = d/time.Hour, "hour"
	case d >= 2*time.Minute:
		n, unit = d/time.Minute, "minute"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// WrongSignature is the failure that the peer's signature is not that of its certificate's key: scheme is what it says to be, key the kind of
// the key, and fits whether the two go together.
func WrongSignature(w Where, c Certificate, scheme, key string, fits bool) *Failure {
	f := w.failure(CodeSignature, "the key of "+c.text(), "a signature by "+oneLine(scheme)+" that is not made with that key")
	f.Fix = "the peer has another private key than that of its certificate: let it load the two that belong together, and look whether a renewed " +
		"certificate came with a new key."
	if !fits {
		f.Theirs = "a signature by " + oneLine(scheme)
		f.Ours += ", which is of " + oneLine(key)
		f.Fix = "the peer signs with another kind of key than the one in its certificate: let it load the two that belong together."
	}
	return f
}

// SignatureNotAccepted is the failure that the peer signs by an algorithm, named scheme, that this side does not take, for a reason.
func SignatureNotAccepted(w Where, scheme, reason string) *Failure {
	f := w.failure(CodeSignatureAlgorithm, "SHA-2 and EdDSA: "+oneLine(reason), "by "+oneLine(scheme))
	f.Fix = "let the peer sign with SHA-256 or a longer hash of SHA-2, or with EdDSA; it has to know RFC 7427 for that, which most have."
	return f
}

// NoSignature is the failure that none of this side's keys can make a signature that the peer takes. keys are their kinds, announced the
// hashes that the peer takes, none if it does not know RFC 7427.
func NoSignature(w Where, keys, announced []string) *Failure {
	theirs := "signatures with " + list(announced, 8)
	if len(announced) == 0 {
		theirs = "signatures of before RFC 7427 only"
	}
	f := w.failure(CodeSignatureAlgorithm, "keys of "+list(keys, 8), theirs)
	f.Fix = "give this gateway a certificate with a key of another kind (ECDSA P-256 is known to all), in certs of " + w.connection() + ".local; or " +
		"let the peer accept signatures with SHA-256."
	return f
}

// NoKey is the failure that this side has no private key with a certificate to prove itself with, as localID.
func NoKey(w Where, localID string) *Failure {
	f := w.failure(CodeNoKey, "a private key with a certificate for "+quote(localID), "")
	f.Fix = fmt.Sprintf("name the certificate in certs of %s.local, and its key in private of [credentials]; `esplanade check` says what is wrong with them. Where an ACME server "+
		"is to give one, `esplanade status` says how that goes.", w.connection())
	return f
}

// KeyFailed is the failure that the private key of this side has made no signature.
func KeyFailed(w Where, cause error) *Failure {
	f := w.because(CodeNoKey, cause, "a signature of the private key", "")
	f.Fix = "look whether the token that holds the key is there and unlocked."
	return f
}

// NoTrust is the failure that nothing is configured that a peer's certificate could lead to.
func NoTrust(w Where) *Failure {
	f := w.failure(CodeCertCA, "a trusted CA, and have none for this connection", "a certificate")
	f.Fix = "name the certificate of the peer's CA in cacerts of " + w.connection() + ".remote, or the peer's own in certs."
	return f
}
