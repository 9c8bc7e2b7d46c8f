package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	mrand "math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"esplanade/config"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// rigOptions are what a test may choose of a daemon.
type rigOptions struct {
	Options
	Network network
	Logger  *slog.Logger
	// Resolve looks names up, in goroutines.
	Resolve func(ctx context.Context, name string) ([]netip.Addr, error)
	// carryOut carries errands out. Nil: at once.
	carryOut func(x Errand) sa.Result
	// lease gives addresses in the place of the pools. Nil: the pools do.
	lease func(l sa.Lease) sa.Result
	// keep keeps leases. Nil: at once, and nowhere.
	keep func(k Keeping) (error, bool)
}

// network is the part of a host that a test may replace.
type network interface {
	SourceFor(netip.Addr) (netip.Addr, error)
	Addresses() ([]netip.Addr, error)
	AddRoutes(selector.Pair) error
	RemoveRoutes(selector.Pair) error
	Exclude(netip.Addr) error
	Unexclude(netip.Addr) error
	Assign([]sa.Placement) (string, []error)
	Retract([]sa.Placement) error
}

// daemon is a manager with the least of an event loop around it: whoever has the mutex is the loop. It is for synctest bubbles.
type daemon struct {
	*Manager
	t    *testing.T
	o    rigOptions
	host *rigHost
	rigMeter

	mu     sync.Mutex
	timer  *time.Timer
	ended  bool
	done   chan struct{}
	ctx    context.Context
	cancel context.CancelFunc
	asking sync.WaitGroup
}

// errStopped is what commands get from a daemon that has ended.
var errStopped = errors.New("the daemon has ended")

// rigShutdown is how long the peers have for the answers to DELETEs.
const rigShutdown = 3 * time.Second

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func newDaemon(t *testing.T, o rigOptions) *daemon {
	d := &daemon{t: t, o: o, done: make(chan struct{})}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.host = &rigHost{d: d, routes: map[uint64]*selector.Pair{}, excluded: map[netip.Addr]int{}}
	d.rigMeter.init()
	g := &d.o.Options
	g.Host, g.Meter = d.host, &d.rigMeter
	g.Log, g.Logs = o.Logger, func(l slog.Level) bool { return o.Logger.Enabled(context.Background(), l) }
	g.Random, g.Jitter = random, mrand.Float64
	if g.Observer == nil {
		g.Observer = Observers(nil)
	}
	d.Manager = New(*g)
	d.Manager.giver = o.lease
	return d
}

func (d *daemon) run() {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	list, err := d.o.Network.Addresses()
	d.Start(now, list, err == nil)
	d.Manager.Reconcile(now)
	d.timer = time.AfterFunc(time.Hour, func() { d.turn(func(time.Time) {}) })
	d.arm()
}

func (d *daemon) arm() {
	if next := d.NextTimeout(); !next.IsZero() {
		d.timer.Reset(max(time.Until(next), 0))
	}
}

// turn is a turn of the event loop, with one input. It reports whether the loop has not ended.
func (d *daemon) turn(input func(now time.Time)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return false
	}
	now := time.Now()
	input(now)
	d.Advance(now)
	d.Reconcile(now)
	d.arm()
	return true
}

func (d *daemon) shutdown() {
	d.turn(d.Shutdown)
	open := func() (n int) {
		d.turn(func(time.Time) { n = d.Open() })
		return n
	}
	for end := time.Now().Add(rigShutdown); open() > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	d.mu.Lock()
	d.Close(time.Now())
	d.ended = true
	d.timer.Stop()
	d.mu.Unlock()
	close(d.done)
	d.cancel()
	d.asking.Wait()
}

// call has f run on the event loop.
func (d *daemon) call(_ context.Context, f func(now time.Time)) error {
	if !d.turn(f) {
		return errStopped
	}
	return nil
}

func (d *daemon) HandleIKE(local, remote netip.AddrPort, b []byte) {
	d.turn(func(now time.Time) { d.Receive(now, sa.Path{Local: local, Remote: remote}, b) })
}

func (d *daemon) Acquire(policy uint64, p selector.Packet) {
	d.turn(func(now time.Time) { d.Manager.Acquire(now, policy, p) })
}

