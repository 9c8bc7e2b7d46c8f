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
