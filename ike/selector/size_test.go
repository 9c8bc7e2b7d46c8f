package selector

import (
	"math"
	"testing"
)

// Size compares: addresses, the share of protocols and ports, and both families without loss at either end of the scale.
func TestSize(t *testing.T) {
	for s, want := range map[string]float64{
		"10.0.0.0/8": 1 << 24, "10.0.0.1": 1, "0.0.0.0/0": 1 << 32, "::/0": math.Pow(2, 128), "2001:db8::/64": math.Pow(2, 64),
		"2001:db8::1/128": 1, "10.0.0.1[tcp]": 1.0 / 256, "10.0.0.1[tcp/80]": 1.0 / 256 / 65536, "10.0.0.0/31[tcp/1024-2047]": 2.0 / 256 / 64,
	} {
		x, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := Size([]Selector{x}); got != want {
			t.Errorf("%s: %g, want %g", s, got, want)
		}
	}
	if got := Size([]Selector{{}}); got != 0 {
		t.Errorf("nothing: %g", got)
	}
}
