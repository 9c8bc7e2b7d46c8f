package suite

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
	"slices"
	"testing"

	"esplanade/ike/wire"
)

// hmac384 and hmac384Plus are prf and prf+ of PRF_HMAC_SHA2_384, written down once more from
// https://www.rfc-editor.org/rfc/rfc7296#section-2.13 with nothing of this package.
func hmac384(key []byte, data ...[]byte) []byte {
	m := hmac.New(sha512.New384, key)
	for _, d := range data {
		m.Write(d)
	}
	return m.Sum(nil)
}

func hmac384Plus(key, seed []byte, n int) []byte {
	var out, t []byte
	for i := byte(1); len(out) < n; i++ {
		t = hmac384(key, t, seed, []byte{i})
		out = append(out, t...)
	}
	return out[:n]
}

func join(k Keys) []byte { return slices.Concat(k.D, k.Ai, k.Ar, k.Ei, k.Er, k.Pi, k.Pr) }

// TestUpdateKeys does three additional key exchanges, as of https://www.rfc-editor.org/rfc/rfc9370#section-2.2.2:
//
//	SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr)
func TestUpdateKeys(t *testing.T) {
	const spii, spir = 0x0102030405060708, 0x1112131415161718
	c := chosen(t, "aes256gcm16-prfsha384-x25519")
	ni, nr := seq(1, 32), seq(90, 40)
	keys, err := DeriveKeys(c, SKEYSEED(mustPRF(t, c.PRF), ni, nr, seq(7, 32)), ni, nr, spii, spir)
	if err != nil {
		t.Fatal(err)
	}
	seed := slices.Concat(ni, nr)
	seed = binary.BigEndian.AppendUint64(seed, spii)
	seed = binary.BigEndian.AppendUint64(seed, spir)
	for n, shared := range [][]byte{seq(20, 32), seq(30, 32), seq(40, 66)} {
		old := keys.clone()
		next, err := UpdateKeys(c, keys, shared, ni, nr, spii, spir)
		if err != nil {
			t.Fatal(err)
		}
		want := hmac384Plus(hmac384(old.D, shared, ni, nr), seed, 3*48+2*36)
		wantBytes(t, "keys", join(next), want)
		if len(next.D) != 48 || len(next.Ai) != 0 || len(next.Ar) != 0 || len(next.Ei) != 36 || len(next.Er) != 36 ||
			len(next.Pi) != 48 || len(next.Pr) != 48 {
			t.Errorf("exchange %d: lengths of keys are wrong", n+1)
		}
		wantBytes(t, "the old keys", join(keys), join(old))
		keys = next
	}
}

// TestUpdateKeysTakesWholeNonces: the 64 bits of SKEYSEED with AES PRFs are a rule for the first key exchange, where the
// nonces are the key. Here they are data.
func TestUpdateKeysTakesWholeNonces(t *testing.T) {
	for _, s := range []string{"chacha20poly1305-prfaesxcbc-x25519", "aes256ctr-aescmac-x25519", "aes256-sha512-x25519"} {
		c := chosen(t, s)
		prf := mustPRF(t, c.PRF)
		ni, nr, shared := seq(1, 32), seq(90, 40), seq(3, 32)
		old := Keys{D: seq(50, prf.KeySize())}
		got, err := UpdateKeys(c, old, shared, ni, nr, 1, 2)
		if err != nil {
			t.Fatal(err)
		}
		want, err := DeriveKeys(c, prf.Sum(old.D, slices.Concat(shared, ni, nr)), ni, nr, 1, 2)
		if err != nil {
			t.Fatal(err)
		}
		wantBytes(t, s, join(got), join(want))
		ni[31] ^= 1
		seedOnly, err := DeriveKeys(c, prf.Sum(old.D, slices.Concat(shared, seq(1, 32), nr)), ni, nr, 1, 2)
		if err != nil {
			t.Fatal(err)
		}
		if got, err = UpdateKeys(c, old, shared, ni, nr, 1, 2); err != nil || bytes.Equal(join(got), join(seedOnly)) {
			t.Errorf("%s: the last octet of Ni makes no difference to SKEYSEED, %v", s, err)
		}
	}
}

func TestUpdateKeysRefuses(t *testing.T) {
	good := chosen(t, "aes128-sha1-x25519")
	old := Keys{D: seq(0, 20)}
	bad := good
	bad.PRF = wire.PRF_HMAC_MD5
	if k, err := UpdateKeys(bad, old, seq(1, 32), seq(0, 16), seq(0, 16), 1, 2); err == nil || len(join(k)) != 0 {
		t.Errorf("an unknown PRF: %v", err)
	}
	bad = good
	bad.Encr.ID = wire.ENCR_3DES
	if k, err := UpdateKeys(bad, old, seq(1, 32), seq(0, 16), seq(0, 16), 1, 2); err == nil || len(join(k)) != 0 {
		t.Errorf("an unknown cipher: %v", err)
	}
}

// TestAdditionalSecretsOfCreateChildSA is https://www.rfc-editor.org/rfc/rfc9370#section-2.2.4:
//
//	SKEYSEED = prf(SK_d, SK(0) | Ni | Nr | SK(1) | ... SK(n))
//	KEYMAT = prf+ (SK_d, SK(0) | Ni | Nr | SK(1) |  ... SK(n))
func TestAdditionalSecretsOfCreateChildSA(t *testing.T) {
	prf := mustPRF(t, wire.PRF_HMAC_SHA2_384)
	skD, ni, nr := seq(1, 48), seq(60, 32), seq(130, 24)
	sk0, sk1, sk2 := seq(9, 32), seq(19, 32), seq(29, 66)
	for n, additional := range [][][]byte{nil, {sk1}, {sk1, sk2}, {sk2, sk1}} {
		seed := slices.Concat(sk0, ni, nr, slices.Concat(additional...))
		wantBytes(t, "SKEYSEED", RekeySKEYSEED(prf, skD, sk0, ni, nr, additional...), hmac384(skD, seed))
		got, err := ChildKeyMat(prf, skD, sk0, ni, nr, 200, additional...)
		if err != nil {
			t.Fatal(err)
		}
		wantBytes(t, "KEYMAT", got, hmac384Plus(skD, seed, 200))
		if n == 0 {
			continue
		}
		without, err := ChildKeyMat(prf, skD, sk0, ni, nr, 200)
		if err != nil || bytes.Equal(got, without) {
			t.Errorf("%d additional secrets make no difference, %v", len(additional), err)
		}
	}
}
