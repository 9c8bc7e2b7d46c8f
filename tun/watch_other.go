//go:build !linux

package tun

import (
	"context"
	"slices"
	"time"
)

// pollInterval is how often the addresses are looked at on a system that does not report changes.
const pollInterval = 3 * time.Second

// watch compares the addresses with those of the last time now and then.
func watch(ctx context.Context, o WatchOptions, news func()) error {
	last, _ := OuterAddresses(o.Device)
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if now, err := OuterAddresses(o.Device); err == nil && !slices.Equal(now, last) {
			last = now
			news()
		}
	}
}
