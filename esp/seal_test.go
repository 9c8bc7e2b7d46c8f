package esp

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// Whatever is sealed is opened again, for every suite and every length around
// the sizes that the implementation treats differently.
func TestSealOpen(t *testing.T) {
	var lengths []int
	for n := range 150 {
		lengths = append(lengths, n)
	}
	lengths = append(lengths, 255, 256, 257, 576, 1279, 1280, 1400, 1406, 1407, 1408, 1500, 9000, 65000)
	for _, s := range allSuites() {
		t.Run(s.String(), func(t *testing.T) {
			p := newPair(t, s)
			r := seeded(1)
			for _, n := range lengths {
				want := randomBytes(r, n)
				pkt := p.seal(t, want, 4)
				got, nh, seq, err := opened(p.in, &p.w, pkt)
				if err != nil || nh != 4 || !bytes.Equal(got, want) || seq != p.out.next.Load()-1 {
					t.Fatalf("%d octets: Open: %d octets, next header %d, seq %d, %v", n, len(got), nh, seq, err)
				}
				if cap(got) != len(got) {
					t.Fatalf("payload has capacity %d beyond its length %d", cap(got), len(got))
				}
			}
		})
	}
}

// The layout of the fast path: packets follow each other in one buffer without a
// gap, and are sealed to another one back to back, at any offset. What is behind
// each packet, and in front of and behind its place, stays what it is.
func TestSealDisjoint(t *testing.T) {
	for _, s := range allSuites() {
		t.Run(s.String(), func(t *testing.T) {
			p := newPair(t, s)
			r := seeded(2)
			for off := range 20 {
				for _, n := range []int{0, 1, 20, 40, 63, 64, 65, 127, 128, 129, 1400, 1408} {
					src := randomBytes(r, n+TrailerRoom)
					want := slices.Clone(src)
					size := n + p.out.Overhead(n)
					dst := randomBytes(r, off+size+64)
					before := slices.Clone(dst)
					// dst is longer than it must be: Seal may use only what it needs.
					got, err := p.out.Seal(&p.w, dst[off:], src[:n], 41, p.reserve(t))
					if err != nil || got != size {
						t.Fatalf("Seal of %d: %d, %v", n, got, err)
					}
					if !bytes.Equal(src, want) {
						t.Fatalf("%d octets: Seal changed its source", n)
					}
					if !bytes.Equal(dst[:off], before[:off]) || !bytes.Equal(dst[off+size:], before[off+size:]) {
						t.Fatalf("%d octets: Seal wrote outside of its packet", n)
					}
					payload, nh, _, err := opened(p.in, &p.w, dst[off:off+size])
					if err != nil || nh != 41 || !bytes.Equal(payload, want[:n]) {
						t.Fatalf("Open of %d: %v", n, err)
					}
					if !bytes.Equal(dst[:off], before[:off]) || !bytes.Equal(dst[off+size:], before[off+size:]) {
						t.Fatalf("%d octets: Open wrote outside of its packet", n)
					}
				}
			}
		})
	}
}

// Sealing in place gives the same packet as sealing to another buffer.
func TestSealInPlace(t *testing.T) {
	for _, s := range allSuites() {
		t.Run(s.String(), func(t *testing.T) {
			p := newPair(t, s)
			r := seeded(3)
			for _, n := range []int{0, 1, 40, 63, 64, 100, 576, 1405, 1406, 1408} {
				payload := randomBytes(r, n)
				seq := p.reserve(t)
				want := p.sealAs(t, payload, 4, seq)
				buf := randomBytes(r, len(want)+64)
				after := slices.Clone(buf[len(want):])
				h := p.out.HeaderLen()
				copy(buf[h:], payload)
				got, err := p.out.Seal(&p.w, buf, buf[h:h+n], 4, seq)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(buf[:got], want) {
					t.Fatalf("%d octets: in place %x, elsewhere %x", n, buf[:got], want)
				}
				if !bytes.Equal(buf[got:], after) {
					t.Fatalf("%d octets: Seal wrote behind its packet", n)
				}
			}
		})
	}
}

