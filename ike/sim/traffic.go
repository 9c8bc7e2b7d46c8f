package sim

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"esplanade/ike/sa"
)

// dataPlane is a host's: SAs by SPI and by policy, and packets that are counted.
type dataPlane struct {
	h         *Host
	allocated map[uint32]bool
	inbound   map[uint32]*sa.Child
	ever      map[uint32]bool      // SPIs that have been installed at some time
	outbound  map[uint64]*sa.Child // by policy
	lastIn    map[uint64]time.Time // by child
	// Sent and received are per configured child, by name, since the counters were last taken.
	sent, received map[string]int
}

func (d *dataPlane) init(h *Host) {
	*d = dataPlane{
		h: h, allocated: map[uint32]bool{}, inbound: map[uint32]*sa.Child{}, ever: map[uint32]bool{}, outbound: map[uint64]*sa.Child{},
		lastIn: map[uint64]time.Time{}, sent: map[string]int{}, received: map[string]int{},
	}
}

func (d *dataPlane) allocate() uint32 {
	d.h.nextSPI++
	d.allocated[d.h.nextSPI] = true
	return d.h.nextSPI
}

func (d *dataPlane) release(spi uint32) {
	if !d.allocated[spi] {
		d.h.w.fail("%s: SPI %08x is released and was not allocated", d.h.name, spi)
	}
	if d.inbound[spi] != nil {
		d.h.w.fail("%s: SPI %08x is released and in use", d.h.name, spi)
	}
	delete(d.allocated, spi)
}

func (d *dataPlane) output(o sa.Output) {
	w, name := d.h.w, d.h.name
	switch o := o.(type) {
	case sa.InstallInbound:
		c := o.Child
		w.logf("%s: child %d inbound %08x", name, c.ID, c.Inbound.SPI)
		if !d.allocated[c.Inbound.SPI] || d.inbound[c.Inbound.SPI] != nil {
			w.fail("%s: inbound SPI %08x is not allocated or in use", name, c.Inbound.SPI)
		}
		w.check.newKey(d.h, "in", c.Inbound.EncrKey)
		d.inbound[c.Inbound.SPI], d.ever[c.Inbound.SPI] = c, true
	case sa.InstallOutbound:
		c := o.Child
		w.logf("%s: child %d outbound %08x, policy %d", name, c.ID, c.Outbound.SPI, c.Policy)
		if d.outbound[c.Policy] != c {
			w.check.newKey(d.h, "out", c.Outbound.EncrKey)
		}
		d.outbound[c.Policy] = c
	case sa.RemoveInbound:
		c := o.Child
		w.logf("%s: child %d inbound %08x gone", name, c.ID, c.Inbound.SPI)
		if d.inbound[c.Inbound.SPI] != c {
			w.fail("%s: inbound SPI %08x is removed and was not there", name, c.Inbound.SPI)
		}
		delete(d.inbound, c.Inbound.SPI)
		delete(d.allocated, c.Inbound.SPI)
		delete(d.lastIn, c.ID)
	case sa.RemoveOutbound:
		c := o.Child
		w.logf("%s: child %d outbound %08x gone", name, c.ID, c.Outbound.SPI)
		if d.outbound[c.Policy] == c {
			delete(d.outbound, c.Policy)
		}
	}
}

// liveOf counts the children of a configuration that are up.
func (d *dataPlane) liveOf(cfg *sa.ChildConfig) int {
	n := 0
	for _, c := range d.inbound {
		if c.Config == cfg && (c.State == sa.ChildInstalled || c.State == sa.ChildRekeying) {
			n++
		}
	}
	return n
}

// live lists them, oldest first.
func (d *dataPlane) live(cfg *sa.ChildConfig) []*sa.Child {
	var out []*sa.Child
	for _, c := range d.inbound {
		if c.Config == cfg && (c.State == sa.ChildInstalled || c.State == sa.ChildRekeying) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *sa.Child) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// owner finds the machine of a child.
func (h *Host) owner(child uint64) *node {
	for _, n := range h.nodes() {
		for _, c := range n.m.Children() {
			if c.ID == child {
				return n
			}
		}
	}
	return nil
}

// tick sends a packet for each configured child.
func (d *dataPlane) tick() {
	policies := slices.Sorted(maps.Keys(d.outbound))
	for _, cfg := range d.h.plan.cfg.Children {
		for _, p := range policies {
			if c := d.outbound[p]; c.Config == cfg {
				d.sent[cfg.Name]++
				d.h.w.net.carry(datagram{
					src: c.Path.Local, dst: c.Path.Remote,
					esp: packet{spi: c.Outbound.SPI, key: string(c.Outbound.EncrKey), fresh: c.Policy == c.ID},
				})
				break
			}
		}
	}
}

// receiveESP is what a data plane does with an ESP packet.
func (h *Host) receiveESP(p packet, path sa.Path) {
	d := &h.data
	c := d.inbound[p.spi]
	if c == nil || string(c.Inbound.EncrKey) != p.key {
		h.w.logf("%s: ESP with unknown SPI %08x", h.name, p.spi)
		if !p.fresh || d.ever[p.spi] {
			h.w.check.lostESP(h, p.spi)
		}
		return
	}
	d.received[c.Config.Name]++
	h.w.check.stats.ESP++
	first := d.lastIn[c.ID].IsZero()
	d.lastIn[c.ID] = h.w.now
	n := h.owner(c.ID)
	if n == nil {
		h.w.fail("%s: child %d is installed and belongs to no machine", h.name, c.ID)
		return
	}
	if first {
		n.m.InboundActive(h.w.now, c.ID)
	}
	if c.Path.UDP && path.Remote != c.Path.Remote {
		n.m.PeerMoved(h.w.now, c.ID, path.Remote)
	}
	h.drain(n)
}
