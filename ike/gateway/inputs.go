package gateway

import (
	"net/netip"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// Unreachable takes an ICMP error about something sent to remote.
func (g *Manager) Unreachable(now time.Time, local, remote netip.AddrPort, errno error) {
	g.begin()
	for _, e := range g.table.at(remote.Addr()) {
		e.m.Unreachable(now, sa.Path{Local: local, Remote: remote}, errno)
		g.drain(now, e)
	}
}

// Acquire tells that a packet waits for a trap's tunnel.
func (g *Manager) Acquire(now time.Time, policy uint64, p selector.Packet) {
	g.begin()
	g.acquire(now, policy, p)
}

// InboundActive tells that a CHILD SA has received its first packet.
func (g *Manager) InboundActive(now time.Time, child uint64) {
	g.forChild(now, child, func(m *sa.Machine) { m.InboundActive(now, child) })
}

// PeerMoved tells that packets of a CHILD SA come from another address.
func (g *Manager) PeerMoved(now time.Time, child uint64, from netip.AddrPort) {
	g.forChild(now, child, func(m *sa.Machine) { m.PeerMoved(now, child, from) })
}

// Exhausting tells that a CHILD SA has reached its soft limit.
func (g *Manager) Exhausting(now time.Time, child uint64) {
	g.forChild(now, child, func(m *sa.Machine) { m.Exhausting(now, child) })
}

// forChild has f run with the machine that has the child, if it is still there.
func (g *Manager) forChild(now time.Time, child uint64, f func(m *sa.Machine)) {
	g.begin()
	if i := g.installed[child]; i != nil {
		f(i.owner.m)
		g.drain(now, i.owner)
	}
}

// UnknownSPI tells that ESP came from somewhere with an SPI that nobody has. It is told to the peer that is there, "the IP address (and
// port, if NAT traversal is used)": https://www.rfc-editor.org/rfc/rfc7296#section-2.21.4
func (g *Manager) UnknownSPI(now time.Time, remote netip.AddrPort, spi uint32) {
	g.begin()
	var found *entry
	for _, e := range g.table.at(remote.Addr()) {
		// Raw ESP has no port. Behind one address there may be many peers, each with a port of its own.
		if e.alive() && (remote.Port() == 0 || e.m.Path().Remote.Port() == remote.Port()) {
			found = e // the newest
		}
	}
	if found != nil {
		found.m.UnknownSPI(now, spi)
		g.drain(now, found)
	}
}
