package esp

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding"
	"hash"
)

// Scratch is the working memory of Seal and Open that must not be on a stack:
// nonces, additional data, digests. Slices of it pass through interfaces of the
// crypto packages, which would otherwise make every packet allocate.
//
// The zero value is ready to use. One goroutine at a time may use a Scratch; a
// worker has one for all its SAs and never copies it. It holds key-dependent
// values of the packet before, so it is not to be shared with anything else.
type Scratch struct {
	nonce  [nonceLen]byte
	aad    [aadLenESN]byte
	block  [blockLen]byte     // a counter block, or the input of a CBC step
	stream [blockLen]byte     // key stream, or a CBC-MAC state
	last   [2 * blockLen]byte // the end of the message under a CBC-MAC
	tail   [2 * blockLen]byte // input that a tag is about to overwrite
	header [16]byte           // SPI, sequence number and IV, kept while replaced
	saved  [TrailerRoom]byte  // what the ESP trailer overwrites behind a packet
	mac    [sha512.Size]byte

	digests [digestKinds]digest

	// Octets sealed for one SA and not yet added to its count, see account.
	sealedBy *Outbound
	sealed   uint64
}

// digestKind numbers the hash functions that HMAC is used with.
type digestKind uint8

const (
	digestSHA1 digestKind = iota
	digestSHA256
	digestSHA384
	digestSHA512
	digestKinds
)

// digest is a hash function whose state can be set to a prepared one.
type digest struct {
	hash.Hash
	state encoding.BinaryUnmarshaler
}

// newDigest makes a digest; every hash of the standard library can restore a
// marshaled state (their package documentation promises it).
func newDigest(k digestKind) digest {
	var h hash.Hash
	switch k {
	case digestSHA1:
		h = sha1.New()
	case digestSHA256:
		h = sha256.New()
	case digestSHA384:
		h = sha512.New384()
	case digestSHA512:
		h = sha512.New()
	default:
		panic("esp: BUG: unknown digest")
	}
	return digest{Hash: h, state: h.(encoding.BinaryUnmarshaler)}
}

// digest returns the worker's own digest of a kind, made at its first use.
func (w *Scratch) digest(k digestKind) *digest {
	d := &w.digests[k]
	if d.Hash == nil {
		*d = newDigest(k)
	}
	return d
}

// accountEvery is the number of octets a worker seals for an SA before it adds
// them to the SA's shared count: an atomic addition per packet would cost as
// much as the rest of the bookkeeping together. The byte limits are exact to
// within this much per worker.
const accountEvery = 64 << 10

// account counts n octets encrypted under the key of o.
func (w *Scratch) account(o *Outbound, n int) {
	if w.sealedBy != o {
		w.flush()
		w.sealedBy = o
	}
	w.sealed += uint64(n)
	if w.sealed >= accountEvery {
		o.bytes.Add(w.sealed)
		w.sealed = 0
	}
}

// flush hands over what account has gathered.
func (w *Scratch) flush() {
	if w.sealedBy != nil && w.sealed != 0 {
		w.sealedBy.bytes.Add(w.sealed)
	}
	w.sealedBy, w.sealed = nil, 0
}
