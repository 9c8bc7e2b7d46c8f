package esp

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
)

// OutboundConfig is what an outbound SA is made of. It is not printed by the fmt
// package, because it has keys in it.
type OutboundConfig struct {
	// SPI is the one the peer chose, 256 or higher.
	SPI   uint32
	Suite Suite
	Mode  Mode
	// EncrKey and IntegKey are as long as Suite.KeyLen says. They are copied.
	EncrKey, IntegKey []byte
	// Hard is where Reserve stops; what is zero or beyond the limit of the
	// algorithms is that limit. Soft is where Exhausting begins; zero is three
	// quarters of the hard limit.
	Soft, Hard Limits
}

// Outbound is an SA that packets are sealed under. It is safe for concurrent use
// by workers that have a Scratch each.
type Outbound struct {
	key   *key
	spi   uint32
	suite Suite
	mode  Mode
	soft  Limits
	hard  Limits

	// What follows changes all the time and what is above never does.
	_     [64]byte
	next  atomic.Uint64 // the first sequence number not handed out
	bytes atomic.Uint64 // octets encrypted, see Scratch.account
	_     [48]byte
}

// minSPI is the first SPI for use: "values in the range 1 through 255 are
// reserved by the Internet Assigned Numbers Authority (IANA) for future use", and 0 is never sent (RFC 4303 section 2.1).
const minSPI = 256

func checkSPI(spi uint32) error {
	if spi < minSPI {
		return fmt.Errorf("esp: SPI %#x is reserved (RFC 4303 section 2.1)", spi)
	}
	return nil
}

// NewOutbound makes an SA whose first sequence number is 1. The error says which
// part of the configuration cannot be.
func NewOutbound(c OutboundConfig) (*Outbound, error) {
	if err := checkSPI(c.SPI); err != nil {
		return nil, err
	}
	if err := c.Mode.check(); err != nil {
		return nil, err
	}
	k, err := newKey(c.Suite, c.EncrKey, c.IntegKey)
	if err != nil {
		return nil, err
	}
	hard := c.Hard.within(c.Suite.hardLimits())
	o := &Outbound{
		key:   k,
		spi:   c.SPI,
		suite: c.Suite,
		mode:  c.Mode,
		hard:  hard,
		soft:  c.Soft.within(hard.soft()),
	}
	if c.Soft.Packets != 0 {
		o.soft.Packets = min(c.Soft.Packets, hard.Packets)
	}
	if c.Soft.Bytes != 0 {
		o.soft.Bytes = min(c.Soft.Bytes, hard.Bytes)
	}
	o.next.Store(1)
	return o, nil
}

// SPI returns the SPI of the SA.
func (o *Outbound) SPI() uint32 { return o.spi }

// Suite returns the suite of the SA.
func (o *Outbound) Suite() Suite { return o.suite }

// Mode returns the mode of the SA: what its payloads are.
func (o *Outbound) Mode() Mode { return o.mode }

// HeaderLen returns the octets that Seal puts in front of the ciphertext, which
// is where the packet goes for sealing in place.
func (o *Outbound) HeaderLen() int { return o.key.header }

// Overhead returns the octets that Seal adds to a packet of the given length.
func (o *Outbound) Overhead(payload int) int {
	return o.key.header + padLen(payload, o.key.align) + trailerLen + o.key.icv
}

// Reserve takes n consecutive sequence numbers, first to first+n-1, for as many
// calls of Seal. It fails for good with ErrSequenceExhausted when there are not
// so many left, or with ErrLifetime when that is due to a configured limit of
// packets, or when the limit of octets is reached. Numbers are never handed out
// twice, and those that are not used are lost, which does no harm.
func (o *Outbound) Reserve(n int) (first uint64, err error) {
	if n <= 0 {
		return 0, ErrSequence
	}
	if o.bytes.Load() >= o.hard.Bytes {
		return 0, ErrLifetime
	}
	for {
		first := o.next.Load()
		// A compare-and-swap, not an addition: an addition beyond the limit could
		// not be taken back, and Seal relies on next.
		if used := first - 1; uint64(n) > o.hard.Packets-used {
			if o.hard.Packets < o.suite.hardLimits().Packets {
				return 0, ErrLifetime
			}
			return 0, ErrSequenceExhausted
		}
		if o.next.CompareAndSwap(first, first+uint64(n)) {
			return first, nil
		}
	}
}

// Exhausting reports whether a soft limit is reached, so that the SA should be
// replaced while it can still be used. Once true it stays so.
func (o *Outbound) Exhausting() bool {
	return o.next.Load()-1 >= o.soft.Packets || o.bytes.Load() >= o.soft.Bytes
}

// Used returns how much of the limits has been used. The octets lag behind by up
// to 64 KiB per worker.
func (o *Outbound) Used() Limits {
	return Limits{Packets: o.next.Load() - 1, Bytes: o.bytes.Load()}
}

// Seal makes the ESP packet of pkt at the start of dst and returns its length,
// len(pkt) + o.Overhead(len(pkt)); dst must be at least that long. Nothing
// beyond it is written.
//
// In tunnel mode pkt is an IP packet, optionally with TFC padding behind it, and
// nextHeader 4 or 41 by its version. Its capacity must exceed its length by TrailerRoom (or at
// least by what padding, pad length and next header take): the ESP trailer is
// written there, so that what is encrypted is contiguous, and afterwards Seal
// puts back what was there. That may be the payload of the next segment.
//
// pkt and dst must not overlap, or pkt starts exactly at dst[o.HeaderLen()]: then
// it is replaced by its ciphertext. Other overlaps are ErrBuffer.
//
// seq is a number from Reserve. It is the caller's duty to use each only once:
// using one twice gives away the plaintexts, and with AES-GCM the key of the ICV.
// A number that was never handed out is ErrSequence.
//
// On an error nothing is written to dst.
func (o *Outbound) Seal(w *Scratch, dst, pkt []byte, nextHeader uint8, seq uint64) (n int, err error) {
	if seq == 0 || seq >= o.next.Load() {
		return 0, ErrSequence
	}
	k := o.key
	plain, inPlace, err := k.layout(dst, pkt)
	if err != nil {
		return 0, err
	}
	n = k.header + len(plain) + k.icv
	dst = dst[:n:n]

	trailer := plain[len(pkt):]
	saved := w.saved[:copy(w.saved[:], trailer)]
	putTrailer(trailer, nextHeader)
	binary.BigEndian.PutUint32(dst, o.spi)
	binary.BigEndian.PutUint32(dst[4:], uint32(seq))
	k.putIV(w, dst[headerLen:k.header], seq)
	k.seal(w, dst, plain, seq)
	if !inPlace {
		copy(trailer, saved)
	}
	w.account(o, len(plain))
	return n, nil
}
