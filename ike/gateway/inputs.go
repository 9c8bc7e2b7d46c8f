package gateway

import (
	"net/netip"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// Unreachable takes an ICMP error about something sent to remote.
func (d *Manager) Unreachable(now time.Time, local, remote netip.AddrPort, errno error) {
	d.begin()
	for _, e := range d.table.at(remote.Addr()) {
		e.m.Unreachable(now, sa.Path{Local: local, Remote: remote}, errno)
		d.drain(now, e)
	}
}

// Acquire tells that a packet waits for a trap's tunnel.
func (d *Manager) Acquire(now time.Time, policy uint64, p selector.Packet) {
	d.begin()
	d.acquire(now, policy, p)
}

// InboundActive tells that a CHILD SA has received its first packet.
func (d *Manager) InboundActive(now time.Time, child uint64) {
	d.forChild(now, child, func(m *sa.Machine) { m.InboundActive(now, child) })
}

// PeerMoved tells that packets of a CHILD SA come from another address.
func (d *Manager) PeerMoved(now time.Time, child uint64, from netip.AddrPort) {
	d.forChild(now, child, func(m *sa.Machine) { m.PeerMoved(now, child, from) })
}

// Exhausting tells that a CHILD SA has reached its soft limit.
func (d *Manager) Exhausting(now time.Time, child uint64) {
	d.forChild(now, child, func(m *sa.Machine) { m.Exhausting(now, child) })
}

// forChild has f run with the machine that has the child, if it is still there.
func (d *Manager) forChild(now time.Time, child uint64, f func(m *sa.Machine)) {
	d.begin()
	if i := d.installed[child]; i != nil {
		f(i.owner.m)
		d.drain(now, i.owner)
	}
}

// UnknownSPI tells that ESP came from somewhere with an SPI that nobody has. It is told to the peer that is there, "the IP address (and
// port, if NAT traversal is used)": https://www.rfc-editor.org/rfc/rfc7296#section-2.21.4
func (d *Manager) UnknownSPI(now time.Time, remote netip.AddrPort, spi uint32) {
	d.begin()
	var found *entry
	for _, e := range d.table.at(remote.Addr()) {
		// Raw ESP has no port. Behind one address there may be many peers, each with a port of its own.
		if e.alive() && (remote.Port() == 0 || e.m.Path().Remote.Port() == remote.Port()) {
			found = e // the newest
		}
	}
	if found != nil {
		found.m.UnknownSPI(now, spi)
		d.drain(now, found)
	}
}
