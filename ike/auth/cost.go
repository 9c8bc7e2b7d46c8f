package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"time"

	"github.com/cloudflare/circl/sign/ed448"

	"esplanade/ike/pki"
)

// What signatures cost on one core, about, on a machine of 2020: a table, since whoever bounds work must not depend on what else the
// machine does.
const (
	parseCost         = 15 * time.Microsecond
	unknownSignerCost = time.Second

	rsaVerifyCost   = 60 * time.Microsecond // 4096 bits
	p256VerifyCost  = 65 * time.Microsecond
	p384VerifyCost  = 700 * time.Microsecond
	p521VerifyCost  = 1600 * time.Microsecond
	eddsaVerifyCost = 60 * time.Microsecond
	ed448VerifyCost = 350 * time.Microsecond
)

// signCost is what it costs to make a signature with a key.
func signCost(key crypto.PublicKey) time.Duration {
	switch key := key.(type) {
	case *rsa.PublicKey:
		// The work grows with the third power of the length.
		kilobits := time.Duration(key.N.BitLen()+1023) / 1024
		return kilobits * kilobits * kilobits * 200 * time.Microsecond
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return 30 * time.Microsecond
		case elliptic.P384():
			return 250 * time.Microsecond
		}
		return 600 * time.Microsecond
	case ed448.PublicKey:
		return 300 * time.Microsecond
	}
	return 30 * time.Microsecond
}

// keyCost is what it costs to verify a signature with a key.
func keyCost(key crypto.PublicKey) time.Duration {
	switch key := key.(type) {
	case *rsa.PublicKey:
		// The work grows with the second power of the length.
		kilobits := time.Duration(max(key.N.BitLen(), 4096)+1023) / 1024
		return rsaVerifyCost * kilobits * kilobits / 16
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return p256VerifyCost
		case elliptic.P384():
			return p384VerifyCost
		}
		return p521VerifyCost
	case ed448.PublicKey:
		return ed448VerifyCost
	}
	return eddsaVerifyCost
}

// Cost is about how long it takes on one core to judge a peer that proves to be one: a certificate takes one signature, and so does AUTH.
// Of a peer that sends nothing, the signature is tried with what is known.
//
// Nothing is parsed for it: a certificate on a slow curve has the object identifier of that curve somewhere, and one that a known CA has
// issued has the name of that.
func (j Judge) Cost() time.Duration {
	if len(j.Presented.Certs) == 0 && len(j.Presented.Key) == 0 {
		return j.knownCost()
	}
	cost := time.Duration(len(j.Schemes)) * j.authCost() // method 1 is tried with each of its hashes
	for _, c := range j.Presented.Certs {
		cost += parseCost + j.certCost(c)
	}
	return cost
}

// knownCost is what it costs to try the keys and certificates that are known, each with each scheme, up to the last.
func (j Judge) knownCost() time.Duration {
	if j.Trust == nil {
		return 0
	}
	slowest := time.Duration(0)
	for _, k := range j.Trust.Keys {
		slowest = max(slowest, keyCost(k))
	}
	for _, c := range j.Trust.Pinned {
		slowest = max(slowest, keyCost(c.PublicKey))
	}
	n := min(len(j.Trust.Keys)+len(j.Trust.Pinned), pki.MaxKnown)
	return slowest * time.Duration(n*len(j.Schemes))
}

// authCost is what it costs to verify AUTH with a key that nobody has seen yet.
func (j Judge) authCost() time.Duration {
	signature := len(j.Signature)
	switch {
	case signature > 104 && j.ecdsa():
		return p521VerifyCost
	case signature > 72 && j.ecdsa():
		return p384VerifyCost
	case j.ecdsa():
		return p256VerifyCost
	case slices.Contains(j.Schemes, Ed448):
		return ed448VerifyCost
	case slices.Contains(j.Schemes, Ed25519):
		return eddsaVerifyCost
	}
	return rsaVerifyCost
}

// certCost is what it costs to verify the signature with which a certificate was issued, and one with its key: the dearer of the two counts,
// since what is above it is counted as well.
func (j Judge) certCost(der []byte) time.Duration {
	cost := p256VerifyCost
	switch {
	case bytes.Contains(der, []byte("\x06\x05\x2b\x81\x04\x00\x23")):
		return p521VerifyCost
	case bytes.Contains(der, []byte("\x06\x05\x2b\x81\x04\x00\x22")):
		cost = p384VerifyCost
	}
	if j.Trust == nil {
		return cost
	}
	for _, list := range [][]*x509.Certificate{j.Trust.Anchors, j.Trust.Intermediates} {
		for _, ca := range list {
			if c := keyCost(ca.PublicKey); c > cost && bytes.Contains(der, ca.RawSubject) {
				cost = c
			}
		}
	}
	return cost
}

func (j Judge) ecdsa() bool {
	return slices.ContainsFunc(j.Schemes, func(s Scheme) bool { return s.family() == familyECDSA })
}
