package suite

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// allSuites returns an IKE proposal for each encryption algorithm, with each integrity algorithm where it needs one.
func allSuites() []string {
	var out []string
	for _, k := range proposal.Keywords(wire.ProtocolIKE) {
		if k.Transform.Type != wire.TransformENCR || !k.Canonical {
			continue
		}
		if s := k.Name + "-prfsha256-x25519"; isParsable(s) {
			out = append(out, s)
			continue
		}
		for _, i := range proposal.Keywords(wire.ProtocolIKE) {
			if i.Transform.Type == wire.TransformINTEG && i.Canonical {
				out = append(out, k.Name+"-"+i.Name+"-x25519")
			}
		}
	}
	return out
}

func isParsable(s string) bool {
	_, err := proposal.Parse(wire.ProtocolIKE, s)
	return err == nil
}

// pair returns the two ends of one direction.
func pair(t testing.TB, s string) (seal, open Protection) {
	t.Helper()
	c := chosen(t, s)
	encr, integ, err := keyLengths(c)
	if err != nil {
		t.Fatal(err)
	}
	var ps [2]Protection
	for i := range ps {
		if ps[i], err = NewProtection(c, seq(11, encr), seq(77, integ)); err != nil {
			t.Fatal(err)
		}
	}
	return ps[0], ps[1]
}

// header is a stand-in for the IKE header and the header of the SK payload.
func header() []byte { return seq(200, wire.HeaderLen+4) }

func TestAllSuitesAreThere(t *testing.T) {
	// 9 GCM, 2 ChaCha20-Poly1305, and (3 CBC + 3 CTR) * 6 integrity algorithms.
	if n := len(allSuites()); n != 9+2+6*6 {
		t.Errorf("%d suites: %q", n, allSuites())
	}
}

