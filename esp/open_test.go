package esp

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// No prefix of a packet opens, nor one with anything added.
func TestOpenPrefixes(t *testing.T) {
	for _, s := range allSuites() {
		t.Run(s.String(), func(t *testing.T) {
			p := newPair(t, s)
			golden := p.seal(t, []byte("0123456789abcdefghij"), 4)
			for n := range len(golden) {
				_, _, _, err := opened(p.in, &p.w, slices.Clone(golden[:n]))
				if !errors.Is(err, ErrShort) && !errors.Is(err, ErrICV) {
					t.Fatalf("prefix of %d octets: %v", n, err)
				}
			}
			for n := 1; n <= 64; n++ {
				_, _, _, err := opened(p.in, &p.w, append(slices.Clone(golden), make([]byte, n)...))
				if !errors.Is(err, ErrShort) && !errors.Is(err, ErrICV) {
					t.Fatalf("%d octets too many: %v", n, err)
				}
			}
			if _, _, _, err := opened(p.in, &p.w, golden); err != nil {
				t.Fatalf("the packet itself: %v", err)
			}
		})
	}
}

// Every single bit is protected: those of the SPI select another SA, all others
// spoil the ICV. Nothing of it moves the window.
func TestOpenBitFlips(t *testing.T) {
	for _, s := range allSuites() {
		t.Run(s.String(), func(t *testing.T) {
			p := newPair(t, s)
			golden := p.seal(t, []byte("0123456789abcdefghij"), 4)
			for bit := range 8 * len(golden) {
				pkt := slices.Clone(golden)
				pkt[bit/8] ^= 1 << (bit % 8)
				want := ErrICV
				if bit < 32 {
					want = ErrSPI
				}
				payload, _, _, err := opened(p.in, &p.w, pkt)
				// Without its last bit, the sequence number is 0.
				if bit == 56 && errors.Is(err, ErrReplay) {
					continue
				}
				// A number just below 2^32 is from before the first one with ESN.
				if bit == 39 && s.ESN && errors.Is(err, ErrReplay) {
					continue
				}
				if !errors.Is(err, want) || payload != nil {
					t.Fatalf("bit %d: %v, want %v", bit, err, want)
				}
			}
			if p.in.Highest() != 0 {
				t.Fatalf("forgeries moved the window to %d", p.in.Highest())
			}
			if _, _, _, err := opened(p.in, &p.w, golden); err != nil {
				t.Fatalf("the packet itself: %v", err)
			}
		})
	}
}

// A failed Open leaves no plaintext behind: the packet is still ciphertext, or
// cleared.
func TestOpenForgedLeavesNoPlaintext(t *testing.T) {
	secret := []byte("a secret that must not be seen before it is authentic")
	for _, s := range allSuites() {
		if s.Encr == EncrNull {
			continue
		}
		t.Run(s.String(), func(t *testing.T) {
			p := newPair(t, s)
			pkt := p.seal(t, secret, 4)
			pkt[len(pkt)-1] ^= 1
			if _, _, _, err := opened(p.in, &p.w, pkt); !errors.Is(err, ErrICV) {
				t.Fatal(err)
			}
			if bytes.Contains(pkt, secret[:16]) {
				t.Error("plaintext of a packet that is not authentic")
			}
		})
	}
}

// Another key is not ours.
func TestOpenOtherKey(t *testing.T) {
	for _, s := range allSuites() {
		t.Run(s.String(), func(t *testing.T) {
			p := newPair(t, s)
			q := newPair(t, s, func(o *OutboundConfig, i *InboundConfig) {
				i.EncrKey, i.IntegKey = slices.Clone(i.EncrKey), slices.Clone(i.IntegKey)
				if s.Integ != IntegNone {
					i.IntegKey[len(i.IntegKey)-1] ^= 1
				} else {
					i.EncrKey[0] ^= 1
				}
			})
			if _, _, _, err := opened(q.in, &q.w, p.seal(t, make([]byte, 40), 4)); !errors.Is(err, ErrICV) {
				t.Errorf("Open with another key: %v", err)
			}
			if s.Encr == EncrNull || s.Encr == EncrAESCBC || s.Integ != IntegNone {
				return
			}
			// The salt is part of the key.
			q = newPair(t, s, func(o *OutboundConfig, i *InboundConfig) {
				i.EncrKey = slices.Clone(i.EncrKey)
				i.EncrKey[len(i.EncrKey)-1] ^= 1
			})
			if _, _, _, err := opened(q.in, &q.w, p.seal(t, make([]byte, 40), 4)); !errors.Is(err, ErrICV) {
				t.Errorf("Open with another salt: %v", err)
			}
		})
	}
}

