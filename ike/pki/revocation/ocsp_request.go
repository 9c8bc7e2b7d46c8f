package revocation

import (
	"crypto/x509"
	"slices"

	"golang.org/x/crypto/ocsp"
)

// request makes the OCSPRequest for a certificate. It has SHA-1 in the CertID, as https://www.rfc-editor.org/rfc/rfc5019#section-2.1.1
// wants: "Clients MUST use SHA1 as the hashing algorithm for the CertID.issuerNameHash and the CertID.issuerKeyHash values". Responders
// that answer from what they have made ahead know no other, and nothing depends on it: what is hashed is the CA's own.
//
// It has no nonce. An answer counts until its nextUpdate, whoever got it and when, so that it can be cached and sent in IKE; a nonce
// would prove that this answer is younger, and nothing is done with that. Many responders don't answer nonces, and to insist on one is to
// be refused by them. Whoever could replay an old answer that has not ended could as well hold the new one back. What a nonce would
// protect is an answer without nextUpdate: see [freshWithoutEnd].
func request(c, issuer *x509.Certificate) ([]byte, error) { return ocsp.CreateRequest(c, issuer, nil) }

// serialOctets is the content of the INTEGER that is the certificate's serial number.
func serialOctets(c *x509.Certificate) []byte {
	b := c.SerialNumber.Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		b = slices.Insert(b, 0, 0)
	}
	return b
}
