package pki

import (
	"crypto"
	"crypto/rand"
	"testing"

	"github.com/cloudflare/circl/sign/ed448"
)

// What is sent as a raw public key is what is read as one, with Ed448 as well, which crypto/x509 does not know.
func TestMarshalPublicKey(t *testing.T) {
	key, _, err := ed448.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []crypto.PublicKey{key} {
		spki, err := MarshalPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParsePublicKey(spki); err != nil || !SameKey(got, k) {
			t.Errorf("%x reads as %v, %v", spki, got, err)
		}
	}
}
