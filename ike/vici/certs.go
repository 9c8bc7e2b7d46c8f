package vici

import (
	"time"
)

// Cert is a certificate, a revocation list, an OCSP response or a bare public key as `list-certs` shows it.
type Cert struct {
	// Type and Flag are in strongSwan's words; only an X509 has a Flag.
	Type, Flag string
	// HasPrivateKey: the key that belongs to it is here.
	HasPrivateKey bool
	// DER is the encoding.
	DER []byte
	// Subject, NotBefore and NotAfter are shown of a PUBKEY, which says none of it by itself. They may be missing.
	Subject             string
	NotBefore, NotAfter time.Time
}

// Authority is a certification authority as `list-authorities` shows it.
type Authority struct {
	Name string
	// CACert is the subject of its certificate.
	CACert            string
	CRLURIs, OCSPURIs []string
	CertURIBase       string
}

// asn1Time is the form of times in `list-certs`: that of a GeneralizedTime of ASN.1.
const asn1Time = "20060102150405Z"

// message is a list-cert event.
func (c *Cert) message() *Message {
	m := new(Message)
	m.Set("type", c.Type)
	if c.Type == CertX509 {
		flag := c.Flag
		if flag == "" {
			flag = CertFlagNone
		}
		m.Set("flag", flag)
	}
	m.SetYes("has_privkey", c.HasPrivateKey)
	m.SetOctets("data", c.DER)
	if c.Type == CertPubkey {
		m.SetNonEmpty("subject", c.Subject)
		if !c.NotBefore.IsZero() {
			m.Set("not-before", c.NotBefore.UTC().Format(asn1Time))
		}
		if !c.NotAfter.IsZero() {
			m.Set("not-after", c.NotAfter.UTC().Format(asn1Time))
		}
	}
	return m
}

// message is a list-authority event.
func (a *Authority) message() *Message {
	m := new(Message)
	s := m.Sub(a.Name)
	s.Set("cacert", a.CACert)
	s.SetList("crl_uris", a.CRLURIs...)
	s.SetList("ocsp_uris", a.OCSPURIs...)
	s.SetNonEmpty("cert_uri_base", a.CertURIBase)
	return m
}
