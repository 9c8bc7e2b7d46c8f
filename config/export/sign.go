package export

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"github.com/smallstep/pkcs7"
)

// Sign puts a configuration profile of Apple's into a SignedData of CMS (RFC 5652), with the whole chain that is given, so that a device shows
// whom it comes from. chain begins with the certificate of the key.
func Sign(profile []byte, chain []*x509.Certificate, key crypto.Signer) ([]byte, error) {
	s, err := pkcs7.NewSignedData(profile)
	if err != nil {
		return nil, fmt.Errorf("the profile can't be signed: %w", err)
	}
	s.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := s.AddSignerChain(chain[0], key, chain[1:], pkcs7.SignerInfoConfig{}); err != nil {
		return nil, fmt.Errorf("the profile can't be signed with the key of %s: %w", chain[0].Subject, err)
	}
	return s.Finish()
}

// CanSign reports whether a profile can be signed with the key of a certificate.
func CanSign(c *x509.Certificate) bool {
	switch c.PublicKey.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return true
	}
	return false
}
