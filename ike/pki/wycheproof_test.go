package pki

import (
	"bytes"
	"crypto/ecdsa"
	"slices"
	"testing"
)

// TestWycheproofKeys has the public keys of Wycheproof, which testdata/extract_keys.go takes out of its tests: what is
// accepted is a key on a curve that IKE has, in the one encoding that DER has for it. In particular there are no curves
// that the key describes itself, and no compressed points.
func TestWycheproofKeys(t *testing.T) {
	var all []struct {
		Info          []byte
		Curve, Result string
		Flags         []string
	}
	readJSON(t, "testdata/keys.json.gz", &all)
	if len(all) < 1000 {
		t.Fatalf("%d keys", len(all))
	}
	accepted, valid := 0, 0
	for _, k := range all {
		key, err := ParsePublicKey(k.Info)
		ours := slices.Contains([]string{"secp256r1", "secp384r1", "secp521r1"}, k.Curve)
		if k.Result == "valid" && ours {
			valid++
			if err != nil {
				t.Errorf("%s %v: %v", k.Curve, k.Flags, err)
			}
		}
		if err != nil {
			continue
		}
		accepted++
		if _, ok := key.(*ecdsa.PublicKey); !ok || !bytes.Equal(info(t, key), k.Info) {
			t.Errorf("%s %s %v: accepted as %T from %x", k.Curve, k.Result, k.Flags, key, k.Info)
		}
		// Only as the keys of another curve are these right; those of curve25519 are all of others.
		if k.Curve != "curve25519" && k.Result != "valid" && !slices.Contains(k.Flags, "WrongCurve") && !slices.Contains(k.Flags, "ModifiedGroup") {
			t.Errorf("%s %s %v: accepted", k.Curve, k.Result, k.Flags)
		}
	}
	if valid < 30 || accepted < valid {
		t.Errorf("%d valid, %d accepted", valid, accepted)
	}
}
