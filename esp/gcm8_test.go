package esp

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"slices"
	"testing"
)

// The tag made from a pass over additional data only is that of crypto/cipher,
// for every length, both kinds of additional data and all key sizes, and the
// packet is left as it was.
func TestGHASHDifferential(t *testing.T) {
	r := seeded(1)
	for _, keyLen := range []int{16, 24, 32} {
		block, err := aes.NewCipher(randomBytes(r, keyLen))
		if err != nil {
			t.Fatal(err)
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			t.Fatal(err)
		}
		g := newGHASH(gcm, block)
		var w Scratch
		lengths := []int{1023, 1024, 1408, 4096, 9000, 65535 - blockLen}
		for n := range 300 {
			lengths = append(lengths, n)
		}
		for _, n := range lengths {
			for _, aadLen := range []int{aadLen, aadLenESN} {
				copy(w.nonce[:], randomBytes(r, nonceLen))
				plain, aad := randomBytes(r, n), randomBytes(r, aadLen)
				sealed := gcm.Seal(nil, w.nonce[:], plain, aad)
				pkt := append(randomBytes(r, blockLen), sealed[:n]...)
				before := slices.Clone(pkt)
				g.tag(&w, pkt, aad)
				if !bytes.Equal(w.mac[:16], sealed[n:]) {
					t.Fatalf("%d octets, %d of additional data: %x, want %x", n, aadLen, w.mac[:16], sealed[n:])
				}
				if !bytes.Equal(pkt, before) {
					t.Fatalf("%d octets: the packet changed", n)
				}
			}
		}
	}
}

// GCM-8 is GCM-16 with a shorter ICV (RFC 4106 section 6).
func TestGCM8Truncates(t *testing.T) {
	for _, bits := range []int{128, 192, 256} {
		for _, esn := range []bool{false, true} {
			long := newPair(t, Suite{Encr: EncrAESGCM16, KeyBits: bits, ESN: esn})
			// The seed that newPair uses, so the same key material.
			k8, err := newKey(Suite{Encr: EncrAESGCM8, KeyBits: bits, ESN: esn},
				randomBytes(seeded(uint64(EncrAESGCM16)<<32), bits/8+4), nil)
			if err != nil {
				t.Fatal(err)
			}
			r := seeded(5)
			for n := range 200 {
				payload := randomBytes(r, n)
				want := long.seal(t, payload, 4)
				want = want[:len(want)-8]
				short := &pair{out: &Outbound{key: k8, spi: testSPI}}
				got := short.sealAs(t, payload, 4, uint64(n+1))
				if !bytes.Equal(got, want) {
					t.Fatalf("%d bits, ESN %v, %d octets:\n%x, want\n%x", bits, esn, n, got, want)
				}
			}
		}
	}
}

// Multiplication by x in the field: 128 times is the reduction polynomial.
func TestMulX(t *testing.T) {
	one := element{hi: 1 << 63}
	e := one
	for range 127 {
		e = e.mulX()
	}
	if (e != element{lo: 1}) {
		t.Fatalf("x^127 is %x", e)
	}
	if e = e.mulX(); (e != element{hi: 0xe1 << 56}) {
		t.Fatalf("x^128 is %x, want x^7 + x^2 + x + 1", e)
	}
}
