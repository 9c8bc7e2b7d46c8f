package esp

import "math"

// Limits bounds the use of one key: packets sealed, and octets encrypted
// (payload, padding, pad length and next header). Zero is "no limit of one's
// own": the limits of the algorithms always apply.
type Limits struct {
	Packets, Bytes uint64
}

const (
	// maxSequence is the last sequence number that is sent without ESN, one
	// short of the last there is. RFC 4303 section 3.3.3: "the sender MUST NOT
	// send a packet on an SA if doing so would cause the sequence number to
	// cycle" (as extended sequence numbers would, much later).
	// https://www.rfc-editor.org/rfc/rfc4303#section-3.3.3
	maxSequence    = math.MaxUint32 - 1
	maxSequenceESN = math.MaxUint64 - 1

	// maxBlocks is the number of AES blocks encrypted under one key, and so also
	// of packets, each of which takes one at least. With q blocks, output is told
	// from random with a probability of at most q^2 / 2^129 (the collisions of a
	// 128-bit permutation, for CTR and GCM as well as CBC): 2^-33 at 2^48 blocks.
	// That are 4 PiB, which take days at 100 Gbit/s. Counter IVs of 64 bits as NIST SP 800-38D
	// section 8.2.1 constructs them do not lower it: the 2^32 invocations of section 8.3
	// are for IVs that may collide.
	maxBlocks = 1 << 48

	// maxForgeries is the number of packets with a wrong ICV after which an SA
	// with an ICV of 8 octets is not used any more. A forgery of up to 2^7 blocks
	// succeeds with a probability of 2^7 / 2^64 (NIST SP 800-38D appendix C), so
	// that all of them together stay below 2^-25.
	maxForgeries8 = 1 << 32
	// maxForgeriesPoly1305 is the integrity limit of ChaCha20-Poly1305 for 16 KiB
	// messages, RFC 9001 section 6.6, for the same reason.
	maxForgeriesPoly1305 = 1 << 36
)

// hardLimits returns the limits of the suite's algorithms.
func (s Suite) hardLimits() Limits {
	l := Limits{Packets: maxSequence, Bytes: math.MaxUint64}
	if s.ESN {
		l.Packets = maxSequenceESN
	}
	if e, _ := encryption(s.Encr); e.aes {
		l.Packets = min(l.Packets, maxBlocks)
		l.Bytes = maxBlocks * blockLen
	}
	return l
}

// maxForgeries returns the limit of failed ICVs, 0 for none.
func (s Suite) maxForgeries() uint64 {
	switch s.Encr {
	case EncrAESGCM8:
		return maxForgeries8
	case EncrChaCha20Poly1305:
		return maxForgeriesPoly1305
	}
	return 0
}

// within returns the stricter of l and most, with most for what is 0 in l.
func (l Limits) within(most Limits) Limits {
	pick := func(own, most uint64) uint64 {
		if own == 0 {
			return most
		}
		return min(own, most)
	}
	return Limits{pick(l.Packets, most.Packets), pick(l.Bytes, most.Bytes)}
}

// soft returns the default soft limit under a hard one: three quarters. What
// remains of 2^32 packets is almost two minutes at 10 million a second, enough
// for any rekeying with retransmissions.
func (l Limits) soft() Limits {
	return Limits{l.Packets - l.Packets/4, l.Bytes - l.Bytes/4}
}
