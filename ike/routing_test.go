package ike

import (
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/selector"
)

// slowNetwork is a network whose kernel does not answer while it is stuck.
type slowNetwork struct {
	*fakeNetwork
	mu    sync.Mutex
	stuck chan struct{} // nil, or each change waits until it is closed
	calls int
	fail  error
}

func (n *slowNetwork) wait() {
	n.mu.Lock()
	n.calls++
	stuck := n.stuck
	n.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
}

func (n *slowNetwork) stick() (release func()) {
	c := make(chan struct{})
	n.mu.Lock()
	n.stuck = c
	n.mu.Unlock()
	return func() {
		n.mu.Lock()
		n.stuck = nil
		n.mu.Unlock()
		close(c)
	}
}

func (n *slowNetwork) AddRoutes(ts selector.Pair) error {
	n.wait()
	n.mu.Lock()
	fail := n.fail
	n.mu.Unlock()
	return errors.Join(fail, n.fakeNetwork.AddRoutes(ts)) // it counts
}
func (n *slowNetwork) RemoveRoutes(ts selector.Pair) error {
	n.mu.Lock()
	fail := n.fail
	n.mu.Unlock()
	if fail == nil { // calls are those that add, where they fail
		n.wait()
	}
	return n.fakeNetwork.RemoveRoutes(ts)
}
func (n *slowNetwork) Exclude(a netip.Addr) error   { n.wait(); return n.fakeNetwork.Exclude(a) }
func (n *slowNetwork) Unexclude(a netip.Addr) error { n.wait(); return n.fakeNetwork.Unexclude(a) }

// A kernel that does not answer keeps neither handshakes nor commands waiting, and what was wanted is done when it does.
func TestRoutesDoNotHoldUpTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wires{}
		var net *slowNetwork
		a := w.start(t, conf(t, "", addrA, addrB, "trap"), func(o *Options) {
			net = &slowNetwork{fakeNetwork: o.Network.(*fakeNetwork)}
			o.Network = net
		})
		settle(0)
		release := net.stick()
		b := w.start(t, conf(t, "", addrB, addrA, "start"))
		settle(time.Second)
		if n := children(t, a, b); n != 1 {
			t.Errorf("%d CHILD SAs while the kernel does not answer", n)
		}
		if i, err := a.Info(t.Context()); err != nil || i.IKESAs != 1 { // a command
			t.Errorf("%d IKE SAs, %v", i.IKESAs, err)
		}
		release()
		synctest.Wait()
		if n := net.Routes()["10.2.0.0/16"]; n != 2 || net.Excluded()[netip.MustParseAddr(addrB)] != 1 {
			t.Errorf("routes %v, excluded %v", net.Routes(), net.Excluded())
		}
		a.stop()
		net.Empty(t)
	})
}

// What came and went before its turn costs nothing, and the queue has each holder once.
func TestRoutesCoalesce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &slowNetwork{fakeNetwork: &fakeNetwork{}}
		release := net.stick()
		r := newRouting(net, slog.New(slog.DiscardHandler), func() {})
		go r.run()
		ts := selector.Pair{Remote: []selector.Selector{selector.FromPrefix(netip.MustParsePrefix("10.20.0.0/24"))}}
		const first, last = 1, 2
		r.setRoutes(first, &ts)
		synctest.Wait() // it waits for the kernel
		for i := range uint64(1000) {
			r.setRoutes(10+i, &ts)
			r.setRoutes(10+i, nil)
			r.setRoutes(last, &ts)
			r.exclude(netip.MustParseAddr(addrB))
			r.unexclude(netip.MustParseAddr(addrB))
		}
		if n := len(r.queue); n > 1002 {
			t.Errorf("%d holders wait", n)
		}
		release()
		r.flush()
		if net.calls != 2 || net.Routes()["10.20.0.0/24"] != 2 || len(net.Excluded()) > 0 || len(r.peers) > 0 || len(r.routes) != 2 {
			t.Errorf("%d calls, routes %v, excluded %v, peers %d, holders %d", net.calls, net.Routes(), net.Excluded(), len(r.peers), len(r.routes))
		}
		r.setRoutes(first, nil)
		r.setRoutes(last, nil)
		r.close()
		if len(r.routes) > 0 {
			t.Errorf("%d holders are remembered", len(r.routes))
		}
		net.Empty(t)
	})
}

// However many reloads follow each other while the kernel takes its time: nothing is removed before what takes its place is
// there.
func TestRoutesAreAddedBeforeAnyIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &slowNetwork{fakeNetwork: &fakeNetwork{}}
		r := newRouting(net, slog.New(slog.DiscardHandler), func() {})
		go r.run()
		ts := selector.Pair{Remote: []selector.Selector{selector.FromPrefix(netip.MustParsePrefix("10.20.0.0/24"))}}
		old := uint64(1)
		r.setRoutes(old, &ts)
		r.flush()
		net.OnChange(func() {
			if net.Routes()["10.20.0.0/24"] < 1 {
				t.Error("there was a moment without a route")
			}
		})
		for range 5 {
			release := net.stick()
			r.exclude(netip.MustParseAddr(addrB)) // the kernel takes its time with that
			synctest.Wait()
			for range 3 {
				r.setRoutes(old+1, &ts)
				r.setRoutes(old, nil)
				old++
			}
			r.unexclude(netip.MustParseAddr(addrB))
			release()
			r.flush()
		}
		if net.Routes()["10.20.0.0/24"] != 1 {
			t.Errorf("routes %v", net.Routes())
		}
		net.OnChange(nil)
		r.setRoutes(old, nil)
		r.close()
		net.Empty(t)
	})
}

// Routes that the system refuses are said to whoever wanted them, and nothing is taken back that was not there.
func TestRoutesThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &slowNetwork{fakeNetwork: &fakeNetwork{}, fail: errors.New("no")}
		log := &logBuffer{}
		woken := 0
		r := newRouting(net, slog.New(slog.NewTextHandler(log, nil)), func() { woken++ })
		go r.run()
		const h = 7
		want := &selector.Pair{}
		r.setRoutes(h, want)
		r.flush()
		if got := r.takeFailures(); woken != 1 || len(got) != 1 || !errors.Is(got[0].err, net.fail) || got[0].holder != h || got[0].ts != want {
			t.Errorf("told %v, woken %d times", got, woken)
		}
		// It is tried again, and said once.
		settle(5 * routeRetry)
		if got := r.takeFailures(); net.calls != 6 || got != nil {
			t.Errorf("tried %d times, told %v", net.calls, got)
		}
		// What is wanted may be said any number of times meanwhile, as each change of the host's addresses does.
		for range 100 {
			r.setRoutes(h, want)
			settle(time.Millisecond)
		}
		net.mu.Lock()
		before := net.calls
		net.mu.Unlock()
		settle(5 * routeRetry)
		net.mu.Lock()
		if n := net.calls - before; n > 6 {
			t.Errorf("tried %d times in %v", n, 5*routeRetry)
		}
		net.mu.Unlock()
		net.mu.Lock()
		net.fail, net.calls = nil, 6
		net.mu.Unlock()
		settle(2 * routeRetry)
		if net.calls != 8 || net.Routes()["(none)"] != 1 {
			t.Errorf("tried %d times, routes %v", net.calls, net.Routes())
		}
		r.setRoutes(h, nil)
		r.close()
		if log.String() != "" {
			t.Errorf("log: %s", log)
		}
	})
}