func TestSealBuffers(t *testing.T) {
	p := newPair(t, Suite{Encr: EncrAESGCM16, KeyBits: 128})
	seq := p.reserve(t)
	buf := make([]byte, 4096)
	pkt := buf[2048:2148]
	total := 100 + p.out.Overhead(100)
	for _, c := range []struct {
		name     string
		dst, pkt []byte
		seq      uint64
		want     error
	}{
		{"fits", buf[:total], pkt, seq, nil},
		{"short destination", buf[:total-1], pkt, seq, ErrBuffer},
		{"no destination", nil, pkt, seq, ErrBuffer},
		{"no room for the trailer", buf[:total], pkt[: 100 : 100+padLen(100, 4)+trailerLen-1], seq, ErrBuffer},
		{"just room for the trailer", buf[:total], pkt[: 100 : 100+padLen(100, 4)+trailerLen], seq, nil},
		{"no packet", buf[:total], nil, seq, ErrBuffer},
		{"too long", make([]byte, 70000), make([]byte, 65536, 66000), seq, ErrBuffer},
		{"too long with overhead", make([]byte, 70000), make([]byte, 65520, 66000), seq, ErrBuffer},
		{"overlap by an octet", buf[2048-total+1:], pkt, seq, ErrBuffer},
		{"touching", buf[2048-total:], pkt, seq, nil},
		{"behind", buf[2148+2+padLen(100, 4):], pkt, seq, nil},
		{"destination in the trailer's room", buf[2148+1:], pkt, seq, ErrBuffer},
		{"one off in place", buf[2048-p.out.HeaderLen()+1:], pkt, seq, ErrBuffer},
		{"in place", buf[2048-p.out.HeaderLen():], pkt, seq, nil},
		{"number 0", buf[:total], pkt, 0, ErrSequence},
		{"number not reserved", buf[:total], pkt, seq + 1, ErrSequence},
	} {
		before := slices.Clone(buf)
		_, err := p.out.Seal(&p.w, c.dst, c.pkt, 4, c.seq)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if c.want != nil && !bytes.Equal(buf, before) {
			t.Errorf("%s: something was written", c.name)
		}
	}
}

// IVs never repeat and, for CBC, look like anything but a counter.
func TestIV(t *testing.T) {
	for _, s := range []Suite{
		{Encr: EncrAESGCM16, KeyBits: 256},
		{Encr: EncrChaCha20Poly1305, ESN: true},
		{Encr: EncrAESCTR, KeyBits: 128, Integ: IntegHMACSHA256x128},
		{Encr: EncrAESCBC, KeyBits: 128, Integ: IntegHMACSHA256x128},
	} {
		t.Run(s.String(), func(t *testing.T) {
			p := newPair(t, s)
			seen := make(map[string]uint64)
			var last []byte
			flips := 0
			const packets = 4096
			for range packets {
				seq := p.reserve(t)
				iv := p.sealAs(t, nil, 59, seq)[headerLen:p.out.HeaderLen()]
				if was, ok := seen[string(iv)]; ok {
					t.Fatalf("packets %d and %d have the same IV", was, seq)
				}
				seen[string(iv)] = seq
				for i := range last {
					for d := iv[i] ^ last[i]; d != 0; d &= d - 1 {
						flips++
					}
				}
				last = iv
			}
			// Half of the 128 bits change from packet to packet, on average; the
			// deviation of the mean is 5.7/64, so that a tenth of it is far off.
			if mean := float64(flips) / (packets - 1); s.Encr == EncrAESCBC && (mean < 63 || mean > 65) {
				t.Errorf("consecutive CBC IVs differ in %.2f bits, want 64", mean)
			}
		})
	}
}

// The IVs of CBC come from a key of their own: they are not the cipher's answer
// to a block that a payload could contain.
func TestCBCIVKey(t *testing.T) {
	p := newPair(t, Suite{Encr: EncrAESCBC, KeyBits: 128, Integ: IntegHMACSHA1})
	iv := p.seal(t, nil, 59)[headerLen:p.out.HeaderLen()]
	var block [16]byte
	block[15] = 1
	p.out.key.block.Encrypt(block[:], block[:])
	if bytes.Equal(iv, block[:]) {
		t.Error("the IV is the sequence number encrypted under the key of the payload")
	}
}
