package esp

import (
	"math/bits"
	"sync/atomic"
)

// Sizes of the anti-replay window, in packets.
const (
	// DefaultReplayWindow is the window of an SA that asks for none in
	// particular. Bursts of super-packets and several receive queues reorder
	// packets over hundreds of sequence numbers.
	DefaultReplayWindow = 4096
	// MinReplayWindow is the least that is used whatever is configured. RFC 4303
	// section 3.4.3: "A minimum window size of 32 packets MUST be supported when
	// 32-bit sequence numbers are employed".
	MinReplayWindow = 32
	// MaxReplayWindow is the most that can be configured (512 KiB of memory).
	MaxReplayWindow = 1 << 20
)

// window is the anti-replay window of one SA, RFC 4303 section 3.4.3, for any
// number of workers at once and without a lock.
//
// The sequence numbers are laid out over a ring of slots, 32 consecutive ones to
// a slot. A slot is one 64-bit word, so that it changes atomically:
//
//	 63              32 31               0
//	+------------------+------------------+
//	|      epoch       | 32 "seen" bits   |
//	+------------------+------------------+
//
//	seq = epoch << shift | slot << 5 | bit
//
// where the epoch says which round of the ring the bits belong to. A sequence
// number is accepted by the compare-and-swap that sets its bit, and by nothing
// else. What makes that sound:
//
//   - Never twice. While a slot is in the epoch of seq, bits are only set, so a
//     second swap for the same bit is not attempted. Once it is in a later epoch
//     it never goes back, and an earlier epoch is refused.
//   - No false refusal inside the window. A slot can only be in a later epoch
//     than seq's if a number at least 32*len(slots)-31 higher was accepted, and
//     the ring is made so large that this is >= size.
//   - Left of the window is refused by comparing with max, the highest number
//     accepted. max is raised after the swap, so for a moment it may be too low
//     for another worker: then a number that just left the window may still get
//     in, once, as if it had come a little earlier. That is no replay.
//
// Epochs are compared modulo 2^32, so a slot would have to be left out for 2^31
// rounds to be misread, 2^44 packets at the default size; even then the check
// against max leaves only refusals possible, no replay.
type window struct {
	size  uint64 // W; 0: no anti-replay, only max is kept
	shift uint   // log2 of the sequence numbers in the ring
	slots []atomic.Uint64

	// max changes with every packet and the fields above never do: keep them on
	// different cache lines.
	_   [64]byte
	max atomic.Uint64
	_   [56]byte
}

const slotBits = 5 // log2 of the sequence numbers in a slot

// init makes the window of size sequence numbers, 0 for none.
func (r *window) init(size int) {
	r.size = uint64(size)
	if size == 0 {
		return
	}
	// The least power of two with 32*n - 31 >= size.
	n := uint((size + 31 + 31) >> slotBits)
	log := bits.Len(n - 1)
	r.shift = uint(log) + slotBits
	r.slots = make([]atomic.Uint64, 1<<log)
}

// left reports whether seq is left of the window or no sequence number at all:
// counters start with 1 (RFC 4303 section 3.3.3).
func (r *window) left(seq uint64) bool {
	m := r.max.Load()
	return seq == 0 || m >= seq && m-seq >= r.size
}

// with returns the word that slot word w becomes with seq in it, or false if seq
// has been seen or is of an earlier epoch.
func (r *window) with(w, seq uint64) (uint64, bool) {
	epoch := uint32(seq >> r.shift)
	bit := uint64(1) << (seq & (1<<slotBits - 1))
	switch d := int32(epoch - uint32(w>>32)); {
	case d > 0:
		return uint64(epoch)<<32 | bit, true
	case d == 0 && w&bit == 0:
		return w | bit, true
	}
	return 0, false
}

func (r *window) slot(seq uint64) *atomic.Uint64 {
	return &r.slots[seq>>slotBits&uint64(len(r.slots)-1)]
}

// check is the cheap test before the ICV is computed: false means that accept
// would fail as well. True promises nothing.
func (r *window) check(seq uint64) bool {
	if r.size == 0 {
		return true
	}
	if r.left(seq) {
		return false
	}
	_, ok := r.with(r.slot(seq).Load(), seq)
	return ok
}

// accept records seq and reports whether it is new. It must be called only for
// authentic packets. RFC 4303 section 3.4.3: "The receive window is updated only
// if the integrity verification succeeds."
// https://www.rfc-editor.org/rfc/rfc4303#section-3.4.3
func (r *window) accept(seq uint64) bool {
	if r.size != 0 {
		if r.left(seq) {
			return false
		}
		for s := r.slot(seq); ; {
			old := s.Load()
			w, ok := r.with(old, seq)
			if !ok {
				return false
			}
			if s.CompareAndSwap(old, w) {
				break
			}
		}
	}
	for {
		m := r.max.Load()
		if seq <= m || r.max.CompareAndSwap(m, seq) {
			return true
		}
	}
}
