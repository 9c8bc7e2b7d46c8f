package esp

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// reference is the anti-replay window as RFC 4303 section 3.4.3 tells it, with a
// memory of everything and no thought of speed.
type reference struct {
	size, max uint64
	seen      map[uint64]bool
}

func (r *reference) accept(seq uint64) bool {
	if seq == 0 || r.seen[seq] || r.max >= r.size && seq <= r.max-r.size {
		return false
	}
	r.seen[seq] = true
	r.max = max(r.max, seq)
	return true
}

func newWindow(size int) *window {
	w := new(window)
	w.init(size)
	return w
}

// Any sequence of numbers gets the same answers from the window as from the
// reference, at every size, around every edge.
func TestWindowReference(t *testing.T) {
	sizes := []int{32, 33, 63, 64, 65, 96, 97, 98, 127, 128, 129, 1000, 4096, 4097, 8192}
	for _, size := range sizes {
		for seed := range uint64(6) {
			t.Run(fmt.Sprintf("%d/seed%d", size, seed), func(t *testing.T) {
				r := seeded(seed)
				w := newWindow(size)
				ref := &reference{size: uint64(size), seen: make(map[uint64]bool)}
				accepted, refused := 0, 0
				for n := range 30000 {
					seq := nextSequence(r, ref.max, uint64(size))
					checked := w.check(seq)
					got, want := w.accept(seq), ref.accept(seq)
					if got != want || checked != want {
						t.Fatalf("step %d: number %d with highest %d: check %v, accept %v, want %v", n, seq, ref.max, checked, got, want)
					}
					if w.max.Load() != ref.max {
						t.Fatalf("step %d: highest %d, want %d", n, w.max.Load(), ref.max)
					}
					if want {
						accepted++
					} else {
						refused++
					}
				}
				if accepted < 1000 || refused < 1000 {
					t.Fatalf("the test tests nothing: %d accepted, %d refused", accepted, refused)
				}
			})
		}
	}
}

// nextSequence picks a number that is interesting for a window.
func nextSequence(r *rand.Rand, top, size uint64) uint64 {
	back := func(n uint64) uint64 {
		if n > top {
			return 0
		}
		return top - n
	}
	switch r.IntN(20) {
	case 0, 1, 2, 3, 4, 5: // in order
		return top + 1
	case 6, 7, 8: // a little ahead
		return top + r.Uint64N(64)
	case 9, 10, 11, 12, 13: // inside of the window
		return back(r.Uint64N(size))
	case 14, 15: // at its left edge
		return back(size - 3 + r.Uint64N(6))
	case 16: // at the edge of the ring, which is larger
		return back(2*size - 40 + r.Uint64N(80))
	case 17: // far ahead: a burst was lost
		return top + r.Uint64N(3*size)
	case 18: // long ago
		return r.Uint64N(top + 1)
	default: // at a multiple of a slot or a round
		return (top + r.Uint64N(size)) &^ (31 << r.UintN(4))
	}
}

// Epochs are compared modulo 2^32. Around the wrap, and after jumps as large as
// the inference of extended numbers allows, the answers are still those of the
// reference.
func TestWindowEpochs(t *testing.T) {
	const size = 64
	w := newWindow(size)
	ref := &reference{size: size, seen: make(map[uint64]bool)}
	r := seeded(1)
	wrap := uint64(1) << (32 + w.shift)
	seq := wrap - 5000
	// Come near the wrap in steps of less than half of the epochs.
	for s := uint64(1); s < seq; s += 1 << (30 + w.shift) {
		for i := range uint64(2 * size) {
			if got, want := w.accept(s+i), ref.accept(s+i); got != want {
				t.Fatalf("number %#x: %v, want %v", s+i, got, want)
			}
		}
	}
	for range 20000 {
		s := seq + r.Uint64N(100)
		if got, want := w.accept(s), ref.accept(s); got != want {
			t.Fatalf("number %#x, highest %#x: %v, want %v", s, ref.max, got, want)
		}
		if r.IntN(2) == 0 {
			seq++
		}
	}
	if ref.max < wrap {
		t.Fatalf("never came to the wrap: %#x < %#x", ref.max, wrap)
	}
}

