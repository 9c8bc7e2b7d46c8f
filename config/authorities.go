package config

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"net/url"
	"slices"

	"esplanade/ike/credential"
	"esplanade/ike/pki/revocation"
)

// Authority is one table [authorities.NAME]: a CA, and where to ask which of its certificates were revoked, in addition to what these say
// themselves.
type Authority struct {
	Source
	// Name is the table's name.
	Name string `key:"-"`
	// CACert is the file with the certificate of the CA. The CA is accepted of peers like those of [credentials].x509ca.
	CACert string `key:"cacert" reload:"live"`
	// CRLURIs and OCSPURIs are addresses of http or https, the best first.
	CRLURIs  []string `key:"crl_uris" reload:"live"`
	OCSPURIs []string `key:"ocsp_uris" reload:"live"`
}

func readAuthority(t *table) *Authority {
	a := &Authority{Name: t.checkName("CA")}
	a.CACert, _ = t.strAs("cacert", "", "write the name of a file")
	a.CRLURIs = readURIs(t, "crl_uris")
	a.OCSPURIs = readURIs(t, "ocsp_uris")
	a.Source = t.done()
	switch {
	case t.quiet:
	case a.CACert == "":
		t.errorf(a.At("cacert"), `write cacert = "FILE", the file with the certificate of the CA`, "%s has no cacert", t.title())
	case len(a.CRLURIs)+len(a.OCSPURIs) == 0 && !a.Has("crl_uris") && !a.Has("ocsp_uris"):
		t.warnf(a.table, "write crl_uris or ocsp_uris, or put the file into x509ca of [credentials]", "%s says nothing of its CA", t.title())
	}
	return a
}

// maxURIs bounds the addresses of a list: each is waited for when the one before it does not answer.
const maxURIs = 4

// readURIs reads a list of addresses of http or https.
func readURIs(t *table, key string) (out []string) {
	items, ok := t.texts(key)
	switch {
	case ok && len(items) == 0:
		t.emptyList(key, "leave it out, or write an address like \"http://pki.example/ca.crl\"")
	case len(items) > maxURIs:
		t.errorf(items[maxURIs].at, "write those that answer", "%s has %d addresses; %d is the most", t.name(key), len(items), maxURIs)
	}
	for _, it := range items {
		u, err := url.Parse(it.text)
		switch {
		case err == nil && (u.Scheme == "ldap" || u.Scheme == "ldaps") && u.Opaque == "":
			// Many folders have such an address as well; strongSwan asks there only if it was built for it.
			t.warnf(it.at, "write an address of http or https", "%s: nothing is fetched from %s; the other addresses are used", t.name(key), quote(u.Redacted()))
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
			t.errorf(it.at, `write an address like "http://pki.example/ca.crl"`, "%s: %s is not an address of http or https", t.name(key), quote(it.text))
		case u.User != nil:
			t.errorf(it.at, "leave out what is before the @", "%s: an address with a password in it is not fetched from", t.name(key))
		default:
			out = append(out, it.text)
		}
	}
	return out
}

// authorities reads the certificates of the tables [authorities.NAME].
func (s *shelf) authorities(c *Config) (out []*revocation.Authority) {
	for _, a := range c.Authorities {
		if a.CACert == "" {
			continue
		}
		for _, f := range s.certificates(named{key: a.Source.name + ".cacert", text: a.CACert, at: a.At("cacert")}) {
			s.note(f, caRole, nil, f.certs...)
			for _, ca := range f.certs {
				out = append(out, &revocation.Authority{Name: a.Name, CA: ca, CRLURIs: a.CRLURIs, OCSPURIs: a.OCSPURIs})
			}
		}
	}
	return out
}

// issued are this gateway's certificates whose issuers are known, for which an OCSP answer can be asked: those of connections that answer
// peers which ask for one.
func (s *shelf) issued(conns []*Connection, all map[string]credential.Connection, from common) (out []revocation.Own) {
	pool := slices.Concat(s.above(), s.known, from.intermediates)
	for _, n := range conns {
		if !n.OCSP.Answers() {
			continue
		}
		for _, pairs := range all[n.Name].Own {
			for _, p := range pairs {
				if len(p.Chain) == 0 || slices.ContainsFunc(out, func(o revocation.Own) bool { return o.Certificate.Equal(p.Chain[0]) }) {
					continue
				}
				above := slices.Concat(p.Chain[1:], pool)
				if i := slices.IndexFunc(above, func(ca *x509.Certificate) bool { return signedBy(p.Chain[0], ca) }); i >= 0 {
					out = append(out, revocation.Own{Certificate: p.Chain[0], Issuer: above[i], Rules: from.rules})
				}
			}
		}
	}
	return out
}

// readPrefixes reads a list of networks and addresses.
func readPrefixes(t *table, key string) (out []netip.Prefix) {
	items, ok := t.texts(key)
	if ok && len(items) == 0 {
		t.emptyList(key, "leave it out")
	}
	for _, it := range items {
		p, err := netip.ParsePrefix(it.text)
		if a, err2 := netip.ParseAddr(it.text); err2 == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		switch {
		case err != nil:
			t.errorf(it.at, `write a network like "10.1.0.0/16"`, "%s: %s is not a network", t.name(key), quote(it.text))
		case p != p.Masked():
			t.errorf(it.at, fmt.Sprintf("write %q", p.Masked()), "%s: %s has bits set behind its length", t.name(key), quote(it.text))
		default:
			out = append(out, p)
		}
	}
	return out
}