func (d *daemon) UnknownSPI(_, remote netip.AddrPort, spi uint32) {
	d.turn(func(now time.Time) { d.Manager.UnknownSPI(now, remote, spi) })
}

func (d *daemon) AddressesChanged() {
	list, err := d.o.Network.Addresses()
	d.turn(func(now time.Time) { d.Manager.AddressesChanged(now, list, err == nil) })
}

func (d *daemon) Info(ctx context.Context) (info Info, err error) {
	err = d.call(ctx, func(time.Time) { info = d.Manager.Info() })
	return info, err
}

func (d *daemon) Initiate(ctx context.Context, t Target, noWait bool, log LogFunc) error {
	var results []chan error
	wait := func() *Waiter {
		done := make(chan error, 1)
		results = append(results, done)
		return &Waiter{Log: log, Done: func(err error) { done <- err }}
	}
	if noWait {
		wait = nil
	}
	var err error
	if e := d.call(ctx, func(time.Time) { err = d.Manager.Initiate(t, wait) }); e != nil {
		return e
	}
	for _, done := range results {
		select {
		case err := <-done:
			if err != nil {
				return err
			}
		case <-d.done:
			return errStopped
		}
	}
	return err
}

// terminated is what came of a Terminate.
type terminated struct{ Matches, Gone int }

func (d *daemon) Terminate(ctx context.Context, t Target, force, noWait bool) (terminated, error) {
	return d.end(ctx, t, Ending{Force: force}, noWait)
}

// Shut takes something down and keeps peers from bringing it up again.
func (d *daemon) Shut(ctx context.Context, t Target) (terminated, error) {
	return d.end(ctx, t, Ending{Shut: true}, false)
}

func (d *daemon) end(ctx context.Context, t Target, how Ending, noWait bool) (terminated, error) {
	var found Termination
	var err error
	done := make(chan struct{})
	if e := d.call(ctx, func(now time.Time) { found, err = d.Manager.Terminate(now, t, how, func() { close(done) }) }); e != nil {
		return terminated{}, e
	}
	r := terminated{Matches: found.Matches}
	if err == nil && !noWait {
		<-done
		r.Gone = r.Matches
	}
	return r, err
}

func (d *daemon) count(f func(now time.Time) (int, error)) (n int, err error) {
	if e := d.call(d.ctx, func(now time.Time) { n, err = f(now) }); e != nil {
		return 0, e
	}
	return n, err
}

func (d *daemon) Rekey(_ context.Context, t Target) (int, error) {
	return d.count(func(now time.Time) (int, error) { return d.Manager.Rekey(now, t) })
}

func (d *daemon) Reauthenticate(_ context.Context, t Target) (int, error) {
	return d.count(func(now time.Time) (int, error) { return d.Manager.Reauthenticate(now, t) })
}

func (d *daemon) Redirect(_ context.Context, r Redirect) (int, error) {
	return d.count(func(now time.Time) (int, error) { return d.Manager.Redirect(now, r) })
}

func (d *daemon) Reload(ctx context.Context, c *config.Config) (out Changes, err error) {
	err = d.call(ctx, func(now time.Time) { out = d.Manager.Reload(now, c) })
	return out, err
}

// Change is what commands do that load and unload connections.
func (d *daemon) Change(ctx context.Context, c *config.Config, names []string) error {
	return d.call(ctx, func(now time.Time) { d.Manager.Change(now, c, names) })
}

func (d *daemon) ReloadFailed(ctx context.Context, cause error) error {
	return d.call(ctx, func(now time.Time) { d.Manager.ReloadFailed(now, cause) })
}

// rigHost does at once what is wanted of the routes.
type rigHost struct {
	d        *daemon
	routes   map[uint64]*selector.Pair
	excluded map[netip.Addr]int
	assigned map[uint64]*sa.Placement
}

func (h *rigHost) SourceFor(remote netip.Addr) (netip.Addr, error) {
	return h.d.o.Network.SourceFor(remote)
}

func (h *rigHost) complain(err error) {
	if err != nil {
		h.d.t.Errorf("network: %v", err)
	}
}

