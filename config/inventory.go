package config

import (
	"crypto"
	"crypto/x509"
	"slices"

	"esplanade/ike/pki/revocation"
)

// Inventory is which certificates, private keys and revocation lists there are for all connections, used or not: those of [credentials] and
// [authorities], of bundles, and what was loaded. What single connections name is in the credentials of these. It is never changed.
type Inventory struct {
	Certificates []*x509.Certificate
	// Authorities are in the order of the file, and then of loading. One that has several certificates is there several times.
	Authorities []*revocation.Authority
	Lists       []*revocation.List
	// Keys are the public keys of the private keys.
	Keys []crypto.PublicKey
}

// Inventory may be called from any goroutine.
func (c *Config) Inventory() *Inventory { return c.inventory }

// inventory lists what is there. Some certificates may be there twice.
func (s *shelf) inventory(from common) *Inventory {
	v := &Inventory{Authorities: slices.Clone(from.rules.Authorities), Lists: slices.Clone(from.rules.Lists)}
	for _, o := range s.own {
		v.Certificates = append(v.Certificates, o.certs...)
	}
	v.Certificates = slices.Concat(v.Certificates, s.trusted, from.anchors, s.cas, from.intermediates, from.rules.Responders)
	for _, k := range s.keys {
		v.Keys = append(v.Keys, k.public)
	}
	return v
}
