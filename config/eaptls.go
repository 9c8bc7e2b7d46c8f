package config

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"time"

	"esplanade/ike/credential"
	"esplanade/ike/eap"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/policy"
)

// What EAP-TLS, EAP-TTLS and EAP-PEAP have of certificates: this side shows that of its local table, and judges the other side's by the remote
// table, as it does with those of IKE.

// showsCertificate reports whether a local table with a method of EAP has a certificate to show: as a gateway, or as the user of EAP-TLS.
func (n *Connection) showsCertificate(a *Auth) bool {
	_, remote := n.Rounds()
	gateway := slices.ContainsFunc(remote, func(o Auth) bool { return o.Method.EAP() })
	return a.Method == policy.AuthEAPTLS || a.Method.EAP() && (a.Has("certs") || gateway && a.Method.TLS() && !n.CanInitiate())
}

// judgesCertificate reports whether a remote table with a method of EAP judges certificates: of the users of EAP-TLS, or, where the gateway proves
// itself by EAP alone, of the gateway.
func judgesCertificate(a *Auth) bool {
	return a.Method == policy.AuthEAPTLS || a.Method.EAP() && a.Method != policy.AuthEAPRADIUS && (a.Has("cacerts") || a.Has("certs") || a.Method.TLS() && a.Has("ca_id"))
}

// tlsCertificate is the first of some pairs that TLS can show; nil if it can show none.
func tlsCertificate(pairs []credential.Pair) *tls.Certificate {
	for _, p := range pairs {
		switch p.Key.(type) {
		case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		default:
			continue // TLS here knows no Ed448
		}
		if len(p.Chain) == 0 {
			continue // nor keys without a certificate
		}
		c := &tls.Certificate{PrivateKey: p.Signer, Leaf: p.Chain[0]}
		for _, x := range p.Chain {
			c.Certificate = append(c.Certificate, x.Raw)
		}
		return c
	}
	return nil
}

// tlsServer is what a gateway has for users of a remote table; nil if it has no certificate.
func (c *Config) tlsServer(n *Connection, index int, a *Auth) *eap.TLSServer {
	cert := tlsCertificate(c.Set.Own(n.Name, 0))
	if cert == nil {
		return nil
	}
	s := &eap.TLSServer{Certificate: cert}
	if trust := c.Set.Accepted(n.Name, index).Trust; trust != nil {
		s.Judge = userJudge(trust, c.Users.Directory, a.KnownUsers)
		if len(trust.Anchors) > 0 {
			s.CAs = x509.NewCertPool()
			for _, a := range trust.Anchors {
				s.CAs.AddCert(a)
			}
		}
	}
	return s
}

// userJudge judges the certificates of users. Who comes without a name, or with one that its certificate is not for, has the name of its
// certificate: no name that is not in it counts. If users have a name that is in it, that is it: whoever is disabled does not come in by another one.
// Where it is not known, the name is none of these users', and counts together with the CA that vouches for it: another CA may use the same one.
func userJudge(trust *pki.Trust, users *Directory, known bool) eap.Judge {
	if !known {
		users = nil
	}
	return func(now time.Time, s eap.Shown) (eap.Verdict, error) {
		var id identity.Identity
		var name string
		if len(s.Chain) > 0 {
			if end, err := pki.Parse(s.Chain[0]); err == nil {
				id, name = userIn(end, s.Identity, users)
			}
		}
		peer, err := trust.Judge(now, id, pki.Presented{Certs: s.Chain})
		if err != nil {
			return eap.Verdict{}, err
		}
		v := eap.Verdict{Name: name, Chain: peer.Chain}
		if !known {
			v.Foreign = voucher(peer.Chain)
		}
		return v, nil
	}
}

// voucher is a text for what vouches for the end of a chain: its root, by name and key. A certificate that is trusted itself has none.
func voucher(chain []*x509.Certificate) string {
	if len(chain) < 2 {
		return "pinned"
	}
	root := chain[len(chain)-1]
	sum := sha256.Sum256(slices.Concat(root.RawSubject, root.RawSubjectPublicKeyInfo))
	return hex.EncodeToString(sum[:16])
}

// userIn is whom a certificate is for, and what that user is called, given what it says of itself. One name has many spellings, and counts in one.
func userIn(c *x509.Certificate, says string, users *Directory) (id identity.Identity, name string) {
	id, err := identity.Parse(says)
	if says == "" || err != nil || !id.Concrete() || !pki.Binds(c, id) {
		id, name = subjectOf(c), nameIn(c)
	} else if name = id.String(); id.Type == identity.FQDN || id.Type == identity.RFC822Addr {
		name = string(id.Data)
	}
	if _, known := users.Find(name); !known {
		for _, other := range namesIn(c) {
			if e, known := users.Find(other); known {
				return id, e.User.Name
			}
		}
	}
	return id, name
}

// namesIn are all names that a certificate may have a user called by: those of its subjectAltName, or without any its common name, and its subject.
func namesIn(c *x509.Certificate) []string {
	names := slices.Concat(c.EmailAddresses, c.DNSNames)
	if len(names) == 0 && c.Subject.CommonName != "" {
		names = append(names, c.Subject.CommonName)
	}
	return append(names, subjectOf(c).String())
}

// nameIn is what a certificate calls a user: the first e-mail address or DNS name of its subjectAltName, or its common name, or its subject.
func nameIn(c *x509.Certificate) string {
	for _, list := range [][]string{c.EmailAddresses, c.DNSNames, {c.Subject.CommonName}} {
		if len(list) > 0 && list[0] != "" {
			return list[0]
		}
	}
	return subjectOf(c).String()
}

// tlsClient is what this side has as the user of a gateway.
func (c *Config) tlsClient(n *Connection, index int, a *Auth) *eap.TLSClient {
	_, remote := n.Rounds()
	last := min(index, len(remote)-1)
	trust := c.Set.Accepted(n.Name, last).Trust
	if trust == nil {
		return nil
	}
	id := a.AAAID
	if id.Any() {
		id = remote[last].ID
	}
	return &eap.TLSClient{Certificate: tlsCertificate(c.Set.Own(n.Name, index)), Judge: serverJudge(trust, id)}
}

// serverJudge judges the certificate of a server of EAP, which must be for an identity if one is known.
func serverJudge(trust *pki.Trust, want identity.Identity) eap.Judge {
	return func(now time.Time, s eap.Shown) (eap.Verdict, error) {
		id := want
		if len(s.Chain) > 0 && !want.Concrete() {
			if end, err := pki.Parse(s.Chain[0]); err == nil {
				id = boundOf(end, want)
			}
		}
		peer, err := trust.Judge(now, id, pki.Presented{Certs: s.Chain})
		if err != nil {
			return eap.Verdict{}, err
		}
		return eap.Verdict{Name: id.String(), Chain: peer.Chain}, nil
	}
}

// boundOf is the identity of a certificate that a pattern stands for; the pattern itself, which nobody has, if none is.
func boundOf(c *x509.Certificate, pattern identity.Identity) identity.Identity {
	ids := []identity.Identity{subjectOf(c)}
	for _, x := range []struct {
		kind identity.Type
		list []string
	}{{identity.FQDN, c.DNSNames}, {identity.RFC822Addr, c.EmailAddresses}} {
		for _, name := range x.list {
			if id, err := identity.FromWire(uint8(x.kind), []byte(name)); err == nil {
				ids = append(ids, id)
			}
		}
	}
	for _, id := range ids {
		if _, ok := id.Matches(pattern); ok {
			return id
		}
	}
	return pattern
}
