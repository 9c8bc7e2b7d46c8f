package users

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"esplanade/bench/proof"
)

// book is who has had which address since the beginning.
type book struct {
	of    map[int]netip.Addr
	owner map[netip.Addr]int
	// Twice were given to two users. Lost are users who did not get the address back that they had.
	Twice, Lost int
	first       string
}

func newBook() *book { return &book{of: map[int]netip.Addr{}, owner: map[netip.Addr]int{}} }

// take notes the addresses of those that are in.
func (b *book) take(in map[int]netip.Addr) {
	for _, n := range slices.Sorted(maps.Keys(in)) {
		a := in[n]
		if o, known := b.owner[a]; known && o != n {
			b.Twice++
			b.say("%s is that of user %d, and was that of user %d", a, n, o)
		}
		if old, known := b.of[n]; known && old != a {
			b.Lost++
			b.say("user %d has %s, and had %s", n, a, old)
		}
		b.of[n], b.owner[a] = a, n
	}
}

func (b *book) say(format string, args ...any) {
	if b.first == "" {
		b.first = fmt.Sprintf(format, args...)
	}
}

// results are what a run has shown.
type results struct {
	Count int `json:"count"`
	// PerSecond and CPUMillis are of the time in which all come in for the first time, KiB of when they are in.
	PerSecond float64 `json:"per_second"`
	CPUMillis float64 `json:"cpu_ms"`
	KiB       float64 `json:"kib"`
	P99       float64 `json:"p99_ms"`
	// Logins in all. Left with a DELETE, Vanished without a word.
	Logins      int     `json:"logins"`
	Left        int     `json:"left"`
	Vanished    int     `json:"vanished"`
	Restarts    int     `json:"restarts"`
	BackAfter   float64 `json:"back_after_s"`
	Failed      int     `json:"failed"`
	Retransmits int     `json:"retransmits"`
	Twice       int     `json:"twice"`
	Lost        int     `json:"lost"`
	// Forgotten are addresses of users that the gateway did not have any more after it was killed.
	Forgotten int `json:"forgotten"`
	// In are those that are in at the end, and Online the addresses that the gateway says are held.
	In     int    `json:"in"`
	Online int    `json:"online"`
	First  string `json:"first,omitempty"`
}

// judge says what is not as it must be.
func (r *results) judge() error {
	var wrong proof.Faults
	wrong.Must(r.Twice == 0, "%d addresses were given to two users: %s", r.Twice, r.First)
	wrong.Must(r.Lost == 0, "%d users did not get their addresses back: %s", r.Lost, r.First)
	wrong.Must(r.Forgotten == 0, "%d addresses were forgotten when the gateway was killed: %s", r.Forgotten, r.First)
	wrong.Must(r.Failed == 0, "%d logins failed: %s", r.Failed, r.First)
	wrong.Must(r.In == r.Count, "%d of %d users are in at the end", r.In, r.Count)
	wrong.Must(r.Online == r.In, "the gateway says that %d addresses are held, and %d users are in", r.Online, r.In)
	wrong.Must(r.Restarts > 0, "the gateway was not killed and started again")
	wrong.Must(r.Left > 0 && r.Vanished > 0, "%d users have left, %d have vanished", r.Left, r.Vanished)
	return wrong.Err()
}
