package proof

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestVerdicts(t *testing.T) {
	drops := map[string]uint64{"in replay": 2, "out send_buffer": 9}
	for _, c := range []struct {
		v    Verdict
		ok   bool
		line string
	}{
		{AtMost("x", 1, 1, "%.2f"), true, "| x | 1.00 | ≤ 1.00 | kept |"},
		{AtMost("x", 1.01, 1, "%.2f"), false, "| x | 1.01 | ≤ 1.00 | **not kept** |"},
		{AtLeast("x", 1, 1, "%.0f"), true, "| x | 1 | ≥ 1 | kept |"},
		{AtLeast("x", math.NaN(), 1, "%.0f"), false, "| x | NaN | ≥ 1 | **not kept** |"},
		{AtMost("x", math.NaN(), 1, "%.0f"), false, "| x | NaN | ≤ 1 | **not kept** |"},
		{None("drops", drops, []string{"in icv"}), true, "| drops | none | none | kept |"},
		{None("drops", drops, []string{"in icv", "in replay"}), false, "| drops | in replay 2 | none | **not kept** |"},
		{Shown("x", "%d things", 3), true, "| x | 3 things | – |  |"},
	} {
		if c.v.Ok != c.ok {
			t.Errorf("%+v", c.v)
		}
		if got := Table([]Verdict{c.v}); !strings.Contains(got, "\n"+c.line+"\n") {
			t.Errorf("%s\nlacks %s", got, c.line)
		}
		if err := Check([]Verdict{c.v}); errors.Is(err, ErrFailed) == c.ok {
			t.Errorf("%+v: %v", c.v, err)
		}
	}
}
