package control

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"slices"

	"esplanade/config"
	"esplanade/ike/credential"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/vici"
)

// ListCerts implements vici.Loader. What is known of several connections is listed once, in strongSwan's order of types and flags.
func (b *Backend) ListCerts(ctx context.Context, filter vici.CertFilter, yield func(vici.Cert) error) error {
	conf, set, err := b.inForce(ctx)
	if err != nil {
		return err
	}
	var l certList
	l.gather(conf, set)
	if b.Fetched != nil {
		lists, answers := b.Fetched()
		for _, der := range lists {
			l.add(vici.Cert{Type: vici.CertX509CRL, DER: der}, nil)
		}
		for _, der := range answers {
			l.add(vici.Cert{Type: vici.CertOCSPResponse, DER: der}, nil)
		}
	}
	slices.SortStableFunc(l.list, func(a, b certItem) int { return a.rank() - b.rank() })
	for _, c := range l.list {
		if filter.Type != "" && filter.Type != c.Type || filter.Flag != "" && filter.Flag != c.Flag || filter.Subject != "" && !c.about(filter.Subject) {
			continue
		}
		c.HasPrivateKey = l.private[c.key]
		if err := yield(c.Cert); err != nil {
			return err
		}
	}
	return nil
}

// certItem is a certificate or the like. key is the SubjectPublicKeyInfo of a certificate or a bare key, and cert the certificate.
type certItem struct {
	vici.Cert
	key  string
	cert *x509.Certificate
}

// rank orders what is listed.
func (c certItem) rank() int {
	return slices.Index([]string{vici.CertPubkey, vici.CertX509 + vici.CertFlagNone, vici.CertX509 + vici.CertFlagCA, vici.CertX509 + vici.CertFlagOCSP,
		vici.CertX509CRL, vici.CertOCSPResponse}, c.Type+c.Flag)
}

// about reports whether it is of a subject: of a CRL its issuer, which is its only name.
func (c certItem) about(subject string) bool {
	switch {
	case c.cert != nil:
		id, err := identity.Parse(subject)
		return pki.Subject(c.cert) == subject || err == nil && pki.Binds(c.cert, id)
	case c.Type == vici.CertX509CRL:
		l, err := revocation.ReadList("", c.DER)
		return err == nil && l.Issuer() == subject
	}
	return c.Subject != "" && c.Subject == subject
}

// certList gathers certificates and the like, each once, and the public keys of the private keys.
type certList struct {
	list    []certItem
	seen    map[[sha256.Size]byte]bool
	private map[string]bool
	trusts  map[*pki.Trust]bool
}

func (l *certList) add(c vici.Cert, cert *x509.Certificate) {
	sum := sha256.Sum256(append([]byte(c.Type+c.Subject), c.DER...))
	if l.seen[sum] {
		return
	}
	l.seen[sum] = true
	x := certItem{Cert: c, cert: cert}
	switch {
	case cert != nil:
		x.key = string(cert.RawSubjectPublicKeyInfo)
	case c.Type == vici.CertPubkey:
		x.key = string(c.DER)
	}
	l.list = append(l.list, x)
}

func (l *certList) certs(list ...*x509.Certificate) {
	for _, c := range list {
		l.add(vici.Cert{Type: vici.CertX509, Flag: certFlag(c), DER: c.Raw}, c)
	}
}

// certFlag is what strongSwan takes a certificate for.
func certFlag(c *x509.Certificate) string {
	switch {
	case c.IsCA:
		return vici.CertFlagCA
	case slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return vici.CertFlagOCSP
	}
	return vici.CertFlagNone
}

func (l *certList) lists(lists []*revocation.List) {
	for _, x := range lists {
		if der := x.DER(); der != nil {
			l.add(vici.Cert{Type: vici.CertX509CRL, DER: der}, nil)
		}
	}
}

// own notes the public key of a private key.
func (l *certList) own(key crypto.PublicKey) {
	if spki, err := pki.MarshalPublicKey(key); err == nil {
		l.private[string(spki)] = true
	}
}

// publicKey adds a key without a certificate. Its subject is the identity that it proves.
func (l *certList) publicKey(key crypto.PublicKey, id identity.Identity) {
	spki, err := pki.MarshalPublicKey(key)
	if err != nil {
		return
	}
	c := vici.Cert{Type: vici.CertPubkey, DER: spki}
	if id.Concrete() {
		c.Subject = id.String()
	}
	l.add(c, nil)
}

// gather takes all of a configuration.
func (l *certList) gather(conf *config.Config, set *credential.Set) {
	*l = certList{seen: map[[sha256.Size]byte]bool{}, private: map[string]bool{}, trusts: map[*pki.Trust]bool{}}
	for _, n := range conf.Connections {
		local, remote := n.Rounds()
		for i, a := range local {
			for _, p := range set.Own(n.Name, i) {
				l.own(p.Key)
				if l.certs(p.Chain...); len(p.Chain) == 0 {
					l.publicKey(p.Key, a.ID)
				}
			}
		}
		for i, a := range remote {
			x := set.Accepted(n.Name, i)
			if x.Trust == nil {
				continue
			}
			for _, k := range x.Trust.Keys {
				l.publicKey(k, a.ID)
			}
			if l.trusts[x.Trust] {
				continue
			}
			l.trusts[x.Trust] = true
			l.certs(x.Trust.Pinned...)
			l.certs(x.Trust.Anchors...)
			l.certs(x.Trust.Intermediates...)
			l.certs(x.Rules.Responders...)
			l.lists(x.Rules.Lists)
		}
	}
	if v := conf.Inventory(); v != nil {
		l.certs(v.Certificates...)
		for _, a := range v.Authorities {
			l.certs(a.CA)
		}
		l.lists(v.Lists)
		for _, k := range v.Keys {
			l.own(k)
		}
	}
}

// ListAuthorities implements vici.Loader.
func (b *Backend) ListAuthorities(ctx context.Context, name string, yield func(vici.Authority) error) error {
	conf, _, err := b.inForce(ctx)
	if err != nil || conf.Inventory() == nil {
		return err
	}
	last := ""
	for _, a := range conf.Inventory().Authorities {
		if name != "" && name != a.Name || a.Name == last {
			continue // a second certificate of one file
		}
		last = a.Name
		if err := yield(vici.Authority{Name: a.Name, CACert: pki.Subject(a.CA), CRLURIs: a.CRLURIs, OCSPURIs: a.OCSPURIs}); err != nil {
			return err
		}
	}
	return nil
}
