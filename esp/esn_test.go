package esp

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"
)

// The inference is that of the text of RFC 4303 appendix A2.2, with numbers by
// hand around each of its edges.
func TestInferESN(t *testing.T) {
	const w = 64
	for _, c := range []struct {
		name string
		top  uint64
		low  uint32
		want uint64
		ok   bool
	}{
		{"first packet", 0, 1, 1, true},
		{"first packet is late", 0, 5000, 5000, true},
		{"before the first", 0, math.MaxUint32, 0, false},
		{"before the first, edge", 0, math.MaxUint32 - w + 2, 0, false},
		{"last of the first subspace", 0, math.MaxUint32 - w + 1, math.MaxUint32 - w + 1, true},
		{"case A in order", 0x1_0000_1000, 0x1001, 0x1_0000_1001, true},
		{"case A left edge", 0x1_0000_1000, 0x1000 - w + 1, 0x1_0000_1000 - w + 1, true},
		{"case A left of the edge is the next subspace", 0x1_0000_1000, 0x1000 - w, 0x2_0000_1000 - w, true},
		{"case A wrap", 0x1_ffff_ffff, 0, 0x2_0000_0000, true},
		{"case A window from 0", 0x1_0000_0000 + w - 1, 0, 0x1_0000_0000, true},
		{"case A window from 0, last", 0x1_0000_0000 + w - 1, math.MaxUint32, 0x1_ffff_ffff, true},
		{"case B in the old subspace", 0x2_0000_0001, 0xffff_fff0, 0x1_ffff_fff0, true},
		{"case B left edge", 0x2_0000_0001, 2 + math.MaxUint32 - w + 1, 0x2_0000_0001 - w + 1, true},
		{"case B left of the edge", 0x2_0000_0001, 1 + math.MaxUint32 - w + 1, 0x2_0000_0001 - w + 1<<32, true},
		{"case B in order", 0x2_0000_0001, 2, 0x2_0000_0002, true},
		{"the last number", math.MaxUint64 - 1, math.MaxUint32, math.MaxUint64, true},
		{"after the last", math.MaxUint64, 0, 0, false},
	} {
		got, ok := inferESN(c.top, w, c.low)
		if got != c.want || ok != c.ok {
			t.Errorf("%s: T %#x, Seql %#x: %#x %v, want %#x %v", c.name, c.top, c.low, got, ok, c.want, c.ok)
		}
	}
}

// Whatever the highest number, every number from the left edge of the window to
// 2^32 - W beyond it is inferred from its lower half.
func TestInferESNProperty(t *testing.T) {
	r := seeded(1)
	for range 200000 {
		size := []uint64{32, 64, 4096, 1 << 20, esnWindow}[r.IntN(5)]
		top := r.Uint64() >> r.UintN(64)
		if r.IntN(2) == 0 { // around a change of subspaces
			top = top&^math.MaxUint32 + uint64(int64(r.IntN(200))-100)
		}
		var want uint64
		switch r.IntN(3) {
		case 0:
			want = top - r.Uint64N(size)
		case 1:
			want = top + r.Uint64N(1<<32-size+1)
		case 2:
			want = top + r.Uint64N(100)
		}
		// Before the first or after the last there is nothing.
		if d := int64(want - top); d < 0 && want > top || d >= 0 && want < top {
			continue
		}
		if got, ok := inferESN(top, size, uint32(want)); !ok || got != want {
			t.Fatalf("T %#x, W %d: %#x from its lower half: %#x %v", top, size, want, got, ok)
		}
	}
}

// An SA passes from one subspace to the next, with packets of the old one still
// arriving, whatever the suite.
func TestESNWrap(t *testing.T) {
	for _, s := range allSuites() {
		if !s.ESN {
			continue
		}
		t.Run(s.String(), func(t *testing.T) {
			p := newPair(t, s)
			p.in.window.accept(1<<32 - 200)
			var packets [][]byte
			first := uint64(1<<32 - 100)
			for i := range uint64(200) {
				packets = append(packets, p.sealAs(t, []byte{byte(i)}, 4, first+i))
			}
			// Swap neighbours eleven apart, so that both sides of the wrap mix.
			for i := 0; i+11 < len(packets); i += 2 {
				packets[i], packets[i+11] = packets[i+11], packets[i]
			}
			seen := make(map[uint64]bool)
			for _, pkt := range packets {
				replay := slices.Clone(pkt)
				payload, _, seq, err := opened(p.in, &p.w, pkt)
				if err != nil {
					t.Fatalf("number %#x: %v", seq, err)
				}
				if seen[seq] || !bytes.Equal(payload, []byte{byte(seq - first)}) {
					t.Fatalf("number %#x: payload %x, seen %v", seq, payload, seen[seq])
				}
				seen[seq] = true
				if _, _, _, err := opened(p.in, &p.w, replay); !errors.Is(err, ErrReplay) {
					t.Fatalf("replay of %#x: %v", seq, err)
				}
			}
			if p.in.Highest() != first+199 {
				t.Errorf("highest %#x", p.in.Highest())
			}
		})
	}
}

// The upper half is in the ICV: a packet of another subspace, with the same
// lower half on the wire, is not authentic.
func TestESNInICV(t *testing.T) {
	for _, s := range allSuites() {
		if !s.ESN {
			continue
		}
		t.Run(s.String(), func(t *testing.T) {
			p := newPair(t, s)
			pkt := p.sealAs(t, []byte("payload"), 4, 7<<32+5000)
			if _, _, seq, err := opened(p.in, &p.w, slices.Clone(pkt)); !errors.Is(err, ErrICV) || seq != 5000 {
				t.Errorf("as number %d: %v", seq, err)
			}
			p.in.window.accept(7<<32 + 4999)
			if _, _, seq, err := opened(p.in, &p.w, pkt); err != nil || seq != 7<<32+5000 {
				t.Errorf("as number %#x: %v", seq, err)
			}
		})
	}
}

// The same suite with and without ESN does not understand each other.
func TestESNMismatch(t *testing.T) {
	for _, s := range allSuites() {
		if s.ESN {
			continue
		}
		p := newPair(t, s)
		s.ESN = true
		q := newPair(t, s)
		if _, _, _, err := opened(q.in, &q.w, p.seal(t, make([]byte, 20), 4)); !errors.Is(err, ErrICV) {
			t.Errorf("%v: %v", s, err)
		}
	}
}
