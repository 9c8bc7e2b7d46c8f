package config

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestAnd: two parts together are what they are one after the other.
func TestAnd(t *testing.T) {
	const seed = 20261130
	r := rand.New(rand.NewPCG(seed, 2))
	for range 300 {
		var a, b, both *Loaded
		var err error
		for i := range r.IntN(20) {
			s := section(fmt.Sprint(r.IntN(12)), "version", fmt.Sprint(i))
			if i%2 == 0 {
				a, err = a.WithConnection(s)
			} else {
				b, err = b.WithConnection(s)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		both = a
		for _, name := range b.Connections() {
			if both, err = both.WithConnection(*b.Connection(name)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := a.And(b)
		if err != nil || !slices.Equal(got.Connections(), both.Connections()) {
			t.Fatalf("%v, want %v, %v (seed %d)", got.Connections(), both.Connections(), err, seed)
		}
		for _, name := range both.Connections() {
			if !got.Connection(name).Table.Equal(both.Connection(name).Table) {
				t.Fatalf("%s is another one (seed %d)", name, seed)
			}
		}
		if !slices.IsSortedFunc(got.value().connections.sorted, func(x, y *Section) int { return strings.Compare(x.Name, y.Name) }) {
			t.Fatalf("it is not sorted (seed %d)", seed)
		}
	}
}

// TestAndIsBounded: parts together have the limits that each has.
func TestAndIsBounded(t *testing.T) {
	var parts [2]*Loaded
	for i := range parts {
		for j := range maxLoadedPools/2 + 1 {
			var err error
			if parts[i], err = parts[i].WithPool(section(fmt.Sprintf("%d-%d", i, j))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if out, err := parts[0].And(parts[1]); err == nil || out != parts[0] {
		t.Error("there is no limit")
	}
}
