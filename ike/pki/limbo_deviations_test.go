package pki

// deviations are the cases where Judge says the opposite of the suite, each with the reason.
func deviations() map[string]string {
	const (
		forCAs = "a duty of the CA that says nothing about what the certificate is worth; " +
			"RFC 4945, section 5.1.3, lets an implementation go on"
		usage     = "extended key usage doesn't matter, see doc.go"
		keyUsage  = "stricter: the key usage has neither digitalSignature nor nonRepudiation (RFC 4945, section 5.1.3.2)"
		inName    = "the name is in the subjectAltName, and what looks like one in the CN is none (RFC 4945, section 3.1.9)"
		wildcard  = "stricter: no wildcards in certificates (RFC 4945, section 3.1.2)"
		revoked   = "revocation is looked at elsewhere"
		depth     = "the length of a chain can't be configured; what a peer may send bounds it"
		selfIssue = "stricter: crypto/x509 makes no exception for self-issued intermediates"
		tooMany   = "stricter: 36 certificates of a peer are too many"
		web       = "a rule of the CA/Browser Forum"
	)
	return map[string]string{
		"crl::revoked-certificate-with-crl": revoked,
		"crl::crlnumber-missing":            revoked,
		"crl::crlnumber-critical":           revoked,
		"crl::issuer-missing-crlsign":       revoked,

		"pathlen::validation-ignores-pathlen-in-leaf": keyUsage,
		"pathlen::self-issued-certs-pathlen":          selfIssue,
		"pathlen::max-chain-depth-0-exhausted":        depth,
		"pathlen::max-chain-depth-1-exhausted":        depth,

		"rfc5280::aki::leaf-missing-aki":               forCAs,
		"rfc5280::aki::intermediate-missing-aki":       forCAs,
		"rfc5280::aki::cross-signed-root-missing-aki":  forCAs,
		"rfc5280::eku::ee-wrong-eku":                   usage,
		"rfc5280::eku::ee-eku-empty":                   usage,
		"rfc5280::nc::permitted-dns-match-noncritical": forCAs + "; the constraint is applied",
		"rfc5280::nc::permitted-self-issued":           selfIssue,
		"rfc5280::nc::invalid-dnsname-leading-period":  "the erratum 5997 of RFC 5280 has such constraints, which are in use",
		"rfc5280::nc::not-allowed-in-ee-*":             forCAs,
		"rfc5280::nc::nc-forbids-othername-noop":       "stricter: a critical constraint on a kind of name not known here",
		"rfc5280::pc::ica-noncritical-pc":              forCAs + "; the constraint is applied",
		"rfc5280::san::noncritical-with-empty-subject": forCAs,
		"rfc5280::san::underscore-dns":                 "the name is compared with the identity as a whole, and is in use",
		"rfc5280::serial::zero": "\"Certificate users SHOULD be prepared to gracefully handle such certificates\", " +
			"section 4.1.2.2; old roots have it",
		"rfc5280::ski::root-missing-ski":               forCAs,
		"rfc5280::ski::intermediate-missing-ski":       forCAs,
		"rfc5280::ca-empty-subject":                    forCAs,
		"rfc5280::root-non-critical-basic-constraints": forCAs,
		"rfc5280::leaf-ku-keycertsign":                 forCAs,
		"rfc5280::ca-as-leaf":                          keyUsage,

		"webpki::aki::root-with-aki-*":                    web,
		"webpki::cn::*-mismatch":                          inName,
		"webpki::cn::*not-in-san":                         inName,
		"webpki::eku::*":                                  usage,
		"webpki::nc::nc-permits-dns-san-pattern":          wildcard,
		"webpki::san::leftmost-wildcard-san":              wildcard,
		"webpki::san::san-critical-with-nonempty-subject": forCAs,
		"webpki::forbidden-rsa-*not-divisible-by-8-*":     web,
		"webpki::ee-basicconstraints-ca":                  web,

		"bettertls::pathbuilding::tc5":  usage,
		"bettertls::pathbuilding::tc12": usage,
		"bettertls::pathbuilding::tc38": usage,
		"bettertls::pathbuilding::tc44": usage,
		"bettertls::pathbuilding::tc61": tooMany,
		"bettertls::pathbuilding::tc62": tooMany,
		"bettertls::pathbuilding::tc63": tooMany,
		"bettertls::pathbuilding::tc64": tooMany,
		"bettertls::pathbuilding::tc65": tooMany,
		"bettertls::pathbuilding::tc66": tooMany,
		"bettertls::pathbuilding::tc67": tooMany,
		"bettertls::pathbuilding::tc68": tooMany,
	}
}
