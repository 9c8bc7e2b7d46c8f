package ticket

import (
	"errors"
	"testing"
	"time"
)

// No ticket is good for longer than Lifetime, whatever it is asked to be good for.
func TestLifetimeIsBounded(t *testing.T) {
	k, now := newRing(9), epoch
	b, err := k.Seal(now, now.Add(10*Lifetime), sample())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Open(now.Add(Lifetime-time.Second), b); err != nil {
		t.Errorf("before its end: %v", err)
	}
	if _, _, err := k.Open(now.Add(Lifetime), b); !errors.Is(err, ErrExpired) {
		t.Errorf("at its end: %v", err)
	}
}
