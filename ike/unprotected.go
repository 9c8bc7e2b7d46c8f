package ike

import (
	"hash/maphash"
	"net/netip"
	"time"
)

const (
	// statelessPerSecond bounds the answers in the clear to messages of SAs that do not exist, and of other versions.
	statelessPerSecond = 40
	// statelessOfSource bounds those to one source, so that it does not use up what there is for all.
	statelessOfSource = 10
	// statelessSlots is how many sources are told apart. Two that have the same slot share it; which ones do, nobody can tell.
	statelessSlots = 1024
)

// unprotected bounds the answers that are not protected by an IKE SA, in all and for each source. It is as large as it is,
// whoever sends what.
type unprotected struct {
	all   rateLimit
	seed  maphash.Seed
	slots [statelessSlots]rateLimit
}

func newUnprotected() *unprotected {
	u := &unprotected{all: rateLimit{per: time.Second, max: statelessPerSecond}, seed: maphash.MakeSeed()}
	for i := range u.slots {
		u.slots[i] = rateLimit{per: time.Second, max: statelessOfSource}
	}
	return u
}

// allow reports whether a message from there may be answered.
func (u *unprotected) allow(now time.Time, from netip.Addr) bool {
	slot := maphash.Comparable(u.seed, sourceOf(from)) % statelessSlots
	return u.slots[slot].allow(now) && u.all.allow(now)
}
