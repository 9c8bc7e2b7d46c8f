//go:build linux

package lab

import (
	"testing"
	"time"
)

// pollInterval is short against everything the tests wait for and long against what a look costs.
const pollInterval = 50 * time.Millisecond

// Eventually looks again and again until look reports true, and fails the test at the deadline with what it saw
// last. Looks follow each other after a short pause, so a condition that holds already costs no time.
func Eventually(t testing.TB, limit time.Duration, what string, look func() (ok bool, seen string)) {
	t.Helper()
	ok, seen := poll(limit, look)
	if !ok {
		t.Fatalf("waited %v for: %s\nseen last:\n%s", limit, what, seen)
	}
}

func poll(limit time.Duration, look func() (bool, string)) (bool, string) {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		ok, seen := look()
		if ok {
			return true, seen
		}
		select {
		case <-deadline.C:
			return false, seen
		case <-tick.C:
		}
	}
}