// However many workers feed the window, each number is accepted exactly once if
// it is never far behind, and at most once in any case.
func TestWindowConcurrent(t *testing.T) {
	const (
		workers = 8
		size    = 4096
		blocks  = 400
		block   = 64
	)
	w := newWindow(size)
	accepted := make([]atomic.Int32, blocks*block+1)
	var wg sync.WaitGroup
	var done [workers]atomic.Int64 // the block each worker has finished
	for id := range workers {
		wg.Go(func() {
			r := seeded(uint64(id))
			for b := range blocks {
				// Every worker sees every number, twice, each in its own order, but
				// none runs so far ahead that others fall out of the window.
				for {
					slowest := int64(b)
					for i := range done {
						slowest = min(slowest, done[i].Load())
					}
					if int64(b)-slowest < size/block/2 {
						break
					}
					runtime.Gosched()
				}
				order := r.Perm(2 * block)
				for _, i := range order {
					seq := uint64(b*block + i/2 + 1)
					w.check(seq)
					if w.accept(seq) {
						accepted[seq].Add(1)
					}
				}
				done[id].Store(int64(b + 1))
			}
		})
	}
	wg.Wait()
	for seq := 1; seq < len(accepted); seq++ {
		if n := accepted[seq].Load(); n != 1 {
			t.Fatalf("number %d was accepted %d times", seq, n)
		}
	}
}

// With a small window and workers far apart, numbers are lost, but never
// accepted twice; and the highest number is right in the end.
func TestWindowConcurrentRace(t *testing.T) {
	const (
		workers = 6
		size    = 32
		span    = 400000
	)
	w := newWindow(size)
	accepted := make([]atomic.Int32, span+1)
	var wg sync.WaitGroup
	for id := range workers {
		wg.Go(func() {
			r := seeded(uint64(100 + id))
			top := uint64(1)
			for top < span {
				// Jumps of several rounds make slots change hands all the time.
				for range 40 {
					seq := top + r.Uint64N(200)
					if back := r.Uint64N(100); r.IntN(2) == 0 && back < seq {
						seq -= back
					}
					if seq <= span && w.accept(seq) {
						accepted[seq].Add(1)
					}
				}
				top = max(top+1, w.max.Load())
				if r.IntN(4) == 0 {
					top += r.Uint64N(300)
				}
			}
		})
	}
	wg.Wait()
	highest, total := 0, 0
	for seq := range accepted {
		n := accepted[seq].Load()
		if n > 1 {
			t.Fatalf("number %d was accepted %d times", seq, n)
		}
		if n == 1 {
			highest, total = seq, total+1
		}
	}
	if w.max.Load() != uint64(highest) || total < 1000 {
		t.Fatalf("highest %d, want %d; %d accepted", w.max.Load(), highest, total)
	}
}

// The ring is as large as the proof needs and not twice that.
func TestWindowRing(t *testing.T) {
	for size := MinReplayWindow; size <= 9000; size++ {
		w := newWindow(size)
		n := len(w.slots)
		if 32*n-31 < size {
			t.Fatalf("window of %d: %d slots are too few", size, n)
		}
		if n > 1 && 32*(n/2)-31 >= size {
			t.Fatalf("window of %d: %d slots are too many", size, n)
		}
		if n&(n-1) != 0 || 1<<w.shift != 32*n {
			t.Fatalf("window of %d: %d slots, shift %d", size, n, w.shift)
		}
	}
}

// What another worker may have done between any two steps of accept, by hand: it
// has swapped a slot but not raised the highest number yet.
func TestWindowInterleaving(t *testing.T) {
	w := newWindow(64) // 4 slots, rounds of 128 numbers
	if w.shift != 7 {
		t.Fatalf("rounds of %d numbers", 1<<w.shift)
	}
	if !w.accept(40) {
		t.Fatal("40 was refused")
	}
	// The other worker accepts 40+128, in the same slot.
	word, ok := w.with(w.slot(168).Load(), 168)
	if !ok {
		t.Fatal("168 was refused")
	}
	w.slot(168).Store(word)
	// 40 is in the window of 64 below 40, but its round is over.
	for _, seq := range []uint64{40, 41} {
		if w.check(seq) || w.accept(seq) {
			t.Errorf("%d was accepted in the slot of a later round", seq)
		}
	}
	if w.accept(168) || !w.accept(169) || w.accept(169) {
		t.Error("the round of 168 is not what it was")
	}
	if w.max.Load() != 169 {
		t.Errorf("highest %d, want 169", w.max.Load())
	}
	// A slower worker must not lower the highest number again.
	if !w.accept(167) || w.max.Load() != 169 {
		t.Errorf("highest %d after 167, want 169", w.max.Load())
	}
}

// Workers that all want the same numbers in the same order: who is behind is
// refused at once and catches up, so that they meet at the front all the time.
// Each number has one winner.
func TestWindowContention(t *testing.T) {
	const workers, numbers = 4, 400000
	w := newWindow(DefaultReplayWindow)
	var won [workers]int
	var wg sync.WaitGroup
	for id := range workers {
		wg.Go(func() {
			n := 0
			for seq := uint64(1); seq <= numbers; seq++ {
				if w.accept(seq) {
					n++
				}
			}
			won[id] = n
		})
	}
	wg.Wait()
	total := 0
	for _, n := range won {
		total += n
	}
	if total != numbers || w.max.Load() != numbers {
		t.Errorf("%d acceptances of %d numbers (%v), highest %d", total, numbers, won, w.max.Load())
	}
}
