package ike

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/config"
	"esplanade/esp"
	"esplanade/ike/control"
	"esplanade/ike/gateway"
	"esplanade/ike/hosttest"
	"esplanade/ike/selector"
)

// What a gateway decides is tested in package gateway, with a manager alone. Here are whole daemons, with their loops and
// goroutines, in a synctest bubble: time is virtual, and passes when every goroutine waits.

const (
	addrA = "192.0.2.1"
	addrB = "192.0.2.2"
)

// conf is the configuration of one end of a tunnel between two gateways.
func conf(t *testing.T, head, local, remote, action string) *config.Config {
	t.Helper()
	nets, ids := [2]string{"10.1.0.0/16", "10.2.0.0/16"}, [2]string{"a.example", "b.example"}
	if local == addrB {
		nets, ids = [2]string{nets[1], nets[0]}, [2]string{ids[1], ids[0]}
	}
	text := fmt.Sprintf(`%s
[connections.x]
local_addrs = [%q]
remote_addrs = [%q]
[connections.x.local]
auth = "psk"
id = %q
[connections.x.remote]
auth = "psk"
id = %q
[connections.x.children.net]
local_ts = [%q]
remote_ts = [%q]
start_action = %q
[secrets.ike.all]
secret = "correct-horse-battery-staple-2026"
`, head, local, remote, ids[0], ids[1], nets[0], nets[1], action)
	c, err := config.Parse("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wires carry datagrams between daemons.
type wires struct {
	mu    sync.Mutex
	nodes map[netip.Addr]*node
	// keep is what was sent first.
	keep []byte
	// deliver decides about a datagram; nil delivers all.
	deliver func(b []byte) bool
}

func (w *wires) setDeliver(deliver func(b []byte) bool) {
	w.mu.Lock()
	w.deliver = deliver
	w.mu.Unlock()
}

func (w *wires) send(from, to netip.AddrPort, b []byte) {
	b = slices.Clone(b)
	w.mu.Lock()
	if w.keep == nil {
		w.keep = b
	}
	ok := w.deliver == nil || w.deliver(b)
	w.mu.Unlock()
	if !ok {
		return
	}
	time.AfterFunc(5*time.Millisecond, func() {
		w.mu.Lock()
		n := w.nodes[to.Addr()]
		w.mu.Unlock()
		if n != nil {
			n.HandleIKE(to, from, b)
		}
	})
}

// node is a running daemon.
type node struct {
	*Daemon
	control.Commands
	addr  netip.Addr
	plane *fakePlane
	net   *fakeNetwork
	stop  func()
}

// start runs a daemon until stop is called.
func (w *wires) start(t *testing.T, c *config.Config, change ...func(*Options)) *node {
	t.Helper()
	addr := c.Connections[0].LocalAddrs[0].Addr()
	n := &node{addr: addr, plane: &fakePlane{t: t, w: w, spi: 0x100, reserved: map[uint32]bool{}, policies: map[uint64]bool{}, in: map[uint64]uint32{}, out: map[uint64]uint32{}}, net: hosttest.NewNetwork(addr)}
	o := Options{Config: c, DataPlane: n.plane, Network: n.net, IKEPort: 500, NATTPort: 4500}
	for _, f := range change {
		f(&o)
	}
	n.Daemon = New(o)
	n.Commands = control.Commands{Loop: n.Daemon}
	w.mu.Lock()
	if w.nodes == nil {
		w.nodes = map[netip.Addr]*node{}
	}
	w.nodes[addr] = n
	w.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := n.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	n.stop = func() { cancel(); <-done }
	t.Cleanup(n.stop)
	return n
}

// settle lets d pass.
func settle(d time.Duration) {
	time.Sleep(d) // virtual: it passes at once
	synctest.Wait()
}

// fakePlane is a data plane that remembers the SPIs of what is installed.
type fakePlane struct {
	t *testing.T
	w *wires

	mu       sync.Mutex
	spi      uint32
	reserved map[uint32]bool
	in, out  map[uint64]uint32
	policies map[uint64]bool
}

func (p *fakePlane) SendIKE(local, remote netip.AddrPort, b []byte) error {
	p.w.send(local, remote, b)
	return nil
}

func (p *fakePlane) AllocateSPI() (uint32, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spi++
	p.reserved[p.spi] = true
	return p.spi, nil
}

func (p *fakePlane) locked(f func()) { p.mu.Lock(); f(); p.mu.Unlock() }

func (p *fakePlane) ReleaseSPI(spi uint32) { p.locked(func() { delete(p.reserved, spi) }) }

func (p *fakePlane) SetPolicy(n uint64, _ selector.Policy)           { p.locked(func() { p.policies[n] = true }) }
func (p *fakePlane) ClearPolicy(n uint64)                            { p.locked(func() { delete(p.policies, n) }) }
func (p *fakePlane) FailPending(uint64)                              {}
func (p *fakePlane) UpdatePath(uint64, esp.Path)                     {}
func (p *fakePlane) UpdateSelectors(uint64, selector.Pair)           {}
func (p *fakePlane) Counters(uint64) (c gateway.Counters, ok bool)   { return c, false }
func (p *fakePlane) PathState(uint64) (s gateway.PathState, ok bool) { return s, false }

func (p *fakePlane) InstallInbound(child, _ uint64, c esp.InboundConfig, _ selector.Pair, _ esp.Path) error {
	p.locked(func() { p.in[child] = c.SPI })
	return nil
}

func (p *fakePlane) InstallOutbound(child, _, _ uint64, c esp.OutboundConfig, _ selector.Pair, _ esp.Path) error {
	p.locked(func() { p.out[child] = c.SPI })
	return nil
}

func (p *fakePlane) RemoveInbound(child uint64) {
	p.locked(func() { delete(p.reserved, p.in[child]); delete(p.in, child) })
}

func (p *fakePlane) RemoveOutbound(child uint64) { p.locked(func() { delete(p.out, child) }) }

// children counts the CHILD SAs with both directions; both ends must have the same.
func children(t *testing.T, a, b *node) int {
	t.Helper()
	spis := func(m map[uint64]uint32) (out []uint32) {
		for _, s := range m {
			out = append(out, s)
		}
		slices.Sort(out)
		return out
	}
	a.plane.mu.Lock()
	defer a.plane.mu.Unlock()
	b.plane.mu.Lock()
	defer b.plane.mu.Unlock()
	if !slices.Equal(spis(a.plane.in), spis(b.plane.out)) || !slices.Equal(spis(b.plane.in), spis(a.plane.out)) {
		t.Errorf("the ends differ: %v/%v and %v/%v", a.plane.in, a.plane.out, b.plane.in, b.plane.out)
	}
	return len(a.plane.out)
}

// empty fails the test unless nothing is left of a daemon.
func (n *node) empty(t *testing.T) {
	t.Helper()
	n.plane.locked(func() {
		if p := n.plane; len(p.in)+len(p.out)+len(p.reserved)+len(p.policies) > 0 {
			t.Errorf("left in the data plane: %d in, %d out, %d SPIs, %d policies", len(p.in), len(p.out), len(p.reserved), len(p.policies))
		}
	})
	n.net.Empty(t)
}

// What a daemon has around it.
type (
	fakeNetwork = hosttest.Network
	logBuffer   = hosttest.Log
)
