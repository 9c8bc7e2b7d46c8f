package esp

import (
	"errors"
	"slices"
	"testing"
)

// A replay is found before anything is computed: a copy with a wrong ICV is a replay, and no forgery that counts.
func TestReplayIsFoundBeforeTheICV(t *testing.T) {
	for _, s := range allSuites() {
		p := newPair(t, s)
		golden := p.seal(t, []byte("0123456789abcdefghij"), 4)
		spoilt := slices.Clone(golden)
		spoilt[len(spoilt)-1] ^= 1
		if _, _, _, err := opened(p.in, &p.w, golden); err != nil {
			t.Fatalf("%v: %v", s, err)
		}
		if _, _, _, err := opened(p.in, &p.w, spoilt); !errors.Is(err, ErrReplay) || p.in.Forgeries() != 0 {
			t.Errorf("%v: %v, %d forgeries", s, err, p.in.Forgeries())
		}
	}
}
