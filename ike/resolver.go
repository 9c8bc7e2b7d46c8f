package ike

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// resolver looks names up, each in a goroutine of its own.
type resolver struct {
	// slots bounds the look-ups that run at a time.
	slots   chan struct{}
	workers sync.WaitGroup
	ctx     context.Context
	cancel  context.CancelFunc
}

const (
	// resolveTimeout bounds a DNS look-up.
	resolveTimeout = 10 * time.Second
	// resolveSlots is how many look-ups run at a time.
	resolveSlots = 16
)

func (r *resolver) init() {
	r.slots = make(chan struct{}, resolveSlots)
	r.ctx, r.cancel = context.WithCancel(context.Background())
}

// wait returns when no look-up runs any more, which is soon after cancel.
func (r *resolver) wait() { r.workers.Wait() }

// lookUp looks a name up with resolve, when it is its turn, and then calls then from another goroutine.
func (r *resolver) lookUp(name string, resolve func(context.Context, string) ([]netip.Addr, error), then func([]netip.Addr, error)) {
	r.workers.Go(func() {
		select {
		case r.slots <- struct{}{}:
		case <-r.ctx.Done():
			return
		}
		ctx, cancel := context.WithTimeout(r.ctx, resolveTimeout)
		addrs, err := resolve(ctx, name)
		cancel()
		<-r.slots
		then(addrs, err)
	})
}
