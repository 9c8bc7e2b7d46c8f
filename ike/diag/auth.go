package diag

import (
	"fmt"
	"time"
)

// IDMismatch is the failure that the peer shows identity got where expected is configured.
func IDMismatch(w Where, expected, got string) *Failure {
	f := w.failure(CodeAuthID)
	if f.PeerID == "" {
		f.PeerID = got
	}
	f.Ours, f.Theirs, f.Notify = quote(expected), quote(got), "AUTHENTICATION_FAILED"
	f.Fix = fmt.Sprintf("set remote.id = %q in %s, or the peer's own id to %q.", oneLine(got), w.connection(), oneLine(expected))
	return f
}

// WrongPSK is the failure of the side that checks: the AUTH value of the peer does not fit the key of secret (the name
// of its table, such as "secrets.ike.office"), which was selected by the two identities.
func WrongPSK(w Where, secret, localID, remoteID string) *Failure {
	f := w.failure(CodeAuthPSK)
	if f.PeerID == "" {
		f.PeerID = remoteID
	}
	f.Ours = fmt.Sprintf("%s for %s and %s", orUnknown(secret, "the key"), quote(localID), quote(remoteID))
	f.Theirs, f.Notify = "another key, or with one for other identities", "AUTHENTICATION_FAILED"
	f.Fix = fmt.Sprintf("enter the same key in %s here and at the peer for these two identities; compare checksums of the "+
		"files, and look for a trailing newline.", orUnknown(secret, "the secret"))
	return f
}

// AuthRefused is the failure of an initiator (or of a responder whose AUTH the peer refused): the peer answered
// AUTHENTICATION_FAILED. method is what we authenticated with ("psk", "pubkey", "eap"); with "psk" the likeliest cause
// by far is a differing key, and the code is [CodeAuthPSK].
func AuthRefused(w Where, method, localID, secret string) *Failure {
	code, ours := CodeAuthRefused, quote(localID)+" by "+method
	if method == "psk" {
		code, ours = CodeAuthPSK, fmt.Sprintf("%s as %s", orUnknown(secret, "the key"), quote(localID))
	}
	f := w.failure(code)
	f.ByPeer, f.Notify, f.Ours = true, "AUTHENTICATION_FAILED", ours
	if code == CodeAuthPSK {
		f.Fix = fmt.Sprintf("the peer does not say why: compare the key in %s with the peer's for %s (checksums; a trailing "+
			"newline), then check that the peer expects %s from us.",
			orUnknown(secret, "the secret"), quote(localID), quote(localID))
	}
	return f
}

// MethodMismatch is the failure that the peer authenticates with method got where required is configured.
func MethodMismatch(w Where, required, got string) *Failure {
	f := w.failure(CodeAuthMethod)
	f.Ours, f.Theirs, f.Notify = required, got, "AUTHENTICATION_FAILED"
	f.Fix = fmt.Sprintf("let the peer authenticate with %s, or set remote.auth for %s in %s.",
		oneLine(required), oneLine(got), w.connection())
	return f
}

// NoSecret is the failure that no key is configured for the pair of identities. have lists the entries there are, such
// as "office (site-a.example, site-b.example)"; never their keys.
func NoSecret(w Where, localID, remoteID string, have []string) *Failure {
	f := w.failure(CodeNoSecret)
	f.Theirs = quote(remoteID)
	f.Ours = fmt.Sprintf("a key for %s and %s among %s", quote(localID), quote(remoteID),
		orUnknown(list(have, maxListed), "no entries at all"))
	f.Fix = fmt.Sprintf("add [secrets.ike.%s] with id = [%q, %q] and secret_file, with a key that no other peer has.",
		orUnknown(w.Connection, "NAME"), oneLine(localID), oneLine(remoteID))
	return f
}

// BadSignature is the failure that the peer's AUTH signature does not verify with the key of the named certificate.
func BadSignature(w Where, subject string, cause error) *Failure {
	f := w.failure(CodeAuthSig)
	f.Theirs, f.Ours, f.Cause = "another key", "the public key of "+quote(subject), cause
	f.Notify = "AUTHENTICATION_FAILED"
	return f
}

// CertUntrusted is the failure that no trusted issuer stands above the peer's certificate.
func CertUntrusted(w Where, subject, issuer string, trusted []string) *Failure {
	f := w.failure(CodeAuthCertChain)
	f.Theirs = quote(subject) + " issued by " + quote(issuer)
	f.Ours = orUnknown(list(trusted, maxListed), "no CA at all")
	f.Notify = "AUTHENTICATION_FAILED"
	f.Fix = "add the certificate of " + quote(issuer) + " to credentials.x509ca here, or let the peer send its whole chain."
	return f
}

// CertExpired is the failure that a certificate is outside its validity at time w.Time.
func CertExpired(w Where, subject string, notBefore, notAfter time.Time) *Failure {
	f := w.failure(CodeAuthCertExpired)
	f.Theirs = fmt.Sprintf("%s, valid from %s to %s", quote(subject), day(notBefore), day(notAfter))
	f.Ours, f.Notify = stamp(w.Time), "AUTHENTICATION_FAILED"
	return f
}

// CertName is the failure that the certificate does not contain the identity; names are its subject and
// subjectAltNames.
func CertName(w Where, id string, names []string) *Failure {
	f := w.failure(CodeAuthCertSAN)
	f.Theirs, f.Ours = orUnknown(list(names, 2*maxListed), "no names"), quote(id)
	f.Notify = "AUTHENTICATION_FAILED"
	f.Fix = fmt.Sprintf("set remote.id in %s to one of the names in the certificate, or issue a certificate that contains %q.",
		w.connection(), oneLine(id))
	return f
}

// CertRevoked is the failure that a certificate is revoked, or, with cause, that its status is not known.
func CertRevoked(w Where, subject, checked string, cause error) *Failure {
	f := w.failure(CodeAuthCertRevoked)
	f.Theirs, f.Ours, f.Cause = quote(subject), checked, cause
	f.Notify = "AUTHENTICATION_FAILED"
	return f
}

// EAPFailed is the failure of EAP method for identity. byPeer: the peer's server refused us.
func EAPFailed(w Where, method, identity string, byPeer bool) *Failure {
	f := w.failure(CodeEAP)
	f.ByPeer = byPeer
	if byPeer {
		f.Ours = method + " as " + quote(identity)
		return f
	}
	f.Theirs, f.Ours = method+" as "+quote(identity), method+" with a user and password known here"
	return f
}

// RADIUSSilent is the failure that none of servers answered for the peer's EAP identity.
func RADIUSSilent(w Where, identity string, servers []string) *Failure {
	f := w.failure(CodeRADIUS)
	f.Theirs, f.Ours = quote(identity), orUnknown(list(servers, maxListed), "no server at all")
	return f
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// stamp is t in UTC to the second.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") }
