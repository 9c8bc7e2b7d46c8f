package dataplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
)

// Engine carries packets between a device and sockets. New makes one, Run runs its loops.
//
// The packet loops see only what is behind atomic pointers and what is their own; everything else is the control
// side's, under one mutex that no loop ever takes. The control methods may be called from any goroutine but a
// Handler's.
type Engine struct {
	config  Config
	handler Handler
	log     *slog.Logger
	clock   clock
	memory  memory

	device  deviceEnd
	sockets socketEnd

	// What the loops read.
	spis       spiTable
	policies   atomic.Pointer[ruleTable]
	inboundGen atomic.Uint64 // counts up when an inbound SA is removed
	deviceMTU  atomic.Int32
	watches    atomic.Pointer[[]*holeWatch]        // acknowledgements that are waited for; nil for none
	own        atomic.Pointer[map[netip.Addr]bool] // outer addresses of this host, as far as SAs have had them

	ikePort, nattPort uint16 // of the sockets

	drops    []dropCounters // by goroutine: outbound loops, the courier, inbound loops
	outLoops []*outLoop
	inLoops  []*inLoop
	courier  *courier

	mu       sync.Mutex
	closed   bool
	running  bool
	children map[uint64]*child
	entries  map[uint64]*entry // the policies by number
	// Black holes, by the remote address of the path.
	holes    map[netip.Addr]pathHole
	searches map[netip.Addr]*holeSearch
	futile   map[netip.Addr]int64 // until when no search is made
	// What ICMP messages have said of paths, by the remote address.
	told   map[netip.Addr]toldMTU
	serial uint64

	mtuNews  *mtuNews
	done     chan struct{} // closed by Close
	finished chan struct{} // closed when Run has returned
}

// ErrClosed is returned by an engine that has been closed.
var ErrClosed = errors.New("dataplane: the engine is closed")

// New opens the sockets and prepares the device. Nothing is carried before Run. When New fails, the device is still
// the caller's.
func New(c Config) (*Engine, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	e := newEngine(c)
	dev, err := newDeviceEnd(c, &e.memory)
	if err != nil {
		return nil, err
	}
	socks, err := newSocketEnd(c, &e.memory, e)
	if err != nil {
		e.memory.free()
		return nil, err
	}
	e.init(dev, socks)
	return e, nil
}

func newEngine(c Config) *Engine {
	return &Engine{config: c, mtuNews: newMTUNews()}
}

// init makes the loops between two ends.
func (e *Engine) init(dev deviceEnd, socks socketEnd) {
	e.handler, e.log, e.clock = e.config.Handler, e.config.Logger, newClock()
	e.device, e.sockets = dev, socks
	e.children = make(map[uint64]*child)
	e.entries = make(map[uint64]*entry)
	e.holes = make(map[netip.Addr]pathHole)
	e.searches = make(map[netip.Addr]*holeSearch)
	e.futile = make(map[netip.Addr]int64)
	e.told = make(map[netip.Addr]toldMTU)
	e.done, e.finished = make(chan struct{}), make(chan struct{})
	e.policies.Store(&ruleTable{gen: 1})
	e.inboundGen.Store(1)
	e.deviceMTU.Store(int32(dev.mtu()))

	for _, s := range socks.bound() {
		switch s.Kind {
		case SocketIKE:
			e.ikePort = s.Local.Port()
		case SocketNATT:
			e.nattPort = s.Local.Port()
		case SocketRaw: // has no port
		}
	}

	readers, receivers := dev.readers(), socks.receivers()
	e.drops = make([]dropCounters, len(readers)+1+len(receivers))
	for i := range readers {
		e.outLoops = append(e.outLoops, newOutLoop(e, i, &e.drops[i], socks.sender(i), dev.writer(i)))
	}
	n := len(readers)
	e.courier = newCourier(newOutLoop(e, n, &e.drops[n], socks.sender(0), dev.writer(0)))
	for i, r := range receivers {
		e.inLoops = append(e.inLoops, newInLoop(e, i, &e.drops[n+1+i], dev.writer(r.worker())))
	}
}

// Run carries packets until the context is done, Close is called, or the device or a socket fails. The device and the
// sockets are closed when it returns. The error is nil unless something failed. Run may be called once.
func (e *Engine) Run(ctx context.Context) error {
	e.mu.Lock()
	if e.closed || e.running {
		e.mu.Unlock()
		return ErrClosed
	}
	e.running = true
	e.mu.Unlock()

	mtuCtx, stopMTU := context.WithCancel(ctx)
	defer stopMTU()
	e.device.start()
	for _, w := range e.inLoops {
		w.merge.setMerges(e.device.merges())
	}
	var wg sync.WaitGroup
	wg.Go(func() { e.watchMTU(mtuCtx) })
	wg.Go(func() { e.courier.run(e.done) })
	readers, receivers := e.device.readers(), e.sockets.receivers()
	failed := make(chan error, len(readers)+len(receivers))
	for i, r := range readers {
		wg.Go(func() { failed <- wrapLoop("device", e.outLoops[i].run(r)) })
	}
	for i, r := range receivers {
		wg.Go(func() { failed <- wrapLoop("socket", e.inLoops[i].run(r)) })
	}
	events := e.config.Device
	if events != nil && events.Events() != nil {
		wg.Go(func() { e.watchDevice(events) })
	}

	var err error
	select {
	case <-ctx.Done():
	case <-e.done:
	case err = <-failed:
	}
	e.shutdown()
	stopMTU()
	wg.Wait()
	e.memory.free()
	close(e.finished)
	return err
}

// wrapLoop says which kind of loop an error ended; a closed end is none.
func wrapLoop(what string, err error) error {
	if err == nil || errors.Is(err, os.ErrClosed) || errors.Is(err, errEndClosed) {
		return nil
	}
	return fmt.Errorf("dataplane: %s: %w", what, err)
}

// errEndClosed is returned by the blocking calls of an end after its close.
var errEndClosed = errors.New("dataplane: end closed")

// shutdown closes both ends, once.
func (e *Engine) shutdown() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	e.closed = true
	close(e.done)
	if err := e.sockets.close(); err != nil {
		e.log.Warn("cannot close the sockets", "error", err)
	}
	if err := e.device.close(); err != nil && !errors.Is(err, os.ErrClosed) {
		e.log.Warn("cannot close the device", "error", err)
	}
}

// Close ends Run and waits for it. It may be called more than once.
func (e *Engine) Close() error {
	e.mu.Lock()
	running := e.running
	e.mu.Unlock()
	e.shutdown()
	if running {
		<-e.finished
	}
	return nil
}

// LocalAddrs lists the sockets with the addresses and ports they are bound to.
func (e *Engine) LocalAddrs() []Socket { return e.sockets.bound() }

// LocalAddr is the first address that a socket of the kind is bound to, the zero AddrPort if there is none.
func (e *Engine) LocalAddr(kind SocketKind, v6 bool) netip.AddrPort {
	for _, s := range e.sockets.bound() {
		if s.Kind == kind && s.Local.Addr().Is6() == v6 {
			return s.Local
		}
	}
	return netip.AddrPort{}
}
