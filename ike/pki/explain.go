package pki

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"

	"github.com/cloudflare/circl/sign/ed448"
)

// better is the more useful to know of two refusals; either may be nil.
func better(a, b *Refusal) *Refusal {
	if a == nil || b != nil && b.Reason > a.Reason {
		return b
	}
	return a
}

// explain finds out why no chain was accepted, err being what crypto/x509 says of it.
func (j *judgement) explain(end *x509.Certificate, all candidates, err error) *Refusal {
	e := explanation{j: j, all: all, budget: maxExplaining}
	found, complete := e.from([]*x509.Certificate{end})
	if complete == nil {
		return found
	}
	// A chain is there, and what is wrong with it only the whole of it shows.
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) {
		switch invalid.Reason {
		case x509.CANotAuthorizedForThisName, x509.UnconstrainedName, x509.TooManyConstraints:
			r := j.refuse(NameNotAllowed, end, End, invalid.Detail)
			r.CA = constraining(complete)
			return r
		case x509.NoValidChains:
			return j.wrongPolicy(end)
		default: // the walk would have met it
		}
	}
	return better(found, j.refuse(TooMuchWork, end, End, err.Error()))
}

// constraining is the name of the CA of a chain that has constraints on names.
func constraining(chain []*x509.Certificate) string {
	for _, c := range slices.Backward(chain) {
		if hasExtension(c, oidNameConstraints) {
			return Subject(c)
		}
	}
	return Subject(chain[len(chain)-1])
}

// explanation is a walk through the possible chains. It looks at each step for itself, where crypto/x509 names the first
// fault that it met.
type explanation struct {
	j      *judgement
	all    candidates
	budget int // signatures that may still be verified
}

// from goes on from the last certificate of a chain. It gives the most useful fault of those met, and a chain without
// one if there is any.
func (e *explanation) from(chain []*x509.Certificate) (found *Refusal, complete []*x509.Certificate) {
	c := chain[len(chain)-1]
	role := Intermediate
	if len(chain) == 1 {
		role = End
	}
	met := false
	for _, ca := range slices.Concat(e.all.anchors, e.all.between, e.all.unknown) {
		if !bytes.Equal(ca.RawSubject, c.RawIssuer) || containsCert(chain, ca) {
			continue
		}
		if e.budget == 0 {
			return better(found, e.j.refuse(TooMuchWork, chain[0], End, "")), nil
		}
		met = true
		anchor := containsCert(e.all.anchors, ca)
		if r := e.step(chain, role, ca, anchor); r != nil {
			found = better(found, r)
			continue
		}
		longer := append(slices.Clone(chain), ca)
		if anchor {
			return nil, longer
		}
		r, whole := e.from(longer)
		if whole != nil {
			return nil, whole
		}
		found = better(found, r)
	}
	if !met {
		reason := UnknownCA
		if bytes.Equal(c.RawIssuer, c.RawSubject) && role == End {
			reason = SelfSigned
		}
		found = e.j.refuse(reason, c, role, "")
		found.CA = Issuer(c)
	}
	return found, nil
}

// step reports why the CA can't have issued the last certificate of the chain.
func (e *explanation) step(chain []*x509.Certificate, role Role, ca *x509.Certificate, anchor bool) *Refusal {
	j := e.j
	c := chain[len(chain)-1]
	caRole := Intermediate
	if anchor {
		caRole = Anchor
	}
	if _, err := PublicKey(ca); err != nil {
		return j.unfit(ca, caRole, err)
	}
	e.budget--
	if r := j.signature(c, role, ca); r != nil {
		return r
	}
	if unhandled := understood(ca).UnhandledCriticalExtensions; len(unhandled) > 0 {
		return j.refuse(UnknownExtension, ca, caRole, unhandled[0].String())
	}
	if r := j.dates(ca, caRole); r != nil {
		return r
	}
	if !anchor && (!ca.BasicConstraintsValid || !ca.IsCA) {
		r := j.refuse(NotCA, c, role, "")
		r.CA = Subject(ca)
		return r
	}
	if ca.BasicConstraintsValid && ca.MaxPathLen >= 0 && len(chain)-1 > ca.MaxPathLen {
		r := j.refuse(PathTooLong, chain[0], End, "")
		r.CA = Subject(ca)
		return r
	}
	return nil
}

// signature judges the signature of a CA on a certificate.
func (j *judgement) signature(c *x509.Certificate, role Role, ca *x509.Certificate) *Refusal {
	err := c.CheckSignatureFrom(ca)
	if err == nil {
		return nil
	}
	reason, detail := BadSignature, ""
	var insecure x509.InsecureAlgorithmError
	switch {
	case errors.As(err, new(x509.ConstraintViolationError)):
		reason = NotCA
	case errors.As(err, &insecure):
		reason, detail = WeakSignature, x509.SignatureAlgorithm(insecure).String()
	case errors.Is(err, x509.ErrUnsupportedAlgorithm):
		reason, detail = WeakSignature, unsupported(ca)
	}
	r := j.refuse(reason, c, role, detail)
	r.CA = Subject(ca)
	return r
}

// unsupported names the algorithm of a CA whose signatures crypto/x509 doesn't verify.
func unsupported(ca *x509.Certificate) string {
	if key, err := PublicKey(ca); err == nil {
		if _, ok := key.(ed448.PublicKey); ok {
			return "Ed448, which a CA can't have"
		}
	}
	return "an unknown algorithm"
}
