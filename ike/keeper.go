package ike

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/pool"
)

// LeaseStore keeps the leases of addresses over a restart. Write is called from one goroutine of the daemon. What it has written without an
// error is there after a crash at any moment.
type LeaseStore interface {
	Write(list []pool.Change) error
}

// Leases are written by a goroutine of their own, since a disk may take its time:
//
//	event loop ── Keep ──> pending ── one transaction ──> disk ── Kept ──> event loop
//
// All that is asked for while the disk is at work goes into the next transaction. What nobody waits for goes along, or is written after
// lazyKeep; what could not be written is tried again with the next.

const (
	// lazyKeep is how long a release may wait until it is written. A restart before that takes the client for connected at the end.
	lazyKeep = 2 * time.Second
	// keepRetry is when what could not be written is tried again.
	keepRetry = 5 * time.Second
	// maxKeeping is how many clients may wait for the disk.
	maxKeeping = 4096
)

var errKeeping = errors.New("too many others wait for the disk")

// keeper writes leases.
type keeper struct {
	store LeaseStore // nil: nothing is kept
	log   *slog.Logger
	told  func(k gateway.Keeping, err error)

	working sync.WaitGroup
	wake    chan struct{}

	mu      sync.Mutex
	pending map[netip.Addr]pool.Change // the latest of each address
	urgent  []gateway.Keeping
	closed  bool
	failing bool // of the worker: it was said
}

func (k *keeper) init(store LeaseStore, log *slog.Logger, told func(gateway.Keeping, error)) {
	k.store, k.log, k.told = store, log, told
	k.wake, k.pending = make(chan struct{}, 1), map[netip.Addr]pool.Change{}
}

// start has it begin.
func (k *keeper) start() {
	if k.store != nil {
		k.working.Go(k.run)
	}
}

// KeepLeases has leases kept from now on by a daemon that has not kept any: the first pools come with the next reload. list is what the store has of an earlier run.
func (d *Daemon) KeepLeases(ctx context.Context, store LeaseStore, list []pool.Record) error {
	return d.Call(ctx, func(_ time.Time, g *gateway.Manager) {
		if d.keeper.store == nil {
			d.keeper.store = store
			d.keeper.start()
			g.KnowLeases(list)
		}
	})
}

// close writes what is left, and ends.
func (k *keeper) close() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.kick()
	k.working.Wait()
}

func (k *keeper) kick() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// keep takes changes from the event loop.
func (k *keeper) keep(x gateway.Keeping) (err error, done bool) {
	if k.store == nil {
		return nil, true
	}
	k.mu.Lock()
	if x.Urgent && len(k.urgent) >= maxKeeping {
		k.mu.Unlock()
		return errKeeping, true
	}
	first := len(k.pending) == 0
	for _, c := range x.Changes {
		k.pending[c.Addr] = c
	}
	if x.Urgent {
		k.urgent = append(k.urgent, x)
	}
	k.mu.Unlock()
	if x.Urgent || first {
		k.kick()
	}
	return nil, false
}

// take gives what is to be written, and who waits for it.
func (k *keeper) take() (list []pool.Change, urgent []gateway.Keeping, closed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.pending {
		list = append(list, c)
	}
	clear(k.pending)
	urgent, k.urgent = k.urgent, nil
	return list, urgent, k.closed
}

// hurries reports whether somebody waits.
func (k *keeper) hurries() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.closed || len(k.urgent) > 0
}

// empty reports whether there is nothing to write.
func (k *keeper) empty() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.pending) == 0 && len(k.urgent) == 0
}

// giveBack has changes written again that could not be, but for what has changed since.
func (k *keeper) giveBack(list []pool.Change) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range list {
		if _, newer := k.pending[c.Addr]; !newer {
			k.pending[c.Addr] = c
		}
	}
}

// run is the worker.
func (k *keeper) run() {
	for {
		k.rest()
		list, urgent, closed := k.take()
		var err error
		if len(list) > 0 {
			err = k.store.Write(list)
			k.report(err, len(list))
		}
		if err != nil {
			k.giveBack(list)
		}
		for _, x := range urgent {
			k.told(x, err)
		}
		if closed {
			return
		}
	}
}

// rest waits until there is something to write: at once for whoever waits, later for what has time.
func (k *keeper) rest() {
	for k.empty() && !k.hurries() {
		<-k.wake
	}
	pause := lazyKeep
	if k.failing {
		pause = keepRetry
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for !k.hurries() {
		select {
		case <-k.wake:
		case <-timer.C:
			return
		}
	}
}

// report says that leases can't be written, and that they can again.
func (k *keeper) report(err error, n int) {
	switch {
	case err != nil && !k.failing:
		k.log.Error("cannot write leases of addresses: clients that come for the first time get none until it can be done", "leases", n, "error", err)
	case err == nil && k.failing:
		k.log.Info("leases of addresses are written again")
	}
	k.failing = err != nil
}
