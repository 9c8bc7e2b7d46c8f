package ike

import (
	"net/netip"
	"time"

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
		d.loop.offer(d.loop.inbox, message{datagram: copyDatagram(local, remote, datagram)})
		return
	}
	if len(d.loop.strangers) == cap(d.loop.strangers) {
		d.loop.overload.Add(1) // not worth a copy
		return
	}
	if g := borrowDatagram(local, remote, datagram); !d.loop.offer(d.loop.strangers, message{datagram: g}) {
		g.release()
	}
}

// unsolicited tells whether a datagram belongs to no IKE SA by its own account: it is too short to, it is of another
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
	d.loop.offer(d.loop.inbox, message{run: func(d *Daemon, now time.Time) {
		for _, e := range d.table.at(remote.Addr()) {
			e.m.Unreachable(now, sa.Path{Local: local, Remote: remote}, errno)
			d.drain(now, e)
		}
	}})
}

// Acquire reports that a packet waits for a trap's tunnel.
func (d *Daemon) Acquire(policy uint64, p selector.Packet) { d.loop.news.Acquire(policy, p) }

// InboundActive reports that a CHILD SA has received its first packet.
func (d *Daemon) InboundActive(child uint64) { d.loop.news.Active(child) }

// PeerMoved reports that packets of a CHILD SA come from another address.
func (d *Daemon) PeerMoved(child uint64, from netip.AddrPort) { d.loop.news.Moved(child, from) }

// Exhausting reports that a CHILD SA has reached its soft limit.
func (d *Daemon) Exhausting(child uint64) { d.loop.news.Exhausting(child) }

// UnknownSPI tells that ESP came from somewhere with an SPI that nobody has. It is told to the peer that is there, "the IP address (and
// port, if NAT traversal is used)": https://www.rfc-editor.org/rfc/rfc7296#section-2.21.4
func (d *Daemon) UnknownSPI(local, remote netip.AddrPort, spi uint32) {
	d.loop.offer(d.loop.inbox, message{run: func(d *Daemon, now time.Time) { d.waywardESP(now, remote, spi) }})
}

func (d *Daemon) waywardESP(now time.Time, remote netip.AddrPort, spi uint32) {
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

// takeNews handles a batch of what the data plane has said of CHILD SAs and policies.
func (d *Daemon) takeNews() {
	for _, n := range d.loop.news.Take(nil, batch) {
		d.handle(message{run: func(d *Daemon, now time.Time) { d.hear(now, n) }})
	}
}

// hear handles one item of news. A CHILD SA may have gone meanwhile.
func (d *Daemon) hear(now time.Time, n news.Item) {
	if n.Policy != 0 {
		d.acquire(now, n.Policy, n.Packet)
	}
	i := d.installed[n.Child]
	if i == nil {
		return
	}
	m := i.owner.m
	if n.Active {
		m.InboundActive(now, n.Child)
	}
	if n.Moved.IsValid() {
		m.PeerMoved(now, n.Child, n.Moved)
	}
	if n.Exhausting {
		m.Exhausting(now, n.Child)
	}
	d.drain(now, i.owner)
}
