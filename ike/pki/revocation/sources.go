package revocation

import (
	"crypto/x509"
	"net/url"
	"slices"
)

// source is an address to fetch from.
type source struct {
	uri        string
	configured bool
}

const (
	// maxSources bounds the addresses that are tried for one certificate and kind, and maxURI the length of one.
	maxSources = 4
	maxURI     = 2048
)

// sources collects addresses: those of the operator first. unusable counts the others that there are.
type sources struct {
	list     []source
	unusable int
}

// add takes addresses of http and https. Others, like ldap, are not fetched from.
func (s *sources) add(configured bool, uris ...string) {
	for _, uri := range uris {
		u, err := url.Parse(uri)
		switch {
		case err != nil, len(uri) > maxURI, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.User != nil:
			s.unusable++
		case len(s.list) < maxSources && !slices.ContainsFunc(s.list, func(o source) bool { return o.uri == uri }):
			s.list = append(s.list, source{uri, configured})
		}
	}
}

func (s *sources) any() bool { return len(s.list)+s.unusable > 0 }

// sourcesOf finds where to ask for the state of a certificate.
func sourcesOf(c, issuer *x509.Certificate, r *Rules, points []point) (crl, ocsp sources) {
	for _, a := range r.of(issuer) {
		crl.add(true, a.CRLURIs...)
		ocsp.add(true, a.OCSPURIs...)
	}
	ocsp.add(false, c.OCSPServer...)
	for _, p := range points {
		if !p.indirect {
			crl.add(false, p.uris...)
		}
	}
	return crl, ocsp
}
