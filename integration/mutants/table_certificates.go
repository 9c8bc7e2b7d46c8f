package main

// certificates are mutants of what a peer's certificates and keys are worth.
func certificates() []Mutant {
	return []Mutant{
		{
			Name: "pki-identity", File: "ike/pki/trust.go", Tests: "^TestIdentityIsBound$",
			Old: "	if !Binds(c, j.id) {\n", New: "	if false {\n",
			Why: "whoever has a certificate of a trusted CA could be anybody",
		},
		{
			Name: "pki-pinned", File: "ike/pki/trust.go", Tests: "^TestPinned$",
			Old: "bytes.Equal(c.Raw, end.Raw)", New: "bytes.Equal(c.RawSubject, end.RawSubject)",
			Why: "a certificate of the same name would do for the one demanded",
		},
		{
			Name: "pki-key-usage", File: "ike/pki/trust.go", Tests: "^TestKeyUsage$",
			Old: "if hasExtension(c, oidKeyUsage) && c.KeyUsage&", New: "if c.KeyUsage != 0 && c.KeyUsage&",
			Why: "a key usage without any bit would be none",
		},
		{
			Name: "pki-expired", File: "ike/pki/trust.go", Tests: "^TestDates$|^TestPinned$",
			Old: "	return j.dates(c, End)\n", New: "	return nil\n",
			Why: "a pinned certificate would never expire",
		},
		{
			Name: "pki-policy-demanded", File: "ike/pki/chain.go", Tests: "^TestPolicies$",
			Old: "	last.RequireExplicitPolicyZero = end.RequireExplicitPolicyZero || len(j.trust.Policies) > 0\n", New: "",
			Why: "a chain without the policy demanded would do",
		},
		{
			Name: "pki-weak-ca", File: "ike/pki/chain.go", Tests: "^TestWeakCA$",
			Old: "		if _, err := PublicKey(c); err != nil {\n			return j.unfit", New: "		if _, err := PublicKey(c); err != nil && i == 0 {\n			return j.unfit",
			Why: "a CA with a key of 1024 bits could issue for anybody",
		},
		{
			Name: "pki-subject-constraint", File: "ike/pki/chain.go", Tests: "^TestDistinguishedNameConstraints$",
			Old: "	if r := j.names(chain); r != nil {\n", New: "	if r := j.names(chain); false {\n",
			Why: "a CA could issue for subjects that it may not issue for",
		},
		{
			Name: "pki-constraint-other", File: "ike/pki/constraints.go", Tests: "^TestDistinguishedNameConstraints$",
			Old: "!ok || s.other {", New: "!ok || s.other && false {",
			Why: "a critical constraint on a kind of name not known here would be passed over",
		},
		{
			Name: "pki-self-issued-end", File: "ike/pki/constraints.go", Tests: "^TestSelfIssued$",
			Old: "if k > 0 && string", New: "if string",
			Why: "an end of the CA's own name would be free of its constraints",
		},
		{
			Name: "pki-vouching", File: "ike/pki/chain.go", Tests: "^TestStrangersAreCheap$",
			Old: "	if len(in.unknown) <= maxUnvouched {\n", New: "	if len(in.unknown) <= MaxPresented {\n",
			Why: "a stranger could have a hundred signatures verified",
		},
		{
			Name: "pki-modulus", File: "ike/pki/key.go", Tests: "^TestAbsurdKeys$",
			Old: "	case bits > maxRSABits:\n", New: "	case false:\n",
			Why: "a stranger could have this side compute with a huge modulus",
		},
		{
			Name: "pki-key-form", File: "ike/pki/key.go", Tests: "^TestWycheproofKeys$",
			Old: "err != nil || !bytes.Equal(again, spki)", New: "err != nil || bytes.Equal(again, nil)",
			Why: "a public key would have many forms",
		},
		{
			Name: "pki-empty-subject", File: "ike/pki/bind.go", Tests: "^TestIdentityIsBound$",
			Old: "return len(c.Subject.Names) > 0 && subjectOf", New: "return subjectOf",
			Why: "a certificate without a subject would speak for whoever has none",
		},
		{
			Name: "dn-order-in-part", File: "ike/identity/match.go", Tests: "^TestMatches$",
			Old: "[]bool{false, true}", New: "[]bool{true, false}",
			Why: "a wildcard could take what another part of the pattern demands",
		},
	}
}
