package ike

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// noted is a network that notes what is wanted of it, in order.
type noted struct {
	*fakeNetwork
	mu    sync.Mutex
	calls []string
	fail  error
}

func (n *noted) note(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls = append(n.calls, fmt.Sprintf(format, args...))
}

func (n *noted) took() (calls []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	calls, n.calls = n.calls, nil
	return calls
}

func names(list []sa.Placement) (out []string) {
	for _, p := range list {
		out = append(out, p.Connection)
	}
	return out
}

func (n *noted) Assign(list []sa.Placement) (string, []error) {
	n.note("assign %v", names(list))
	n.mu.Lock()
	fail := n.fail
	n.mu.Unlock()
	errs := make([]error, len(list))
	if len(errs) > 0 {
		errs[0] = fail
	}
	return "a test", errs
}

func (n *noted) Retract(list []sa.Placement) error { n.note("retract %v", names(list)); return nil }
func (n *noted) AddRoutes(ts selector.Pair) error  { n.note("add %s", ts); return nil }
func (n *noted) RemoveRoutes(ts selector.Pair) error {
	n.note("remove %s", ts)
	return nil
}

func pairOf(local, remote string) *selector.Pair {
	return &selector.Pair{
		Local: []selector.Selector{selector.FromPrefix(netip.MustParsePrefix(local))}, Remote: []selector.Selector{selector.FromPrefix(netip.MustParsePrefix(remote))},
	}
}

// Addresses are there before the routes whose source they are, and go after them; what takes their place is there before.
func TestAssignedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &noted{fakeNetwork: &fakeNetwork{}}
		r := newRouting(net, slog.New(slog.DiscardHandler), func() {})
		want := func(list ...string) {
			t.Helper()
			r.flush()
			if got := net.took(); !slices.Equal(got, list) {
				t.Errorf("%q, want %q", got, list)
			}
		}
		const child, conn, other = 1, 2, 3
		up, down := pairOf("10.3.0.7/32", "0.0.0.0/0"), pairOf("0.0.0.0/0", "0.0.0.0/0")
		r.setRoutes(conn, down)
		go r.run()
		want("add 0.0.0.0/0 === 0.0.0.0/0")
		r.assign(conn, &sa.Placement{Connection: "a"})
		r.setRoutes(conn, up)
		r.setRoutes(child, up)
		want("assign [a]", "add "+up.String(), "remove "+down.String(), "add "+up.String(), "retract [a]")
		if got := fmt.Sprint(r.takePlaced()); got != "[{2 a test <nil>}]" {
			t.Error(got)
		}
		r.assign(other, &sa.Placement{Connection: "b"})
		want("assign [a b]", "retract [a b]")
		r.takePlaced()

		r.setRoutes(child, nil)
		r.assign(conn, nil)
		r.setRoutes(conn, down)
		want("assign [b]", "add "+down.String(), "remove "+up.String(), "remove "+up.String(), "retract [b]")
		if got := fmt.Sprint(r.takePlaced()); got != "[{3 a test <nil>}]" {
			t.Error(got)
		}
		// What came and went before its turn costs nothing.
		for range 100 {
			r.assign(conn, &sa.Placement{Connection: "a"})
			r.assign(conn, nil)
		}
		r.close()
		if n := len(net.took()); n > 4 {
			t.Errorf("%d calls", n)
		}
	})
}

// What can't be put in place is told, and tried again for as long as it is wanted.
func TestAssignedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &noted{fakeNetwork: &fakeNetwork{}, fail: errors.New("no room")}
		woken := make(chan struct{}, 100)
		r := newRouting(net, slog.New(slog.DiscardHandler), func() { woken <- struct{}{} })
		go r.run()
		r.assign(1, &sa.Placement{Connection: "a"})
		r.assign(2, &sa.Placement{Connection: "b"})
		settle(3*routeRetry + time.Second)
		r.flush()
		n := 0
		for _, c := range net.took() {
			if c == "assign [a b]" {
				n++
			}
		}
		if n < 3 || len(woken) < 3 {
			t.Errorf("tried %d times, told %d times", n, len(woken))
		}
		if p := r.takePlaced(); len(p) != 2 || p[0].err == nil || p[1].err != nil {
			t.Errorf("%v", p)
		}
		net.mu.Lock()
		net.fail = nil
		net.mu.Unlock()
		settle(2 * routeRetry)
		if p := r.takePlaced(); len(p) != 2 || p[0].err != nil {
			t.Errorf("%v", p)
		}
		net.took()
		settle(5 * routeRetry)
		if calls := net.took(); len(calls) > 0 {
			t.Errorf("it goes on: %q", calls)
		}
		r.close()
	})
}
