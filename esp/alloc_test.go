package esp

import "testing"

// Sealing and opening allocate nothing, for every suite, in either direction,
// good packets as well as bad ones.
func TestNoAllocations(t *testing.T) {
	const runs = 100
	for _, s := range allSuites() {
		t.Run(s.String(), func(t *testing.T) {
			if chachaAllocates && s.Encr == EncrChaCha20Poly1305 {
				t.Skip("built with purego")
			}
			for _, size := range []int{40, 64, 1406} {
				p := newPair(t, s)
				pkt := make([]byte, size, size+TrailerRoom)
				total := size + p.out.Overhead(size)
				dst := make([]byte, total)
				inPlace := make([]byte, total)
				h := p.out.HeaderLen()
				if n := testing.AllocsPerRun(runs, func() {
					seq, err := p.out.Reserve(2)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := p.out.Seal(&p.w, dst, pkt, 4, seq); err != nil {
						t.Fatal(err)
					}
					if _, err := p.out.Seal(&p.w, inPlace, inPlace[h:h+size], 4, seq+1); err != nil {
						t.Fatal(err)
					}
				}); n != 0 {
					t.Errorf("Seal of %d octets: %v allocations", size, n)
				}
				packets := make([][]byte, 0, runs+1)
				for range runs + 1 {
					packets = append(packets, p.seal(t, pkt, 4))
				}
				bad, replay := p.seal(t, pkt, 4), make([]byte, total)
				copy(replay, packets[0])
				bad[total-1] ^= 1
				i := 0
				if n := testing.AllocsPerRun(runs, func() {
					if _, _, _, err := opened(p.in, &p.w, packets[i]); err != nil {
						t.Fatal(err)
					}
					if _, _, _, err := opened(p.in, &p.w, bad); err != ErrICV {
						t.Fatal(err)
					}
					if _, _, _, err := opened(p.in, &p.w, replay); err != ErrReplay {
						t.Fatal(err)
					}
					if _, err := TrimInner(packets[i], 4); err != ErrInner {
						t.Fatal(err)
					}
					i++
				}); n != 0 {
					t.Errorf("Open of %d octets: %v allocations", size, n)
				}
			}
		})
	}
}
