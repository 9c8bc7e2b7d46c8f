package pki

import (
	"bytes"
	"crypto/x509"
	"slices"
	"time"

	"esplanade/ike/identity"
)

// candidates are the certificates that a chain of an end may lead through, and at which it may end.
type candidates struct {
	anchors []*x509.Certificate
	between []*x509.Certificate // of this side's store, and of the peer as far as they are vouched for
	unknown []*x509.Certificate // of the peer
}

// chain finds the way from an end to an anchor: the shortest that is valid.
func (j *judgement) chain(end *x509.Certificate, others []*x509.Certificate) ([]*x509.Certificate, error) {
	use := manageable(j.trust.reach(end, others))
	chains, err := j.verify(end, use)
	if err != nil {
		return nil, j.explain(end, use, err)
	}
	slices.SortStableFunc(chains, func(a, b []*x509.Certificate) int {
		if d := len(a) - len(b); d != 0 {
			return d
		}
		return until(b).Compare(until(a))
	})
	var worst *Refusal
	for _, chain := range chains {
		r := j.whole(chain)
		if r == nil {
			return chain, nil
		}
		worst = better(worst, r)
	}
	return nil, worst
}

// verify has crypto/x509 build and validate the chains.
func (j *judgement) verify(end *x509.Certificate, use candidates) ([][]*x509.Certificate, error) {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range use.anchors {
		roots.AddCert(understood(c))
	}
	for _, c := range slices.Concat(use.between, use.unknown) {
		between.AddCert(understood(c))
	}
	// Policies that are demanded are what RFC 5280, section 6.1.1, calls initial-explicit-policy. crypto/x509 has no option
	// for it; that the end demands it comes to the same (section 6.1.5, step b).
	last := *end
	last.RequireExplicitPolicyZero = end.RequireExplicitPolicyZero || len(j.trust.Policies) > 0
	chains, err := last.Verify(x509.VerifyOptions{
		Roots:               roots,
		Intermediates:       between,
		CurrentTime:         exactly(j.now),
		KeyUsages:           []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		CertificatePolicies: j.trust.Policies,
	})
	// The certificates that were changed for this purpose stay here.
	for _, chain := range chains {
		for i, c := range chain {
			chain[i] = use.original(end, c)
		}
	}
	return chains, err
}

// original is the certificate that the other is a copy of.
func (c candidates) original(end, of *x509.Certificate) *x509.Certificate {
	for _, list := range [][]*x509.Certificate{{end}, c.anchors, c.between, c.unknown} {
		if i := slices.IndexFunc(list, of.Equal); i >= 0 {
			return list[i]
		}
	}
	return of
}

// exactly keeps the zero time from meaning the clock of this machine, which crypto/x509 would take it for.
func exactly(now time.Time) time.Time {
	if now.IsZero() {
		return now.Add(1)
	}
	return now
}

// reach follows the names of issuers from the end upwards. What the peer has sent and nothing leads to is left out, as
// is what it has sent of what is here already.
func (t *Trust) reach(end *x509.Certificate, others []*x509.Certificate) candidates {
	var out candidates
	seen := map[string]bool{}
	if containsCert(t.Anchors, end) {
		out.anchors = append(out.anchors, end)
	}
	names := [][]byte{end.RawIssuer}
	for ; len(names) > 0; names = names[1:] {
		name := names[0]
		if seen[string(name)] {
			continue
		}
		seen[string(name)] = true
		for _, c := range t.Anchors {
			if bytes.Equal(c.RawSubject, name) && !containsCert(out.anchors, c) {
				out.anchors = append(out.anchors, c)
			}
		}
		for _, c := range t.Intermediates {
			if bytes.Equal(c.RawSubject, name) && !containsCert(out.anchors, c) && !containsCert(out.between, c) {
				out.between = append(out.between, c)
				names = append(names, c.RawIssuer)
			}
		}
		for _, c := range others {
			if bytes.Equal(c.RawSubject, name) && !containsCert(out.anchors, c) && !containsCert(out.between, c) &&
				!containsCert(out.unknown, c) {
				out.unknown = append(out.unknown, c)
				names = append(names, c.RawIssuer)
			}
		}
	}
	return out
}

func containsCert(list []*x509.Certificate, c *x509.Certificate) bool {
	return slices.ContainsFunc(list, func(o *x509.Certificate) bool { return bytes.Equal(o.Raw, c.Raw) })
}

// manageable leaves so few of the peer's certificates that all ways to combine them can be tried.
func manageable(in candidates) candidates {
	if len(in.unknown) <= maxUnvouched {
		return in
	}
	return vouch(in)
}

// vouch keeps of the peer's certificates those that a trusted CA, or a CA vouched for already, has issued. The work is
// linear in their number, where that of trying chains is not: somebody unknown could make certificates that have all
// issued each other.
func vouch(in candidates) candidates {
	out := candidates{anchors: in.anchors, between: slices.Clone(in.between)}
	issuers := slices.Concat(in.anchors, in.between)
	rest := slices.Clone(in.unknown)
	for checks := 0; len(issuers) > 0 && len(rest) > 0; issuers = issuers[1:] {
		ca := issuers[0]
		rest = slices.DeleteFunc(rest, func(c *x509.Certificate) bool {
			if !bytes.Equal(c.RawIssuer, ca.RawSubject) || checks == maxVouching || !fits(ca) {
				return false
			}
			checks++
			if c.CheckSignatureFrom(ca) != nil {
				return false
			}
			out.between = append(out.between, c)
			issuers = append(issuers, c)
			return true
		})
	}
	return out
}

func fits(c *x509.Certificate) bool {
	_, err := PublicKey(c)
	return err == nil
}

// whole judges a chain that crypto/x509 has accepted for what it leaves open.
func (j *judgement) whole(chain []*x509.Certificate) *Refusal {
	for i, c := range chain {
		if _, err := PublicKey(c); err != nil {
			return j.unfit(c, roleAt(i, len(chain)), err)
		}
	}
	for i, ca := range chain[1:] {
		// "If a key usage extension is present, verify that the keyCertSign bit is set", RFC 5280, section 6.1.4, step n.
		// crypto/x509 takes a key usage without any bit for none.
		if hasExtension(ca, oidKeyUsage) && ca.KeyUsage&x509.KeyUsageCertSign == 0 {
			r := j.refuse(NotCA, chain[i], roleAt(i, len(chain)), "")
			r.CA = Subject(ca)
			return r
		}
	}
	if r := j.names(chain); r != nil {
		return r
	}
	// Policies are a property of what an anchor has issued; one that is an end itself has to have them.
	if len(chain) == 1 {
		if r := j.ownPolicies(chain[0]); r != nil {
			return r
		}
	}
	if !j.hasCA(chain) {
		r := j.refuse(WrongCA, chain[0], End, "")
		r.CA = clip(j.trust.CA.String())
		return r
	}
	return nil
}

func roleAt(i, n int) Role {
	switch {
	case i == 0:
		return End
	case i == n-1:
		return Anchor
	}
	return Intermediate
}

// hasCA reports whether the CA that the configuration demands is in the chain.
func (j *judgement) hasCA(chain []*x509.Certificate) bool {
	want := j.trust.CA
	if want.Any() {
		return true
	}
	return slices.ContainsFunc(chain[1:], func(c *x509.Certificate) bool {
		if want.Type == identity.DERASN1DN {
			_, ok := subjectOf(c).Matches(want)
			return ok
		}
		return Binds(c, want)
	})
}
