package suite

import (
	"slices"
	"testing"

	"esplanade/ike/wire"
)

func ppkKeys(n int) Keys {
	return Keys{D: seq(1, n), Ai: seq(60, 20), Ar: seq(80, 20), Ei: seq(100, 16), Er: seq(120, 16), Pi: seq(140, n), Pr: seq(190, n)}
}

// TestMixPPK is https://www.rfc-editor.org/rfc/rfc8784#section-3:
//
//	SK_d  = prf+ (PPK, SK_d')
//	SK_pi = prf+ (PPK, SK_pi')
//	SK_pr = prf+ (PPK, SK_pr')
func TestMixPPK(t *testing.T) {
	old := ppkKeys(48)
	for _, ppk := range [][]byte{seq(5, 1), seq(5, 32), seq(5, 48), seq(5, 200)} {
		mixed, err := MixPPK(mustPRF(t, wire.PRF_HMAC_SHA2_384), ppk, old)
		if err != nil {
			t.Fatal(err)
		}
		wantBytes(t, "SK_d", mixed.D, hmac384Plus(ppk, old.D, 48))
		wantBytes(t, "SK_pi", mixed.Pi, hmac384Plus(ppk, old.Pi, 48))
		wantBytes(t, "SK_pr", mixed.Pr, hmac384Plus(ppk, old.Pr, 48))
		wantBytes(t, "the keys of messages", slices.Concat(mixed.Ai, mixed.Ar, mixed.Ei, mixed.Er), slices.Concat(old.Ai, old.Ar, old.Ei, old.Er))
		// NO_PPK_AUTH is computed with the keys as they were, and neither set may change with the other.
		wantBytes(t, "the old keys", join(old), join(ppkKeys(48)))
		for _, k := range [][]byte{mixed.D, mixed.Ai, mixed.Ar, mixed.Ei, mixed.Er, mixed.Pi, mixed.Pr} {
			clear(k)
		}
		wantBytes(t, "the old keys, when the mixed ones are erased", join(old), join(ppkKeys(48)))
	}
}

// TestMixPPKEveryPRF: the mixed keys have the length that the PRF's keys have, and depend on the PPK and on the old ones.
func TestMixPPKEveryPRF(t *testing.T) {
	for _, id := range allPRFs() {
		prf := mustPRF(t, id)
		old := ppkKeys(prf.KeySize())
		a, err := MixPPK(prf, seq(7, 32), old)
		if err != nil {
			t.Fatal(err)
		}
		b, err := MixPPK(prf, seq(8, 32), old)
		if err != nil {
			t.Fatal(err)
		}
		for name, k := range map[string][3][]byte{
			"SK_d": {old.D, a.D, b.D}, "SK_pi": {old.Pi, a.Pi, b.Pi}, "SK_pr": {old.Pr, a.Pr, b.Pr},
		} {
			if len(k[1]) != prf.KeySize() || slices.Equal(k[0], k[1]) || slices.Equal(k[1], k[2]) {
				t.Errorf("PRF %d: %s has %d octets, or does not depend on what it should", id, name, len(k[1]))
			}
			want, err := prf.Plus(seq(7, 32), k[0], prf.KeySize())
			if err != nil {
				t.Fatal(err)
			}
			wantBytes(t, name, k[1], want)
		}
	}
}

func TestMixPPKRefusesNone(t *testing.T) {
	for _, ppk := range [][]byte{nil, {}} {
		if k, err := MixPPK(mustPRF(t, wire.PRF_HMAC_SHA2_256), ppk, ppkKeys(32)); err == nil || len(join(k)) != 0 {
			t.Errorf("no PPK: %v", err)
		}
	}
}
