//go:build linux

package lab

import "time"

// The pause between two looks: short at first, and longer the longer it takes. A look is often a process, and many tests that
// wait for something slow at the same time would do nothing else than look.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 400 * time.Millisecond
)

// Eventually looks again and again until look reports true, and fails the test at the deadline with what it saw
// last. Looks follow each other after a short pause, so a condition that holds already costs no time.
func Eventually(t T, limit time.Duration, what string, look func() (ok bool, seen string)) {
	t.Helper()
	ok, seen := poll(limit, look)
	if !ok {
		t.Fatalf("waited %v for: %s\nseen last:\n%s", limit, what, seen)
	}
}

func poll(limit time.Duration, look func() (bool, string)) (bool, string) {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for pause := firstPause; ; pause = min(pause*5/4, lastPause) {
		ok, seen := look()
		if ok {
			return true, seen
		}
		select {
		case <-deadline.C:
			return false, seen
		case <-time.After(pause):
		}
	}
}
