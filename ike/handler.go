package ike

import (
	"net/netip"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/news"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// The methods below make the daemon the handler of a data plane. They are called from packet loops: they copy what they
// keep and return at once. What will come again, or matters to nobody when it is late, goes to the inbox, which drops when
// it is full: datagrams, ICMP errors, unknown SPIs. What the data plane says of CHILD SAs and policies goes to a box that
// loses nothing.

// HandleIKE takes an IKE datagram, without the non-ESP marker.
func (d *Daemon) HandleIKE(local, remote netip.AddrPort, datagram []byte) {
	if len(datagram) > maxIKEDatagram {
		d.loop.dropped.Add(1)
		return
	}
	if !unsolicited(datagram) {
		d.loop.offer(d.loop.inbox, input{datagram: copyDatagram(local, remote, datagram)})
		return
	}
	if len(d.loop.strangers) == cap(d.loop.strangers) {
		d.loop.overload.Add(1) // not worth a copy
		return
	}
	if g := borrowDatagram(local, remote, datagram); !d.loop.offer(d.loop.strangers, input{datagram: g}) {
		g.release()
	}
}

// unsolicited reports whether a datagram belongs to no IKE SA by its own account: it is too short to, it is of another
// version, or it asks for a new one. It looks at the header of https://www.rfc-editor.org/rfc/rfc7296#section-3.1 only.
func unsolicited(b []byte) bool {
	if len(b) < wire.HeaderLen || b[17]>>4 != 2 {
		return true
	}
	for _, x := range b[8:16] { // the responder's SPI
		if x != 0 {
			return false
		}
	}
	return sa.Opens(wire.ExchangeType(b[18])) && wire.Flags(b[19])&wire.FlagResponse == 0
}

// HandleUnreachable takes an ICMP error about something sent to remote.
func (d *Daemon) HandleUnreachable(local, remote netip.AddrPort, errno error) {
	d.offer(func(g *gateway.Manager, now time.Time) { g.Unreachable(now, local, remote, errno) })
}

// Acquire reports that a packet waits for a trap's tunnel.
func (d *Daemon) Acquire(policy uint64, p selector.Packet) { d.loop.news.Acquire(policy, p) }

// InboundActive reports that a CHILD SA has received its first packet.
func (d *Daemon) InboundActive(child uint64) { d.loop.news.Active(child) }

// PeerMoved reports that packets of a CHILD SA come from another address.
func (d *Daemon) PeerMoved(child uint64, from netip.AddrPort) { d.loop.news.Moved(child, from) }

// Exhausting reports that a CHILD SA has reached its soft limit.
func (d *Daemon) Exhausting(child uint64) { d.loop.news.Exhausting(child) }

// UnknownSPI tells that ESP came from somewhere with an SPI that nobody has.
func (d *Daemon) UnknownSPI(_, remote netip.AddrPort, spi uint32) {
	d.offer(func(g *gateway.Manager, now time.Time) { g.UnknownSPI(now, remote, spi) })
}

// takeNews handles a batch of what the data plane has said of CHILD SAs and policies.
func (d *Daemon) takeNews() {
	for _, n := range d.loop.news.Take(nil, batch) {
		d.hear(time.Now(), n)
	}
}

// hear handles one item of news.
func (d *Daemon) hear(now time.Time, n news.Item) {
	if n.Policy != 0 {
		d.gateway.Acquire(now, n.Policy, n.Packet)
	}
	if n.Active {
		d.gateway.InboundActive(now, n.Child)
	}
	if n.Moved.IsValid() {
		d.gateway.PeerMoved(now, n.Child, n.Moved)
	}
	if n.Exhausting {
		d.gateway.Exhausting(now, n.Child)
	}
}

// offer has f run on the event loop, unless the inbox is full.
func (d *Daemon) offer(f func(g *gateway.Manager, now time.Time)) {
	d.loop.offer(d.loop.inbox, input{run: f})
}
