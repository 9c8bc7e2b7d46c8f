package pki

import (
	"crypto/x509"
	"slices"
	"strings"
)

// ownPolicies judges an end that is trusted for itself, so that no CA says which policies hold.
func (j *judgement) ownPolicies(c *x509.Certificate) *Refusal {
	if len(j.trust.Policies) == 0 || slices.ContainsFunc(c.Policies, func(o x509.OID) bool {
		return slices.ContainsFunc(j.trust.Policies, o.Equal)
	}) {
		return nil
	}
	return j.wrongPolicy(c)
}

// wrongPolicy says which policies the end has, and which are demanded.
func (j *judgement) wrongPolicy(c *x509.Certificate) *Refusal {
	detail := "it has " + listed(c.Policies)
	if len(j.trust.Policies) > 0 {
		detail += "; demanded is " + listed(j.trust.Policies)
	}
	return j.refuse(WrongPolicy, c, End, detail)
}

func listed(policies []x509.OID) string {
	if len(policies) == 0 {
		return "none"
	}
	var all []string
	for _, o := range policies[:min(len(policies), maxNames)] {
		all = append(all, o.String())
	}
	return strings.Join(all, ", ")
}
