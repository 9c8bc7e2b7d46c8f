package tun

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A burst of news is reported once, when it is over; one without an end now and then.
func TestNewsIsCollected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		burst := make(chan time.Duration)
		ended := make(chan error)
		go func() {
			ended <- collect(ctx, func(ctx context.Context, news func()) error {
				for {
					select {
					case <-ctx.Done():
						return nil
					case d := <-burst:
						for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
							news()
						}
					}
				}
			}, func() { calls++ })
		}()
		step := func(d time.Duration, low, high int) {
			t.Helper()
			calls = 0
			burst <- d
			time.Sleep(d + 2*time.Second)
			synctest.Wait()
			if calls < low || calls > high {
				t.Errorf("a burst of %s was reported %d times", d, calls)
			}
		}
		step(10*time.Millisecond, 1, 1)
		step(500*time.Millisecond, 1, 1)
		step(20*time.Second, 15, 21)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestNewsEndsWithItsSource(t *testing.T) {
	bad := errors.New("no such thing")
	if err := collect(t.Context(), func(context.Context, func()) error { return bad }, func() {}); err != bad {
		t.Errorf("%v", err)
	}
}

// The addresses that are listed include one that is surely there, and none of the device.
func TestOuterAddresses(t *testing.T) {
	list, err := OuterAddresses("")
	if err != nil {
		t.Fatal(err)
	}
	loopback := 0
	for _, a := range list {
		if a.IsLinkLocalUnicast() {
			t.Errorf("%s is listed", a)
		}
		if a.IsLoopback() {
			loopback++
		}
	}
	without, err := OuterAddresses("lo")
	if err != nil {
		t.Fatal(err)
	}
	if loopback == 0 || len(without) >= len(list) {
		t.Errorf("%v, without lo %v", list, without)
	}
}