func (h *rigHost) SetRoutes(holder uint64, ts *selector.Pair) {
	old := h.routes[holder]
	if old == ts {
		return
	}
	h.routes[holder] = ts
	if ts != nil {
		if err := h.d.o.Network.AddRoutes(*ts); err != nil { // it counts all the same
			time.AfterFunc(0, func() { h.d.turn(func(now time.Time) { h.d.RoutesFailed(now, holder, ts, err) }) })
		}
	} else {
		delete(h.routes, holder)
	}
	if old != nil {
		h.complain(h.d.o.Network.RemoveRoutes(*old))
	}
}

func (h *rigHost) Assign(holder uint64, a *sa.Placement) {
	if h.assigned == nil {
		h.assigned = map[uint64]*sa.Placement{}
	}
	if h.assigned[holder] = a; a == nil {
		delete(h.assigned, holder)
	}
	var list []sa.Placement
	holders := slices.Sorted(maps.Keys(h.assigned))
	for _, k := range holders {
		list = append(list, *h.assigned[k])
	}
	by, errs := h.d.o.Network.Assign(list)
	h.complain(h.d.o.Network.Retract(list)) // the daemon does it after the routes
	for i, k := range holders {
		time.AfterFunc(0, func() { h.d.turn(func(now time.Time) { h.d.Placed(now, k, by, errs[i]) }) })
	}
}

func (h *rigHost) Exclude(a netip.Addr) {
	if h.excluded[a]++; h.excluded[a] == 1 {
		h.complain(h.d.o.Network.Exclude(a))
	}
}

func (h *rigHost) Unexclude(a netip.Addr) {
	if h.excluded[a]--; h.excluded[a] == 0 {
		delete(h.excluded, a)
		h.complain(h.d.o.Network.Unexclude(a))
	}
	if h.excluded[a] < 0 {
		h.complain(fmt.Errorf("%s is not excluded", a))
	}
}

// rigResolve bounds a look-up.
const rigResolve = 10 * time.Second

func (h *rigHost) LookUp(id uint64, name string) {
	h.d.asking.Go(func() {
		ctx, cancel := context.WithTimeout(h.d.ctx, rigResolve)
		defer cancel()
		found, err := h.d.o.Resolve(ctx, name)
		h.d.turn(func(now time.Time) { h.d.Resolved(now, id, found, err) })
	})
}

// Keep keeps leases at once, unless a test says otherwise.
func (h *rigHost) Keep(k Keeping) (error, bool) {
	if f := h.d.o.keep; f != nil {
		return f(k)
	}
	return nil, true
}

func (h *rigHost) CarryOut(x Errand) (sa.Result, bool) {
	if f := h.d.o.carryOut; f != nil {
		return f(x), true
	}
	return x.Want.(sa.Work).CarryOut(), true
}

// rigMeter counts.
type rigMeter struct {
	counting sync.Mutex
	counts   [Counts]uint64
	stats    Stats
}

func (m *rigMeter) init() {
	m.stats = Stats{Ignored: map[sa.IgnoreReason]uint64{}, Failures: map[FailureKey]uint64{}, Exchanges: map[ExchangeKey]uint64{}}
}

func (m *rigMeter) locked(f func()) { m.counting.Lock(); f(); m.counting.Unlock() }

func (m *rigMeter) Add(c Count)               { m.locked(func() { m.counts[c]++ }) }
func (m *rigMeter) Ignored(r sa.IgnoreReason) { m.locked(func() { m.stats.Ignored[r]++ }) }
func (m *rigMeter) Failure(k FailureKey)      { m.locked(func() { m.stats.Failures[k]++ }) }
func (m *rigMeter) Exchange(k ExchangeKey)    { m.locked(func() { m.stats.Exchanges[k]++ }) }

func (m *rigMeter) Stats() Stats {
	m.counting.Lock()
	defer m.counting.Unlock()
	s := m.stats
	s.SendErrors, s.Retransmits, s.Moves = m.counts[CountSendErrors], m.counts[CountRetransmits], m.counts[CountMoves]
	s.Established, s.IKERekeys, s.ChildRekeys = m.counts[CountEstablished], m.counts[CountIKERekeys], m.counts[CountChildRekeys]
	s.Redirected, s.Redirecting = m.counts[CountRedirected], m.counts[CountRedirecting]
	s.Ignored, s.Failures, s.Exchanges = maps.Clone(s.Ignored), maps.Clone(s.Failures), maps.Clone(s.Exchanges)
	return s
}
