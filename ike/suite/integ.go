package suite

import (
	"crypto/subtle"
	"hash"

	"esplanade/ike/wire"
)

// integAlg is an integrity algorithm (transform type 3): a MAC of which the first icvLen octets are sent.
type integAlg struct {
	keyLen int
	icvLen int
	newMAC func(key []byte) hash.Hash // key has keyLen octets
}

// integFor returns the algorithm with that transform ID, or an *UnsupportedError. NONE is none.
func integFor(id uint16) (integAlg, error) {
	if a, ok := hmacInteg(id); ok {
		return a, nil
	}
	if a, ok := aesInteg(id); ok {
		return a, nil
	}
	return integAlg{}, &UnsupportedError{Type: wire.TransformINTEG, ID: id}
}

// integrity is an integAlg with its key, used again for each message.
type integrity struct {
	redacted
	mac    hash.Hash
	icvLen int
	sum    []byte // scratch
}

func newIntegrity(a integAlg, key []byte) *integrity {
	return &integrity{mac: a.newMAC(key), icvLen: a.icvLen}
}

func (i *integrity) compute(b []byte) []byte {
	i.mac.Reset()
	i.mac.Write(b)
	i.sum = i.mac.Sum(i.sum[:0])
	return i.sum[:i.icvLen]
}

// appendICV appends the ICV over all of b to b.
func (i *integrity) appendICV(b []byte) []byte { return append(b, i.compute(b)...) }

// verify reports, in constant time, whether the last icvLen octets of b are the ICV of what is before them. b is at
// least icvLen long.
func (i *integrity) verify(b []byte) bool {
	n := len(b) - i.icvLen
	return subtle.ConstantTimeCompare(i.compute(b[:n]), b[n:]) == 1
}
