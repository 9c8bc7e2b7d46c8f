package suite

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// chosen negotiates an IKE proposal with itself.
func chosen(t testing.TB, s string) proposal.Chosen {
	t.Helper()
	p, err := proposal.Parse(wire.ProtocolIKE, s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := proposal.Choose([]proposal.Proposal{p}, []wire.Proposal{p.Wire(1, nil)}, proposal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKDFKnownAnswers(t *testing.T) {
	for _, k := range readKAT(t, "kdf.txt") {
		t.Run(k.name, func(t *testing.T) {
			prf := mustPRF(t, k.id(t, "prf"))
			switch {
			case k.has("nonces"):
				nonces := k.hex(t, "nonces")
				half := len(nonces) / 2
				got := SKEYSEED(prf, nonces[:half], nonces[half:], k.hex(t, "gir"))
				wantBytes(t, "SKEYSEED", got, k.hex(t, "skeyseed"))
			case k.has("seed"):
				want := k.hex(t, "dkm")
				got, err := prf.Plus(k.hex(t, "skeyseed"), k.hex(t, "seed"), len(want))
				if err != nil {
					t.Fatal(err)
				}
				wantBytes(t, "DKM", got, want)
			default:
				allFive(t, prf, k)
			}
		})
	}
}

// allFive checks all derivations of RFC 7296 with each other's results.
func allFive(t *testing.T, prf PRF, k kat) {
	ni, nr := k.hex(t, "ni"), k.hex(t, "nr")
	skeyseed := SKEYSEED(prf, ni, nr, k.hex(t, "gir"))
	wantBytes(t, "SKEYSEED", skeyseed, k.hex(t, "skeyseed"))

	dkm := k.hex(t, "dkm")
	spii := wire.SPI(binary.BigEndian.Uint64(k.hex(t, "spii")))
	spir := wire.SPI(binary.BigEndian.Uint64(k.hex(t, "spir")))
	keys, err := DeriveKeys(chosen(t, "aes128-sha1-x25519"), skeyseed, ni, nr, spii, spir)
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Concat(keys.D, keys.Ai, keys.Ar, keys.Ei, keys.Er, keys.Pi, keys.Pr)
	wantBytes(t, "DKM", got, dkm[:len(got)])
	if len(keys.D) != 20 || len(keys.Ai) != 20 || len(keys.Ar) != 20 || len(keys.Ei) != 16 || len(keys.Er) != 16 ||
		len(keys.Pi) != 20 || len(keys.Pr) != 20 {
		t.Error("lengths of keys are wrong")
	}

	// The cases for CHILD SAs use the whole of DKM as SK_d or its beginning; SK_d has the length of the PRF's key.
	for field, shared := range map[string][]byte{"child": nil, "childPFS": k.hex(t, "girNew")} {
		want := k.hex(t, field)
		got, err := ChildKeyMat(prf, keys.D, shared, ni, nr, len(want))
		if err != nil {
			t.Fatal(err)
		}
		wantBytes(t, field, got, want)
	}
	wantBytes(t, "rekeyed SKEYSEED", RekeySKEYSEED(prf, keys.D, k.hex(t, "girNew"), ni, nr), k.hex(t, "rekey"))
}

// TestSKEYSEEDTruncatesNonces: with AES PRFs only the first 64 bits of each nonce count, and only here.
func TestSKEYSEEDTruncatesNonces(t *testing.T) {
	ni, nr, shared := seq(1, 32), seq(101, 40), seq(7, 32)
	for _, id := range allPRFs() {
		p := mustPRF(t, id)
		aes := id == wire.PRF_AES128_XCBC || id == wire.PRF_AES128_CMAC
		want := p.Sum(slices.Concat(ni, nr), shared)
		if aes {
			want = p.Sum(slices.Concat(ni[:8], nr[:8]), shared)
		}
		wantBytes(t, "SKEYSEED", SKEYSEED(p, ni, nr, shared), want)

		other := bytes.Clone(ni)
		other[8] ^= 1
		if same := bytes.Equal(SKEYSEED(p, other, nr, shared), want); same != aes {
			t.Errorf("PRF %d: the ninth octet of Ni makes no difference: %v", id, same)
		}
		if bytes.Equal(RekeySKEYSEED(p, seq(1, 20), shared, other, nr), RekeySKEYSEED(p, seq(1, 20), shared, ni, nr)) {
			t.Errorf("PRF %d: rekeying truncates nonces", id)
		}
		if len(SKEYSEED(p, nil, seq(1, 3), shared)) != p.Size() {
			t.Error("short nonces")
		}
	}
}

// TestDeriveKeysLengths: the order of https://www.rfc-editor.org/rfc/rfc7296#section-2.14 with the lengths of each suite.
func TestDeriveKeysLengths(t *testing.T) {
	for _, tt := range []struct {
		proposal string
		d, a, e  int
	}{
		{"aes128gcm16-prfsha256-x25519", 32, 0, 20},
		{"aes192gcm12-prfsha384-x25519", 48, 0, 28},
		{"aes256gcm8-prfsha512-x25519", 64, 0, 36},
		{"chacha20poly1305-prfaesxcbc-x25519", 16, 0, 36},
		{"chacha20poly1305compat-prfaesxcbc-x25519", 16, 0, 36},
		{"aes128-sha1-x25519", 20, 20, 16},
		{"aes192-sha256-x25519", 32, 32, 24},
		{"aes256-sha384-x25519", 48, 48, 32},
		{"aes128ctr-sha512-x25519", 64, 64, 20},
		{"aes256ctr-aescmac-x25519", 16, 16, 36},
		{"aes128-aesxcbc-prfsha256-x25519", 32, 16, 16},
	} {
		c := chosen(t, tt.proposal)
		prf := mustPRF(t, c.PRF)
		ni, nr := seq(1, 16), seq(50, 24)
		skeyseed := SKEYSEED(prf, ni, nr, seq(9, 32))
		keys, err := DeriveKeys(c, skeyseed, ni, nr, 0x0102030405060708, 0x1112131415161718)
		if err != nil {
			t.Errorf("%s: %v", tt.proposal, err)
			continue
		}
		for name, got := range map[string][2]int{
			"D": {len(keys.D), tt.d}, "Pi": {len(keys.Pi), tt.d}, "Pr": {len(keys.Pr), tt.d},
			"Ai": {len(keys.Ai), tt.a}, "Ar": {len(keys.Ar), tt.a}, "Ei": {len(keys.Ei), tt.e}, "Er": {len(keys.Er), tt.e},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: SK_%s has %d octets, want %d", tt.proposal, name, got[0], got[1])
			}
		}
		seed := slices.Concat(ni, nr, unhex(t, "0102030405060708 1112131415161718"))
		want, err := prf.Plus(skeyseed, seed, 3*tt.d+2*tt.a+2*tt.e)
		if err != nil {
			t.Fatal(err)
		}
		wantBytes(t, tt.proposal, slices.Concat(keys.D, keys.Ai, keys.Ar, keys.Ei, keys.Er, keys.Pi, keys.Pr), want)

		// And the keys fit the protection they are for.
		for _, k := range [][2][]byte{{keys.Ei, keys.Ai}, {keys.Er, keys.Ar}} {
			if _, err := NewProtection(c, k[0], k[1]); err != nil {
				t.Errorf("%s: %v", tt.proposal, err)
			}
		}
		// Appending to one key must not change the next.
		_ = append(keys.D, 1, 2, 3)
		wantBytes(t, tt.proposal, slices.Concat(keys.D, keys.Ai, keys.Ar, keys.Ei, keys.Er, keys.Pi, keys.Pr), want)
	}
}

func TestDeriveKeysRefuses(t *testing.T) {
	good := chosen(t, "aes128-sha1-x25519")
	for name, alter := range map[string]func(*proposal.Chosen){
		"PRF":                  func(c *proposal.Chosen) { c.PRF = wire.PRF_HMAC_MD5 },
		"ENCR":                 func(c *proposal.Chosen) { c.Encr.ID = wire.ENCR_3DES },
		"NULL":                 func(c *proposal.Chosen) { c.Encr = wire.Transform{Type: wire.TransformENCR, ID: wire.ENCR_NULL} },
		"no key length":        func(c *proposal.Chosen) { c.Encr.KeyLength = 0 },
		"key length 64":        func(c *proposal.Chosen) { c.Encr.KeyLength = 64 },
		"unknown attribute":    func(c *proposal.Chosen) { c.Encr.Unknown = true },
		"no integrity":         func(c *proposal.Chosen) { c.Integ = wire.AUTH_NONE },
		"integrity":            func(c *proposal.Chosen) { c.Integ = wire.AUTH_HMAC_MD5_96 },
		"AEAD with integrity":  func(c *proposal.Chosen) { c.Encr.ID = wire.ENCR_AES_GCM_16 },
		"ChaCha with 128 bits": func(c *proposal.Chosen) { c.Encr.ID, c.Integ = wire.ENCR_CHACHA20_POLY1305, 0 },
	} {
		c := good
		alter(&c)
		if _, err := DeriveKeys(c, seq(0, 20), seq(0, 16), seq(0, 16), 1, 2); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := NewProtection(c, seq(0, 16), seq(0, 20)); err == nil && name != "PRF" {
			t.Errorf("%s: protection is made", name)
		}
	}
}
