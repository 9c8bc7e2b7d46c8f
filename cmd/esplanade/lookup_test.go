package main

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// The first answer counts, and the second way is only gone where the system has none.
func TestLookUpByAny(t *testing.T) {
	a, b := []netip.Addr{netip.MustParseAddr("192.0.2.1")}, []netip.Addr{netip.MustParseAddr("192.0.2.2")}
	after := func(d time.Duration, addrs []netip.Addr, asked *int) lookUpFunc {
		return func(ctx context.Context, name string) ([]netip.Addr, error) {
			if *asked++; name != "gw.example" {
				t.Errorf("asked for %s", name)
			}
			select {
			case <-time.After(d):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			if addrs == nil {
				return nil, errors.New("no such host")
			}
			return addrs, nil
		}
	}
	for _, c := range []struct {
		name          string
		first, second time.Duration
		has, hasOther bool
		want          []netip.Addr
		took          time.Duration
		asked         int // of the second
	}{
		{"the system knows", time.Second, 0, true, true, a, time.Second, 0},
		{"the system fails", time.Second, time.Second, false, true, b, 2 * time.Second, 1},
		{"the system waits", time.Hour, time.Second, true, true, b, lookUpFirst + time.Second, 1},
		{"the system is slow, and the second way fails", 5 * time.Second, time.Second, true, false, a, 5 * time.Second, 1},
		{"both fail", time.Second, time.Second, false, false, nil, 2 * time.Second, 1},
		{"both are slow and fail", 3 * time.Second, 3 * time.Second, false, false, nil, lookUpFirst + 3*time.Second, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			var n, m int
			f, s := a, b
			if !c.has {
				f = nil
			}
			if !c.hasOther {
				s = nil
			}
			began := time.Now()
			got, err := lookUpByAny(after(c.first, f, &n), after(c.second, s, &m))(t.Context(), "gw.example")
			if (err == nil) != (c.want != nil) || len(got) > 0 && got[0] != c.want[0] || time.Since(began) != c.took || m != c.asked || n != 1 {
				t.Errorf("%s: %v, %v after %s, asked %d and %d times", c.name, got, err, time.Since(began), n, m)
			}
		})
	}
}