// Plaintexts as only a peer with the keys could send them.
func TestOpenMalformed(t *testing.T) {
	for _, c := range []struct {
		name  string
		plain []byte
		want  error
	}{
		{"nothing but a trailer", []byte{0, 4}, nil},
		{"no padding", []byte{'a', 'b', 0, 4}, nil},
		{"padding to the start", []byte{1, 2, 2, 4}, nil},
		{"longer padding than needed", []byte{'a', 'b', 1, 2, 3, 4, 4, 4}, nil},
		{"padding longer than the packet", []byte{1, 2, 3, 4}, ErrPadding},
		{"padding of 255", []byte{1, 2, 255, 4}, ErrPadding},
		{"padding of zeros", []byte{0, 0, 2, 4}, ErrPadding},
		{"padding starting with 0", []byte{0, 1, 2, 4}, ErrPadding},
		{"padding in the wrong order", []byte{2, 1, 2, 4}, ErrPadding},
		{"dummy", []byte{1, 2, 2, 59}, ErrDummy},
		{"dummy with content", []byte{'x', 1, 1, 59}, ErrDummy},
		{"dummy of random octets", []byte{9, 9, 200, 59}, ErrDummy},
	} {
		for _, s := range []Suite{
			{Encr: EncrAESGCM16, KeyBits: 128},
			{Encr: EncrAESGCM8, KeyBits: 128},
			{Encr: EncrAESCTR, KeyBits: 128, Integ: IntegHMACSHA1},
			{Encr: EncrNull, Integ: IntegAESXCBC},
		} {
			p := newPair(t, s)
			pkt := p.sealPlain(c.plain, p.reserve(t))
			payload, nh, seq, err := opened(p.in, &p.w, pkt)
			if !errors.Is(err, c.want) {
				t.Errorf("%s, %v: %v, want %v", c.name, s, err, c.want)
			}
			if seq != 1 || p.in.Highest() != 1 {
				t.Errorf("%s, %v: an authentic packet was not recorded", c.name, s)
			}
			if err != nil && payload != nil {
				t.Errorf("%s, %v: payload together with %v", c.name, s, err)
			}
			if err == nil && nh != 4 {
				t.Errorf("%s, %v: next header %d", c.name, s, nh)
			}
		}
	}
}

// sealPlain makes an authentic packet of any plaintext, trailer included.
func (p *pair) sealPlain(plain []byte, seq uint64) []byte {
	k := p.out.key
	pkt := make([]byte, k.header+len(plain)+k.icv)
	be := [...]byte{byte(p.out.spi >> 24), byte(p.out.spi >> 16), byte(p.out.spi >> 8), byte(p.out.spi),
		byte(seq >> 24), byte(seq >> 16), byte(seq >> 8), byte(seq)}
	copy(pkt, be[:])
	k.putIV(&p.w, pkt[headerLen:k.header], seq)
	k.seal(&p.w, pkt, append(slices.Clone(plain), make([]byte, TrailerRoom)...)[:len(plain)], seq)
	return pkt
}

// CBC packets that are no whole blocks are refused before any cryptography.
func TestOpenCBCBlocks(t *testing.T) {
	p := newPair(t, Suite{Encr: EncrAESCBC, KeyBits: 128, Integ: IntegHMACSHA256x128})
	for n := range 100 {
		pkt := make([]byte, n)
		if n >= 4 {
			copy(pkt, []byte{0xc0, 0xff, 0xee, 0x01})
		}
		if n >= 8 {
			pkt[7] = 1
		}
		want := ErrShort
		if n >= 24+16+16 && n%16 == 8 {
			want = ErrICV
		}
		if _, _, _, err := opened(p.in, &p.w, pkt); !errors.Is(err, want) {
			t.Errorf("%d octets: %v, want %v", n, err, want)
		}
	}
}

// Past its integrity limit an SA opens nothing any more.
func TestForgeryLimit(t *testing.T) {
	for _, s := range []Suite{{Encr: EncrAESGCM8, KeyBits: 128}, {Encr: EncrChaCha20Poly1305}} {
		p := newPair(t, s)
		good := p.seal(t, make([]byte, 40), 4)
		bad := slices.Clone(good)
		bad[len(bad)-1] ^= 1
		p.in.forgeries.Store(s.maxForgeries()/2 - 1)
		if p.in.Exhausting() {
			t.Errorf("%v: exhausting before half of the forgeries", s)
		}
		if _, _, _, err := opened(p.in, &p.w, slices.Clone(bad)); !errors.Is(err, ErrICV) || !p.in.Exhausting() {
			t.Errorf("%v: %v, exhausting %v", s, err, p.in.Exhausting())
		}
		p.in.forgeries.Store(s.maxForgeries() - 1)
		if _, _, _, err := opened(p.in, &p.w, slices.Clone(bad)); !errors.Is(err, ErrICV) {
			t.Errorf("%v: last forgery: %v", s, err)
		}
		if _, _, _, err := opened(p.in, &p.w, good); !errors.Is(err, ErrForgeries) {
			t.Errorf("%v: past the limit: %v", s, err)
		}
	}
	p := newPair(t, Suite{Encr: EncrAESGCM16, KeyBits: 128})
	p.in.forgeries.Store(1 << 60)
	if _, _, _, err := opened(p.in, &p.w, p.seal(t, nil, 4)); err != nil || p.in.Exhausting() {
		t.Errorf("AES_GCM_16 has no such limit: %v", err)
	}
}
