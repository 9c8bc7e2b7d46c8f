package files

import (
	"crypto"

	"github.com/cloudflare/circl/sign/ed448"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// parseEd448 reads the CurvePrivateKey of RFC 8410 section 7, an OCTET STRING within that of PKCS #8.
func parseEd448(octets []byte) (crypto.Signer, *Error) {
	in := cryptobyte.String(octets)
	var seed cryptobyte.String
	if !in.ReadASN1(&seed, asn1.OCTET_STRING) || !in.Empty() || len(seed) != ed448.SeedSize {
		return nil, malformed("has an Ed448 key of a wrong length").with("write it again")
	}
	return ed448.NewKeyFromSeed(seed), nil
}
