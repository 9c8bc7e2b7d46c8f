package sim

import (
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"

	"esplanade/esp"
	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// dataPlane is a host's: what is installed, with the rules of package dataplane, and packets that are counted.
type dataPlane struct {
	h         *Host
	nextSPI   uint32
	allocated map[uint32]bool
	inbound   map[uint32]*inboundSA
	ever      map[uint32]bool        // SPIs that have been installed at some time
	outbound  map[uint64]*outboundSA // the newest of each line
	paths     map[uint64]esp.Path    // by child
	counters  map[uint64]*gateway.Counters
	policies  map[uint64]selector.Policy
	names     map[uint64]string // of the children that policies are for
	// sent and received are per configured child, by name, since the counters were last taken.
	sent, received map[string]int
}

type inboundSA struct {
	child uint64
	key   string
	name  string // of the configured child whose networks it has; "" for none
}

type outboundSA struct {
	child, policy uint64
	spi           uint32
	key           string
	fresh         bool // it replaces none
}

func (d *dataPlane) init(h *Host) {
	*d = dataPlane{
		h: h, nextSPI: d.nextSPI, allocated: map[uint32]bool{}, inbound: map[uint32]*inboundSA{}, ever: map[uint32]bool{},
		outbound: map[uint64]*outboundSA{}, paths: map[uint64]esp.Path{}, counters: map[uint64]*gateway.Counters{},
		policies: map[uint64]selector.Policy{}, names: map[uint64]string{}, sent: map[string]int{}, received: map[string]int{},
	}
}

// nameOf finds the child of the plan that has these networks.
func (d *dataPlane) nameOf(ts selector.Pair) string {
	for _, e := range d.h.plan.ends {
		for i := range e.kids {
			if local, remote := e.networks(i); selector.Format(ts.Local) == local && selector.Format(ts.Remote) == remote {
				return childName(e.peer, i)
			}
		}
	}
	return ""
}

// SendIKE implements gateway.DataPlane.
func (d *dataPlane) SendIKE(local, remote netip.AddrPort, b []byte) error {
	n := &d.h.w.net
	if len(b) == 1 {
		n.nat.leave(local) // a keepalive keeps the mapping of a NAT open; nothing arrives anywhere
		return nil
	}
	if d.h.w.ladder != nil {
		d.h.w.logf("%s --> %s to %s", d.h.name, describe(b), remote)
	}
	n.sendIKE(d.h, sa.Path{Local: local, Remote: remote}, slices.Clone(b))
	return nil
}

// AllocateSPI implements gateway.DataPlane.
func (d *dataPlane) AllocateSPI() (uint32, error) {
	d.nextSPI++
	d.allocated[d.nextSPI] = true
	return d.nextSPI, nil
}

// ReleaseSPI implements gateway.DataPlane.
func (d *dataPlane) ReleaseSPI(spi uint32) {
	if !d.allocated[spi] {
		d.h.w.fail("%s: SPI %08x is released and was not allocated", d.h.name, spi)
	}
	if d.inbound[spi] != nil {
		d.h.w.fail("%s: SPI %08x is released and in use", d.h.name, spi)
	}
	delete(d.allocated, spi)
}

// SetPolicy implements gateway.DataPlane.
func (d *dataPlane) SetPolicy(policy uint64, p selector.Policy) {
	d.policies[policy], d.names[policy] = p, d.nameOf(p.Pair)
}

// ClearPolicy implements gateway.DataPlane.
func (d *dataPlane) ClearPolicy(policy uint64) { delete(d.policies, policy) }

// FailPending implements gateway.DataPlane.
func (d *dataPlane) FailPending(uint64) {}

var errFull = fmt.Errorf("no room")

// InstallInbound implements gateway.DataPlane. Now and then it can't be done.
func (d *dataPlane) InstallInbound(child, line uint64, c esp.InboundConfig, ts selector.Pair, path esp.Path) error {
	w := d.h.w
	w.logf("%s: child %d inbound %08x", d.h.name, child, c.SPI)
	if !d.allocated[c.SPI] || d.inbound[c.SPI] != nil {
		w.fail("%s: inbound SPI %08x is not allocated or in use", d.h.name, c.SPI)
	}
	if w.chance(w.plan.deaf / 20) {
		w.check.destroyed(d.h, "an SA was not installed")
		return errFull
	}
	w.check.newKey(d.h, "in", c.EncrKey)
	d.inbound[c.SPI], d.ever[c.SPI] = &inboundSA{child, string(c.EncrKey), d.nameOf(ts)}, true
	d.paths[child], d.counters[child] = path, &gateway.Counters{}
	return nil
}

// InstallOutbound implements gateway.DataPlane. Of one line the newest is used.
func (d *dataPlane) InstallOutbound(child, policy, line uint64, c esp.OutboundConfig, ts selector.Pair, path esp.Path) error {
	w := d.h.w
	w.logf("%s: child %d outbound %08x, policy %d, line %d", d.h.name, child, c.SPI, policy, line)
	if x := d.outbound[line]; x == nil || x.child != child {
		w.check.newKey(d.h, "out", c.EncrKey)
	}
	if _, ok := d.policies[policy]; !ok && policy != line {
		w.fail("%s: child %d is for policy %d, which there is not", d.h.name, child, policy)
	}
	d.outbound[line] = &outboundSA{child, policy, c.SPI, string(c.EncrKey), line == child}
	d.paths[child] = path
	return nil
}

// RemoveInbound implements gateway.DataPlane.
func (d *dataPlane) RemoveInbound(child uint64) {
	for spi, in := range d.inbound {
		if in.child == child {
			d.h.w.logf("%s: child %d inbound %08x gone", d.h.name, child, spi)
			delete(d.inbound, spi)
			delete(d.allocated, spi)
		}
	}
	delete(d.counters, child)
	delete(d.paths, child)
}

// RemoveOutbound implements gateway.DataPlane.
func (d *dataPlane) RemoveOutbound(child uint64) {
	for line, out := range d.outbound {
		if out.child == child {
			d.h.w.logf("%s: child %d outbound %08x gone", d.h.name, child, out.spi)
			delete(d.outbound, line)
		}
	}
}

// UpdatePath implements gateway.DataPlane.
func (d *dataPlane) UpdatePath(child uint64, path esp.Path) {
	if _, ok := d.paths[child]; ok {
		d.paths[child] = path
	}
}

// UpdateSelectors implements gateway.DataPlane.
func (d *dataPlane) UpdateSelectors(uint64, selector.Pair) {}

// PathState implements gateway.DataPlane: paths here take any packet.
func (d *dataPlane) PathState(uint64) (gateway.PathState, bool) { return gateway.PathState{}, false }

// Counters implements gateway.DataPlane.
func (d *dataPlane) Counters(child uint64) (gateway.Counters, bool) {
	c := d.counters[child]
	if c == nil {
		return gateway.Counters{}, false
	}
	return *c, true
}

// way is the SA that packets of a policy leave through: that of the oldest line.
func (d *dataPlane) way(policy uint64) *outboundSA {
	oldest := uint64(math.MaxUint64)
	for line, out := range d.outbound {
		if out.policy == policy {
			oldest = min(oldest, line)
		}
	}
	return d.outbound[oldest]
}

// tick sends a packet for each configured child.
func (d *dataPlane) tick() {
	if d.h.down {
		return
	}
	for _, p := range slices.Sorted(maps.Keys(d.policies)) {
		name := d.names[p]
		if name == "" {
			continue
		}
		out := d.way(p)
		if out == nil {
			if d.policies[p].Without == selector.Refuse {
				continue
			}
			ts := d.policies[p].Pair
			packet := selector.Packet{Src: ts.Local[0].Start, Dst: ts.Remote[0].Start, Protocol: 17}
			d.h.input(func(now time.Time, g *gateway.Manager) { g.Acquire(now, p, packet) })
			continue
		}
		d.sent[name]++
		path := d.paths[out.child]
		d.h.w.net.carry(datagram{src: path.Local, dst: path.Remote, esp: packet{spi: out.spi, key: out.key, fresh: out.fresh}})
	}
}

// receiveESP is what a data plane does with an ESP packet.
func (h *Host) receiveESP(p packet, path sa.Path) {
	if h.down {
		return
	}
	d := &h.data
	in := d.inbound[p.spi]
	if in == nil || in.key != p.key {
		h.w.logf("%s: ESP with unknown SPI %08x", h.name, p.spi)
		if !p.fresh || d.ever[p.spi] {
			h.w.check.lostESP(h, p.spi)
		}
		h.input(func(now time.Time, g *gateway.Manager) { g.UnknownSPI(now, path.Remote, p.spi) })
		return
	}
	d.received[in.name]++
	h.w.check.stats.ESP++
	c, known := d.counters[in.child], d.paths[in.child]
	first := c.LastIn.IsZero()
	c.LastIn = h.w.now
	if path.Remote == known.Remote {
		c.LastOnPath = h.w.now
	}
	if first {
		h.input(func(now time.Time, g *gateway.Manager) { g.InboundActive(now, in.child) })
	}
	if known.UDP && path.Remote != known.Remote {
		h.input(func(now time.Time, g *gateway.Manager) { g.PeerMoved(now, in.child, path.Remote) })
	}
}

func (d *dataPlane) take() { clear(d.sent); clear(d.received) }
