package suite

import (
	"math"
	"testing"

	"esplanade/ike/wire"
)

// Every group that is implemented has a cost.
func TestEveryGroupHasACost(t *testing.T) {
	for g := range uint16(math.MaxUint16) {
		_, err := NewKeyExchange(g)
		if implemented := err == nil; implemented != (Cost(g) > 0) {
			t.Errorf("%s: implemented %v, cost %v", wire.TransformName(wire.TransformKE, g), implemented, Cost(g))
		}
	}
}

func BenchmarkRespond(b *testing.B) {
	for g := range uint16(64) {
		ke, err := NewKeyExchange(g)
		if err != nil {
			continue
		}
		b.Run(wire.TransformName(wire.TransformKE, g), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := Respond(g, ke.Public()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
