package auth

import (
	"crypto/x509"
	"errors"

	"esplanade/ike/eap"
	"esplanade/ike/pki/revocation"
)

// unrevokedInEAP asks whether a certificate was revoked that the peer has shown in TLS within EAP, where its method has judged it already. It is
// asked before anybody is told of success. done is false while that waits; the error is a [*revocation.Refusal] if it was.
func unrevokedInEAP(t *Transcript, rules func() revocation.Rules, chain []*x509.Certificate) (done bool, err error) {
	if rules == nil || len(chain) == 0 {
		return true, nil
	}
	u := Unrevoked{Chain: chain, Rules: rules()}
	if !u.Rules.Concern(chain) {
		return true, nil
	}
	answer, ok := t.Ask(u)
	switch {
	case !ok:
		return false, nil
	case answer.Err != nil:
		return false, answer.Err
	}
	t.PeerGoodUntil = earlier(t.PeerGoodUntil, answer.Value.(revocation.Verdict).Until)
	return true, nil
}

// revokedInEAP is the failure of a certificate that was revoked; nil for another error, such as that nobody has the time to find out.
func revokedInEAP(r *eap.Result, err error) *EAPError {
	var refusal *revocation.Refusal
	if !errors.As(err, &refusal) {
		return nil
	}
	f := &eap.Failure{Method: r.Method, User: r.User.Name, Reason: eap.ReasonCertificate, Err: err}
	return &EAPError{Reason: EAPFailed, User: r.User.Name, Failure: f, Err: err}
}