func TestSealOpen(t *testing.T) {
	for _, s := range allSuites() {
		t.Run(s, func(t *testing.T) {
			seal, open := pair(t, s)
			seen := make(map[string]bool)
			for n := range 70 {
				plain := seq(byte(n), n)
				want := bytes.Clone(plain)
				m, err := seal.Seal(header(), len(header()), plain)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.HasPrefix(m, header()) || len(m) != len(header())+seal.BodyLen(n) {
					t.Fatalf("%d octets: message of %d, BodyLen %d", n, len(m), seal.BodyLen(n))
				}
				wantBytes(t, "the plaintext after sealing", plain, want)
				if n > 8 && bytes.Contains(m, plain) {
					t.Fatal("the plaintext is in the message")
				}
				iv := string(m[len(header()) : len(header())+8])
				if seen[iv] {
					t.Fatalf("IV %x is used twice", iv)
				}
				seen[iv] = true

				sent := bytes.Clone(m)
				got, err := open.Open(m, len(header()))
				if err != nil {
					t.Fatal(err)
				}
				wantBytes(t, "opened", got, want)
				wantBytes(t, "the datagram after opening", m, sent)
				if n > 0 {
					got[0]++
					wantBytes(t, "the datagram after changing what was opened", m, sent)
				}
				// A message may be opened more than once: it is a retransmission.
				if _, err := open.Open(m, len(header())); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestSealRoom: Seal may write into spare capacity, and is not confused by having any.
func TestSealRoom(t *testing.T) {
	for _, s := range allSuites() {
		for room := range 120 {
			seal, open := pair(t, s)
			dst := append(make([]byte, 0, len(header())+room), header()...)
			m, err := seal.Seal(dst, len(dst), seq(1, 20))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := open.Open(m, len(header())); err != nil || !bytes.Equal(got, seq(1, 20)) {
				t.Fatalf("%s, room %d: %x, %v", s, room, got, err)
			}
		}
	}
}

// TestOpenForged: every changed bit and every missing or added octet is an ErrICV.
func TestOpenForged(t *testing.T) {
	for _, s := range allSuites() {
		t.Run(s, func(t *testing.T) {
			seal, open := pair(t, s)
			m, err := seal.Seal(header(), len(header()), seq(1, 21))
			if err != nil {
				t.Fatal(err)
			}
			refuse := func(what string, m []byte, aadLen int) {
				t.Helper()
				if got, err := open.Open(m, aadLen); !errors.Is(err, ErrICV) || got != nil {
					t.Errorf("%s: %x, %v", what, got, err)
				}
			}
			for i := range len(m) * 8 {
				forged := bytes.Clone(m)
				forged[i/8] ^= 1 << (i % 8)
				refuse(fmt.Sprintf("bit %d", i), forged, len(header()))
			}
			for n := range m {
				refuse(fmt.Sprintf("%d octets", n), m[:n], min(n, len(header())))
				refuse(fmt.Sprintf("%d octets, header missing", n), m[:n], len(header()))
			}
			refuse("an octet more", append(bytes.Clone(m), 0), len(header()))
			refuse("an octet less at the front", m[1:], len(header())-1)
			refuse("negative header", m, -1)
			refuse("nil", nil, 0)

			other := chosen(t, s)
			encr, integ, _ := keyLengths(other)
			wrong, err := NewProtection(other, seq(12, encr), seq(78, integ))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := wrong.Open(m, len(header())); !errors.Is(err, ErrICV) {
				t.Errorf("other keys: %v", err)
			}
			// The boundary between what is only authenticated and the IV is part of what is authenticated, with an AEAD;
			// otherwise it follows from the lengths in the header, which are covered.
			if other.Integ == wire.AUTH_NONE {
				refuse("boundary moved", m, len(header())+1)
			}
			if got, err := open.Open(m, len(header())); err != nil || !bytes.Equal(got, seq(1, 21)) {
				t.Errorf("the real one, after all: %x, %v", got, err)
			}
		})
	}
}

// sealRaw makes an authentic message whose decrypted octets are exactly these, pad length included.
func sealRaw(t *testing.T, s string, raw []byte) []byte {
	t.Helper()
	p, _ := pair(t, s)
	head := header()
	switch p := p.(type) {
	case *aeadProtection:
		m := append(head, make([]byte, p.spec.ivLen)...)
		return p.aead.Seal(m, p.nonce[:], raw, head)
	case *ctrProtection:
		m := append(head, make([]byte, p.spec.ivLen)...)
		ct := make([]byte, len(raw))
		p.stream(m[len(head):]).XORKeyStream(ct, raw)
		return p.mac.appendICV(append(m, ct...))
	case *cbcProtection:
		m := append(head, make([]byte, p.spec.ivLen)...)
		for i := 0; i+p.spec.block <= len(raw); i += p.spec.block {
			block := make([]byte, p.spec.block)
			for j := range block {
				block[j] = raw[i+j] ^ m[len(m)-p.spec.block+j]
			}
			p.block.Encrypt(block, block)
			m = append(m, block...)
		}
		m = append(m, raw[len(raw)/p.spec.block*p.spec.block:]...) // an incomplete block, in the clear
		return p.mac.appendICV(m)
	}
	t.Fatalf("%T", p)
	return nil
}

// TestOpenPadding: "the recipient MUST accept any length that results in proper alignment", and must survive those that
// do not. https://www.rfc-editor.org/rfc/rfc7296#section-3.14
func TestOpenPadding(t *testing.T) {
	for _, s := range []string{"aes256gcm16-prfsha256-x25519", "aes128gcm8-prfsha256-x25519", "chacha20poly1305-prfsha256-x25519",
		"aes128ctr-sha256-x25519", "aes128-sha256-x25519"} {
		_, open := pair(t, s)
		for pad := range 256 {
			// Payloads so long that the whole is a multiple of any block.
			n := 256 + 15 - pad%16
			raw := append(seq(1, n), bytes.Repeat([]byte{0xEE}, pad)...)
			raw = append(raw, byte(pad))
			got, err := open.Open(sealRaw(t, s, raw), len(header()))
			if err != nil {
				t.Fatalf("%s, %d octets of padding: %v", s, pad, err)
			}
			wantBytes(t, s, got, seq(1, n))
		}
		for name, raw := range map[string][]byte{
			"pad length 16 of 15": append(seq(1, 15), 16),
			"pad length 255":      append(seq(1, 31), 255),
		} {
			if got, err := open.Open(sealRaw(t, s, raw), len(header())); !errors.Is(err, ErrPadding) || errors.Is(err, ErrICV) || got != nil {
				t.Errorf("%s, %s: %x, %v", s, name, got, err)
			}
		}
		// All of it padding: an empty SK payload.
		if got, err := open.Open(sealRaw(t, s, append(seq(1, 15), 15)), len(header())); err != nil || len(got) != 0 {
			t.Errorf("%s, only padding: %x, %v", s, got, err)
		}
	}
	_, open := pair(t, "aes128-sha256-x25519")
	for _, n := range []int{1, 15, 17, 31} {
		if _, err := open.Open(sealRaw(t, "aes128-sha256-x25519", make([]byte, n)), len(header())); !errors.Is(err, ErrPadding) {
			t.Errorf("CBC with %d octets: %v", n, err)
		}
	}
}

// TestIVsEnd: a counter of IVs stops and never wraps.
func TestIVsEnd(t *testing.T) {
	for _, s := range []string{"aes256gcm16-prfsha256-x25519", "aes128ctr-sha256-x25519"} {
		seal, open := pair(t, s)
		switch p := seal.(type) {
		case *aeadProtection:
			p.next = math.MaxUint64
		case *ctrProtection:
			p.next = math.MaxUint64
		}
		m, err := seal.Seal(header(), len(header()), seq(1, 5))
		if err != nil {
			t.Fatal(err)
		}
		wantBytes(t, "the last IV", m[len(header()):len(header())+8], bytes.Repeat([]byte{0xff}, 8))
		if _, err := open.Open(m, len(header())); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := seal.Seal(header(), len(header()), seq(1, 5)); !errors.Is(err, errIVsSpent) {
				t.Errorf("%s: %v", s, err)
			}
		}
	}
}

func TestSealRefusesOtherAADLen(t *testing.T) {
	for _, s := range allSuites() {
		seal, _ := pair(t, s)
		for _, n := range []int{0, len(header()) - 1, len(header()) + 1, -1} {
			if _, err := seal.Seal(header(), n, nil); err == nil {
				t.Errorf("%s: aadLen %d is accepted", s, n)
			}
		}
	}
}

func TestNewProtectionKeyLengths(t *testing.T) {
	for _, s := range allSuites() {
		c := chosen(t, s)
		encr, integ, err := keyLengths(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range [][2]int{{encr - 1, integ}, {encr + 1, integ}, {0, integ}, {encr, integ + 1}, {encr, 64 - integ}} {
			if n == [2]int{encr, integ} {
				continue
			}
			if _, err := NewProtection(c, make([]byte, n[0]), make([]byte, n[1])); err == nil {
				t.Errorf("%s: keys of %v octets are accepted, need %d, %d", s, n, encr, integ)
			}
		}
	}
}

// TestCBCIVsAreRandom: two protections with the same keys do not use the same IVs, and none is predictable.
func TestCBCIVsAreRandom(t *testing.T) {
	var ivs []string
	for range 2 {
		seal, _ := pair(t, "aes128-sha256-x25519")
		for range 50 {
			m, err := seal.Seal(nil, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			ivs = append(ivs, string(m[:16]))
		}
	}
	slices.Sort(ivs)
	if len(slices.Compact(ivs)) != 100 {
		t.Error("IVs repeat")
	}
}

// FuzzOpen: no datagram makes Open panic, change it, or accept it.
func FuzzOpen(f *testing.F) {
	suites := []string{"aes256gcm16-prfsha256-x25519", "aes128gcm8-prfsha256-x25519", "chacha20poly1305-prfsha256-x25519",
		"aes128ctr-aescmac-x25519", "aes128-sha256-x25519", "aes256-aesxcbc-x25519"}
	var opens []Protection
	for _, s := range suites {
		seal, open := pair(f, s)
		opens = append(opens, open)
		m, err := seal.Seal(header(), len(header()), seq(1, 40))
		if err != nil {
			f.Fatal(err)
		}
		// With a changed bit: the fuzzer must not be given what is authentic.
		m[len(m)-1] ^= 1
		f.Add(m, len(header()))
	}
	f.Fuzz(func(t *testing.T, m []byte, aadLen int) {
		before := bytes.Clone(m)
		for i, open := range opens {
			if got, err := open.Open(m, aadLen); !errors.Is(err, ErrICV) || got != nil {
				t.Fatalf("%s: %x, %v", suites[i], got, err)
			}
		}
		if !bytes.Equal(m, before) {
			t.Fatal("the datagram is changed")
		}
	})
}
