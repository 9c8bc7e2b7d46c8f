package revocation

import (
	"crypto/x509"
	"slices"

	"esplanade/ike/policy"
)

// Rules are what the configuration says of a peer's certificates. They are immutable once made, and may be read by any goroutine. The
// zero value is relaxed, and knows of the addresses in certificates only.
type Rules struct {
	// Policy says what becomes of a peer when it can't be found out whether a certificate was revoked.
	Policy policy.Revocation
	// Authorities are the tables [authorities.NAME].
	Authorities []*Authority
	// Lists are the CRLs that were read from files.
	Lists []*List
	// Responders are the certificates of OCSP responders that are trusted for every CA, RFC 6960 section 2.2: "a Trusted Responder whose
	// public key is trusted by the requestor". Most CAs need none: they sign answers themselves, or have a certificate for whoever does.
	Responders []*x509.Certificate
}

// Same reports whether other rules are these very ones: what was read from the files once more is not, whatever is in it.
func (r *Rules) Same(o *Rules) bool {
	return r.Policy == o.Policy && slices.Equal(r.Authorities, o.Authorities) && slices.Equal(r.Lists, o.Lists) &&
		slices.Equal(r.Responders, o.Responders)
}

// Authority is what the configuration says of a CA: where to ask for certificates of it, before the addresses that they name.
type Authority struct {
	// Name is that of the table.
	Name string
	// CA is the certificate of the CA.
	CA *x509.Certificate
	// CRLURIs and OCSPURIs are addresses to fetch CRLs from and to ask OCSP at. They may lead to private addresses, since the operator
	// wrote them.
	CRLURIs, OCSPURIs []string
}

// of returns the tables of a CA, by its name and key: a CA may have several certificates.
func (r *Rules) of(ca *x509.Certificate) (list []*Authority) {
	for _, a := range r.Authorities {
		if a.CA != nil && sameCA(a.CA, ca) {
			list = append(list, a)
		}
	}
	return list
}

func sameCA(a, b *x509.Certificate) bool {
	return slices.Equal(a.RawSubject, b.RawSubject) && slices.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo)
}

// Concern reports whether there is anything to find out about a chain, end first and anchor last: where there is no address, no CRL and no
// policy that wants one, there is not.
func (r *Rules) Concern(chain []*x509.Certificate) bool {
	for i := range len(chain) - 1 {
		c, issuer := chain[i], chain[i+1]
		if r.Policy == policy.RevocationStrict || len(r.Lists) > 0 || len(c.OCSPServer)+len(c.CRLDistributionPoints) > 0 || len(r.of(issuer)) > 0 {
			return true
		}
	}
	return false
}
