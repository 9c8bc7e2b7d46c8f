package esp

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"slices"
	"testing"
)

// Counter mode is that of crypto/cipher, for every length around the places
// where the implementation changes its way, with every room behind, in place and
// elsewhere, and it never writes beyond its room.
func TestCTRDifferential(t *testing.T) {
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
		var w Scratch
		copy(w.nonce[:], randomBytes(r, nonceLen))
		for n := range 300 {
			for _, room := range []int{8, 12, 16, 24, 32} {
				for _, ctr := range []uint32{1, 2} {
					src := randomBytes(r, n)
					iv := binary.BigEndian.AppendUint32(slices.Clone(w.nonce[:]), ctr)
					want := make([]byte, n)
					cipher.NewCTR(block, iv).XORKeyStream(want, src)

					const guard = 40
					buf := randomBytes(r, n+room+guard)
					after := slices.Clone(buf[n+room:])
					xorCTR(&w, gcm, block, buf[:n+room], src, ctr)
					if !bytes.Equal(buf[:n], want) {
						t.Fatalf("%d octets, room %d, counter %d: %x, want %x", n, room, ctr, buf[:n], want)
					}
					copy(buf, src)
					xorCTR(&w, gcm, block, buf[:n+room], buf[:n], ctr)
					if !bytes.Equal(buf[:n], want) {
						t.Fatalf("%d octets in place, room %d, counter %d", n, room, ctr)
					}
					if !bytes.Equal(buf[n+room:], after) {
						t.Fatalf("%d octets, room %d: written beyond it", n, room)
					}
				}
			}
		}
	}
}

func TestCBCDifferential(t *testing.T) {
	r := seeded(2)
	block, err := aes.NewCipher(randomBytes(r, 32))
	if err != nil {
		t.Fatal(err)
	}
	var w Scratch
	for n := 0; n < 20*blockLen; n += blockLen {
		src, iv := randomBytes(r, n), randomBytes(r, blockLen)
		want := make([]byte, n)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(want, src)
		got := make([]byte, n)
		encryptCBC(&w, block, got, src, iv)
		if !bytes.Equal(got, want) {
			t.Fatalf("%d octets: %x, want %x", n, got, want)
		}
		copy(got, src)
		encryptCBC(&w, block, got, got, iv)
		if !bytes.Equal(got, want) {
			t.Fatalf("%d octets in place: %x, want %x", n, got, want)
		}
		decryptCBC(block, got, iv)
		if !bytes.Equal(got, src) {
			t.Fatalf("%d octets decrypted: %x, want %x", n, got, src)
		}
	}
}
