package gateway

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

const (
	// statelessPerSecond bounds the answers in the clear to messages of SAs that do not exist, and of other versions.
	statelessPerSecond = 40
	// statelessOfSource bounds those to one source, so that it does not use up what there is for all.
	statelessOfSource = 10
	// statelessSlots is how many sources are told apart. Two that have the same slot share it; which ones do, nobody can tell.
	statelessSlots = 1024
	// statelessKey is the length of the key that says which.
	statelessKey = 16
)

// unprotected bounds the answers that are not protected by an IKE SA, in all and for each source. It is as large as it is,
// whoever sends what.
type unprotected struct {
	all   rateLimit
	key   []byte
	slots [statelessSlots]rateLimit
}

// newUnprotected makes one with a key of [statelessKey] octets that nobody knows.
func newUnprotected(key []byte) *unprotected {
	u := &unprotected{all: rateLimit{per: time.Second, max: statelessPerSecond}, key: key}
	for i := range u.slots {
		u.slots[i] = rateLimit{per: time.Second, max: statelessOfSource}
	}
	return u
}

// allow reports whether a message from there may be answered.
func (u *unprotected) allow(now time.Time, from netip.Addr) bool {
	source := sourceOf(from).As16()
	sum := sha256.Sum256(append(slices.Clip(u.key), source[:]...))
	slot := binary.BigEndian.Uint64(sum[:]) % statelessSlots
	return u.slots[slot].allow(now) && u.all.allow(now)
}
