// Package socktest is a UDP network in memory, for tests of everything that talks over sockets: it can lose, duplicate,
// reorder and corrupt datagrams, cut hosts off, and rewrite source addresses like a NAT.
//
// A [Network] is safe for concurrent use. Which datagrams are hit by faults depends on its seed and on the order in
// which they are sent. No goroutine and no clock is involved: a datagram is in the receiver's queue when the call
// that sent it returns, so the network may be used in a testing/synctest bubble.
package socktest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
)

// queueLen is how many datagrams wait at a receiver; more are lost, like in a socket buffer.
const queueLen = 4096

// firstPort is where ports are chosen from.
const firstPort = 49152

// Faults are probabilities from 0 to 1, each applied to every datagram.
type Faults struct {
	Drop, Duplicate, Reorder, Corrupt float64
}

// Stats counts what happened to datagrams.
type Stats struct {
	Sent, Delivered, Dropped, Duplicated, Reordered, Corrupted, Unreachable, Overrun uint64
}

// Network connects sockets by their addresses.
type Network struct {
	mu     sync.Mutex
	rand   *rand.Rand
	faults Faults
	stats  Stats
	conns  map[netip.AddrPort]*Conn
	nat    map[netip.AddrPort]netip.AddrPort // real source to seen source
	cut    map[netip.Addr]bool
	held   []datagram // overtaken by the next one
	tap    func(from, to netip.AddrPort, data []byte) bool
	port   uint16
}

type datagram struct {
	from, to netip.AddrPort
	data     []byte
}

// New makes a network without faults.
func New(seed uint64) *Network {
	return &Network{
		rand:  rand.New(rand.NewPCG(seed, 0)),
		conns: make(map[netip.AddrPort]*Conn),
		nat:   make(map[netip.AddrPort]netip.AddrPort),
		cut:   make(map[netip.Addr]bool),
		port:  firstPort,
	}
}

// SetFaults changes what happens from now on. Without faults, nothing is held back any more.
func (n *Network) SetFaults(f Faults) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = f
	if f.Reorder == 0 {
		n.release()
	}
}

// Stats gives the counters so far.
func (n *Network) Stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stats
}

// Tap makes f see every datagram before faults are applied; false drops it. f must not use the network.
func (n *Network) Tap(f func(from, to netip.AddrPort, data []byte) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tap = f
}

// Rebind makes datagrams from real look as if they came from seen, and datagrams to seen arrive at real: a NAT with a
// new mapping. A former mapping of real is gone.
func (n *Network) Rebind(real, seen netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nat[real] = seen
}

// Cut loses everything to and from a host, or ends that.
func (n *Network) Cut(host netip.Addr, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut[host] = cut
}

// Inject delivers a datagram with any source address, past all faults.
func (n *Network) Inject(from, to netip.AddrPort, data []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.deliver(datagram{from, to, slices.Clone(data)})
}

// Listen opens a socket. The address must not be unspecified; port 0 chooses one. It fits the ListenPacket of a
// dataplane.SocketConfig.
func (n *Network) Listen(_ context.Context, network string, addr netip.AddrPort) (net.PacketConn, error) {
	fail := func(err error) error {
		return &net.OpError{Op: "listen", Net: network, Addr: net.UDPAddrFromAddrPort(addr), Err: err}
	}
	if !addr.Addr().IsValid() || addr.Addr().IsUnspecified() {
		return nil, fail(fmt.Errorf("socktest: %w: a host's own address is needed", syscall.EADDRNOTAVAIL))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if addr.Port() == 0 {
		addr = netip.AddrPortFrom(addr.Addr(), n.port)
		n.port++
	}
	if n.conns[addr] != nil {
		return nil, fail(syscall.EADDRINUSE)
	}
	c := &Conn{n: n, local: addr, queue: make(chan datagram, queueLen), closed: make(chan struct{})}
	n.conns[addr] = c
	return c, nil
}

// send applies the faults to a datagram.
func (n *Network) send(d datagram) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stats.Sent++
	if seen, ok := n.nat[d.from]; ok {
		d.from = seen
	}
	if n.cut[d.from.Addr()] || n.cut[d.to.Addr()] || n.tap != nil && !n.tap(d.from, d.to, d.data) || n.hit(n.faults.Drop) {
		n.stats.Dropped++
		return
	}
	if len(d.data) > 0 && n.hit(n.faults.Corrupt) {
		n.stats.Corrupted++
		d.data[n.rand.IntN(len(d.data))] ^= byte(1 << n.rand.IntN(8))
	}
	if n.hit(n.faults.Duplicate) {
		n.stats.Duplicated++
		n.deliver(datagram{d.from, d.to, slices.Clone(d.data)})
	}
	if n.hit(n.faults.Reorder) {
		n.stats.Reordered++
		n.held = append(n.held, d)
		return
	}
	n.deliver(d)
	n.release()
}

func (n *Network) release() {
	held := n.held
	n.held = nil
	for _, h := range held {
		n.deliver(h)
	}
}

func (n *Network) hit(p float64) bool { return p > 0 && n.rand.Float64() < p }

func (n *Network) deliver(d datagram) {
	to := d.to
	for real, seen := range n.nat {
		if seen == d.to {
			to = real
		}
	}
	c := n.conns[to]
	if c == nil {
		n.stats.Unreachable++
		return
	}
	select {
	case c.queue <- d:
		n.stats.Delivered++
	default:
		n.stats.Overrun++
	}
}
