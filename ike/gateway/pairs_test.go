package gateway

import (
	"fmt"
	"testing"

	"esplanade/ike/selector"
)

// The pairs of networks of a child that are told apart are bounded: each may get a CHILD SA.
func TestPairsAreBounded(t *testing.T) {
	list := func(net string, n int) (out []selector.Selector) {
		for i := range n {
			s, err := selector.Parse(fmt.Sprintf("10.%s.%d.0/24", net, i))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		return out
	}
	for _, c := range []struct {
		local, remote int
		ok            bool
	}{{1, 1, true}, {8, 8, true}, {1, maxPairs, true}, {8, 9, false}, {200, 200, false}} {
		got, ok := pairs(selector.Pair{Local: list("1", c.local), Remote: list("2", c.remote)})
		if ok != c.ok || ok && len(got) != c.local*c.remote || !ok && got != nil {
			t.Errorf("%d by %d: %d pairs, %v", c.local, c.remote, len(got), ok)
		}
	}
}
