package config

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"esplanade/ike/identity"
)

// TestPSKIndex: the index finds the key that looking at all of them finds, however it was made.
func TestPSKIndex(t *testing.T) {
	const seed = 8
	r := rand.New(rand.NewPCG(seed, 2))
	texts := []string{"a.example", "A.example", "b.example", "c.example", "user@c.example", "192.0.2.1", "192.0.2.2", "C=CH, O=x, CN=a", "c=CH, o=X, cn=a", "%any", "*.example", "192.0.2.0/24"}
	var ids []identity.Identity
	for _, text := range texts {
		id, err := identity.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	pick := func(n int) (out []identity.Identity) {
		for range n {
			out = append(out, ids[r.IntN(len(ids))])
		}
		return out
	}
	for round := range 300 {
		var list []*IKESecret
		var grown pskIndex
		for i := range r.IntN(12) {
			s := &IKESecret{Name: fmt.Sprint(i), IDs: pick(r.IntN(4)), swanctl: r.IntN(2) == 0, order: i}
			list, grown = append(list, s), grown.with(s)
		}
		made := newPSKIndex(slices.Clone(list))
		for range 40 {
			local, remote := ids[r.IntN(9)], ids[r.IntN(9)]
			want, ok := bestPSK(list, func(s *IKESecret) (int, bool) { return s.fit(local, remote) })
			for how, x := range map[string]pskIndex{"at once": made, "one by one": grown} {
				if got := x.best(local, remote); got != want || ok != (got != nil) {
					t.Fatalf("round %d, made %s: between %s and %s it is %v, and should be %v (seed %d)", round, how, local, remote, got, want, seed)
				}
			}
		}
	}
}
