package esp

import "math"

// esnWindow is the window used to infer the upper half of sequence numbers when
// anti-replay is off: as far back as forth.
const esnWindow = 1 << 31

// inferESN returns the extended sequence number whose lower half is low, given
// the highest one that was authentic so far (top, "T" in the RFC) and the size
// of the window: the one within 2^32 numbers from the left edge of the window.
// It fails for a number before the first or after the last there is.
//
// RFC 4303 appendix A2.2:
//
//	Under Case A: If Seql >= Bl (where Bl = Tl - W + 1), then Seqh = Th
//	              If Seql <  Bl (where Bl = Tl - W + 1), then Seqh = Th + 1
//	Under Case B: If Seql >= Bl (where Bl = Tl - W + 1), then Seqh = Th - 1
//	              If Seql <  Bl (where Bl = Tl - W + 1), then Seqh = Th
//
// where in case A (Tl >= W - 1) the window is in one subspace of 2^32 numbers,
// and in case B it spans two.
// https://www.rfc-editor.org/rfc/rfc4303#appendix-A
//
// The result is a guess until the ICV, which covers it, verifies. Resynchronising
// after a loss of more than 2^32 packets in a row (appendix A3) is optional and
// not done: that SA is dead, and dead peer detection notices.
func inferESN(top, size uint64, low uint32) (seq uint64, ok bool) {
	th, tl := uint32(top>>32), uint32(top)
	bl := tl - uint32(size) + 1
	switch {
	case uint64(tl) >= size-1: // case A
		if low < bl {
			if th == math.MaxUint32 {
				return 0, false
			}
			th++
		}
	case low >= bl: // case B
		if th == 0 {
			return 0, false
		}
		th--
	}
	return uint64(th)<<32 | uint64(low), true
}
