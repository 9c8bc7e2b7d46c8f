package sa

import (
	"errors"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/pki"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/wire"
)

// signatureFailure is what a signature, or the certificate behind it, has failed with; nil for another error.
func (m *Machine) signatureFailure(w diag.Where, err error) *diag.Failure {
	var refusal *pki.Refusal
	var revoked *revocation.Refusal
	var wrong *auth.SignatureError
	var algorithm *auth.AlgorithmError
	var scheme *auth.NoSchemeError
	var key *auth.SignError
	if id := m.flow.peer; id.Type != 0 {
		w = w.Showing(id.String())
	}
	remote, local := w.At(m.cfg.RemoteIDLine), w.At(m.cfg.LocalIDLine)
	switch {
	case errors.As(err, &refusal):
		return diag.CertRefused(remote, certRefusal(refusal))
	case errors.As(err, &revoked):
		return revocationFailure(remote, revoked)
	case errors.As(err, &wrong):
		return diag.WrongSignature(remote, certificate(&pki.Refusal{Cert: wrong.Cert}), wrong.Scheme.String(), wrong.Key, wrong.Fits)
	case errors.As(err, &algorithm):
		return diag.SignatureNotAccepted(remote, algorithm.Name, algorithm.Reason)
	case errors.As(err, &scheme):
		return diag.NoSignature(local, scheme.Keys, names(scheme.Announced))
	case errors.As(err, &key):
		if NotNow(key.Err) {
			return nil
		}
		return diag.KeyFailed(local, key.Err)
	case errors.Is(err, auth.ErrNoKey):
		return diag.NoKey(local, m.localID.String())
	case errors.Is(err, auth.ErrNoTrust):
		return diag.NoTrust(remote)
	}
	return nil
}

// revocationFailure says which certificate was revoked, or of which one that is not known.
func revocationFailure(w diag.Where, r *revocation.Refusal) *diag.Failure {
	c := diag.Certificate{Subject: pki.Subject(r.Certificate), Serial: pki.Serial(r.Certificate), Issuer: pki.Issuer(r.Certificate)}
	if r.Certificate.BasicConstraintsValid && r.Certificate.IsCA {
		c.Role = "certificate of the CA"
	}
	if r.Status == revocation.Revoked {
		reason := ""
		if r.Reason != revocation.Unspecified {
			reason = r.Reason.String()
		}
		return diag.CertRevoked(w, c, r.At, reason, r.By)
	}
	return diag.CertStatusUnknown(w, c, r.Policy.String(), r.Why())
}

func names(list []wire.HashAlgorithm) (out []string) {
	for _, h := range list {
		out = append(out, h.String())
	}
	return out
}

// certificate is that of a refusal, if it is about one.
func certificate(r *pki.Refusal) diag.Certificate {
	if r.Cert == nil {
		return diag.Certificate{}
	}
	return diag.Certificate{Role: r.Role.String(), Subject: r.Subject(), Serial: r.Serial(), Issuer: pki.Issuer(r.Cert), Names: pki.Names(r.Cert)}
}

// ownSignature is what this side has signed with in IKE_AUTH.
func (m *Machine) ownSignature() (s diag.Signed) {
	by := m.signed
	if m.flow != nil {
		by = m.flow.t.Own
	}
	s.Name, s.Line, s.Sent = by.Name, by.Line, by.Sent
	if c := by.Cert; c != nil {
		s.Cert = certificate(&pki.Refusal{Cert: c})
		s.From, s.Until = c.NotBefore, c.NotAfter
	}
	return s
}

// certRefusal puts why a certificate is refused into the words of the operator: what the peer shows, what this side has, what to do.
func certRefusal(r *pki.Refusal) diag.CertRefusal {
	x := diag.CertRefusal{Cert: certificate(r), ID: r.ID.String(), Now: r.Now, Limit: r.Limit, CA: r.CA}
	detail := func(text string) string {
		if r.Detail == "" {
			return text
		}
		return text + " (" + r.Detail + ")"
	}
	switch r.Reason {
	case pki.NoCertificate:
		x.Fault = diag.CertMissing
	case pki.TooMuch:
		x.Fault, x.Blame = diag.CertUnreadable, detail("and too much else")
		x.Advice = "let the peer send its own certificate and those of the intermediate CAs, and nothing else."
	case pki.Unreadable:
		x.Fault, x.Blame = diag.CertUnreadable, detail("which is malformed")
	case pki.UnknownExtension:
		x.Fault, x.Blame, x.Want = diag.CertUnreadable, "which has the critical extension "+r.Detail, "know no such extension, and may not pass it over"
		x.Advice = "issue the peer a certificate without that extension, or with one that is not critical."
	case pki.UnknownKey:
		x.Fault, x.Blame, x.Want = diag.CertOther, detail("a raw public key"), "one of the keys that pubkeys of the remote table names"
		x.Advice = "compare it with what `esplanade pki show` says of those files, and put the peer's present public key into one of them."
	case pki.NotPinned:
		x.Fault, x.Want = diag.CertOther, "one of those that certs of the remote table names"
	case pki.UnknownCA:
		x.Fault, x.Blame = diag.CertUntrusted, detail("whose issuer '"+r.CA+"' is not known here")
	case pki.SelfSigned:
		x.Fault, x.Blame, x.Want = diag.CertUntrusted, "which is self-signed", "one that a CA of the configuration has issued, or that certs names"
		x.Advice = "have a CA issue the peer's certificate; or, if this one is meant, put it into a file that `certs` of the remote table names."
	case pki.BadSignature:
		x.Fault, x.Blame = diag.CertUntrusted, detail("whose signature is not that of the CA '"+r.CA+"' as it is known here")
		x.Want = "the signature of that CA's key here"
	case pki.NotCA:
		x.Fault, x.Blame = diag.CertUntrusted, detail("whose issuer '"+r.CA+"' is no CA")
	case pki.TooMuchWork:
		x.Fault, x.Blame = diag.CertUntrusted, "with more ways to a CA than are tried"
	case pki.WrongCA:
		x.Fault, x.Blame, x.Want = diag.CertUntrusted, "which does not lead by way of that CA", "the CA '"+r.CA+"' in its chain, as ca_id says"
		x.Advice = "set ca_id to a CA of the peer's chain, or have its certificate issued by that one."
	case pki.NotItsIdentity:
		x.Fault = diag.CertIdentity
	case pki.WrongUsage:
		x.Fault = diag.CertUsage
	case pki.Expired:
		x.Fault = diag.CertExpired
	case pki.NotYetValid:
		x.Fault = diag.CertEarly
	case pki.PathTooLong:
		x.Fault, x.Blame = diag.CertConstraint, detail("below more CAs than '"+r.CA+"' allows")
	case pki.NameNotAllowed:
		x.Fault, x.Blame = diag.CertConstraint, detail("with a name that the CA '"+r.CA+"' may not issue")
	case pki.WrongPolicy:
		x.Fault, x.Blame, x.Want = diag.CertConstraint, detail("without such a policy"), "a policy of cert_policy in its chain"
	case pki.WeakSignature, pki.UnfitKey, pki.WeakKey:
		x.Fault, x.Blame = diag.CertWeak, detail("with "+weakness(r.Reason))
	default:
		x.Fault, x.Blame = diag.CertUntrusted, r.Reason.String()
	}
	return x
}

// weakness is what is weak, in a sentence.
func weakness(r pki.Reason) string {
	switch r {
	case pki.WeakSignature:
		return "a signature of the CA that is not accepted"
	case pki.UnfitKey:
		return "a key that is not accepted"
	default:
		return "a key that is too short"
	}
}
