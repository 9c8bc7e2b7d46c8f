package suite

import (
	"bytes"
	"errors"
	"hash"
	"testing"

	"esplanade/ike/wire"
)

func mustPRF(t testing.TB, id uint16) PRF {
	t.Helper()
	p, err := NewPRF(id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func allPRFs() []uint16 {
	return []uint16{
		wire.PRF_HMAC_SHA1, wire.PRF_HMAC_SHA2_256, wire.PRF_HMAC_SHA2_384, wire.PRF_HMAC_SHA2_512,
		wire.PRF_AES128_XCBC, wire.PRF_AES128_CMAC,
	}
}

func TestPRFSizes(t *testing.T) {
	for _, tt := range []struct {
		id                   uint16
		size, keySize, fixed int
	}{
		{wire.PRF_HMAC_SHA1, 20, 20, 0},
		{wire.PRF_HMAC_SHA2_256, 32, 32, 0},
		{wire.PRF_HMAC_SHA2_384, 48, 48, 0},
		{wire.PRF_HMAC_SHA2_512, 64, 64, 0},
		{wire.PRF_AES128_XCBC, 16, 16, 16},
		{wire.PRF_AES128_CMAC, 16, 16, 16},
	} {
		p := mustPRF(t, tt.id)
		if p.ID() != tt.id || p.Size() != tt.size || p.KeySize() != tt.keySize || p.FixedKeySize() != tt.fixed {
			t.Errorf("%d: %d, %d, %d, %d", tt.id, p.ID(), p.Size(), p.KeySize(), p.FixedKeySize())
		}
	}
	for _, id := range []uint16{0, wire.PRF_HMAC_MD5, wire.PRF_HMAC_TIGER, 1000} {
		_, err := NewPRF(id)
		var ue *UnsupportedError
		if !errors.As(err, &ue) || ue.Type != wire.TransformPRF || ue.ID != id {
			t.Errorf("%d: %v", id, err)
		}
	}
}

// TestPRFKeyLengths: keys of any length work, and all give different results (a pre-shared key may be of any length).
func TestPRFKeyLengths(t *testing.T) {
	for _, id := range allPRFs() {
		p := mustPRF(t, id)
		seen := make(map[string]int)
		for n := range 200 {
			out := p.Sum(seq(1, n), []byte("data"))
			if len(out) != p.Size() {
				t.Fatalf("%d octets", len(out))
			}
			if other, ok := seen[string(out)]; ok {
				t.Errorf("PRF %d: keys of %d and %d octets are the same", id, n, other)
			}
			seen[string(out)] = n
		}
	}
}

// TestPRFPlus checks prf+ against its definition, and its limit.
func TestPRFPlus(t *testing.T) {
	key, seed := seq(3, 33), seq(100, 48)
	for _, id := range allPRFs() {
		p := mustPRF(t, id)
		var want, prev []byte
		for i := 1; i <= 255; i++ {
			prev = p.Sum(key, prev, seed, []byte{byte(i)})
			want = append(want, prev...)
		}
		for _, n := range []int{0, 1, p.Size() - 1, p.Size(), p.Size() + 1, 7*p.Size() + 3, 255 * p.Size()} {
			got, err := p.Plus(key, seed, n)
			if err != nil || !bytes.Equal(got, want[:n]) {
				t.Errorf("PRF %d, %d octets: %v", id, n, err)
			}
			if cap(got) != len(got) {
				t.Errorf("PRF %d: more key material behind the result", id)
			}
		}
		for _, n := range []int{-1, 255*p.Size() + 1, 1 << 40} {
			if _, err := p.Plus(key, seed, n); err == nil {
				t.Errorf("PRF %d: %d octets are given", id, n)
			}
		}
	}
}

// TestMACStates: Sum does not disturb a MAC, Reset makes it new, and Write may be called with any pieces.
func TestMACStates(t *testing.T) {
	for name, newMAC := range map[string]func() hash.Hash{
		"XCBC": func() hash.Hash { return newXCBC(seq(0, 16)) },
		"CMAC": func() hash.Hash { return newCMAC(seq(0, 16)) },
	} {
		data := seq(50, 100)
		for n := range len(data) {
			whole := newMAC()
			whole.Write(data[:n])
			want := whole.Sum(nil)

			pieces := newMAC()
			for i := range n {
				pieces.Write(data[i : i+1])
				pieces.Sum(nil)
			}
			wantBytes(t, name+" in octets", pieces.Sum([]byte{9}), append([]byte{9}, want...))
			pieces.Reset()
			pieces.Write(data[:n])
			wantBytes(t, name+" after Reset", pieces.Sum(nil), want)
		}
		if m := newMAC(); m.Size() != 16 || m.BlockSize() != 16 {
			t.Errorf("%s: %d, %d", name, m.Size(), m.BlockSize())
		}
	}
}
