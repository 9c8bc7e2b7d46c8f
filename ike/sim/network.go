package sim

import (
	"net/netip"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// network carries datagrams between the hosts.
type network struct {
	w *World
	conditions
	// cut: nothing gets through.
	cut bool
	nat nat
	// flying counts IKE datagrams under way.
	flying int
}

// packet is an ESP packet: what matters of it here. It travels like a datagram.
type packet struct {
	spi uint32
	key string // of the encryption key, standing for what only that key opens
	// fresh: the SA replaces none. Its responder may send before the initiator has the answer.
	fresh bool
}

// datagram is something on the wire.
type datagram struct {
	src, dst netip.AddrPort
	ike      []byte // nil for ESP
	esp      packet
	forged   bool // made or changed by the attacker or by line noise
	taken    bool // its receiver has heeded it; set for what has arrived
}

// nat is an address translator in front of host a. A mapping is per address and port of the host; everybody may use it from
// outside.
type nat struct {
	w    *World
	on   bool
	out  map[netip.AddrPort]uint16 // the host's address and port -> port outside
	in   map[uint16]netip.AddrPort
	next uint16
}

// calmConditions are those of the end of a run.
var calmConditions = conditions{minDelay: 5 * time.Millisecond, maxDelay: 15 * time.Millisecond}

func (n *network) init(w *World) {
	n.w, n.conditions = w, w.plan.net
	n.nat = nat{w: w, on: w.plan.nat, out: map[netip.AddrPort]uint16{}, in: map[uint16]netip.AddrPort{}, next: 20000}
}

func (n *network) rebind() {
	n.w.logf("nat: all mappings are gone")
	n.nat.out, n.nat.in = map[netip.AddrPort]uint16{}, map[uint16]netip.AddrPort{}
}

// leave translates the source of what host a sends.
func (x *nat) leave(src netip.AddrPort) netip.AddrPort {
	if !x.on || !x.w.hosts[0].has(src.Addr()) {
		return src
	}
	p, ok := x.out[src]
	if !ok {
		x.next++
		p = x.next
		x.out[src], x.in[p] = p, src
	}
	return netip.AddrPortFrom(addrNAT, p)
}

// enter finds the host behind a destination; ok is false when nobody is there.
func (x *nat) enter(dst netip.AddrPort) (netip.AddrPort, bool) {
	if x.on && dst.Addr() == addrNAT {
		p, ok := x.in[dst.Port()]
		return p, ok && x.w.hosts[0].has(p.Addr())
	}
	h := x.w.at(dst.Addr())
	return dst, h != nil && (h != x.w.hosts[0] || !x.on)
}

// sendIKE takes a datagram of a host.
func (n *network) sendIKE(h *Host, path sa.Path, b []byte) {
	// What is in the clear outside of the exchanges that begin an IKE SA is what anybody could have said.
	d := datagram{src: path.Local, dst: path.Remote, ike: b, forged: n.w.check.sent(h, b)}
	n.w.attacker.overheard(d)
	n.carry(d)
}

// carry decides about the fate of a datagram.
func (n *network) carry(d datagram) {
	w := n.w
	if w.at(d.src.Addr()) == nil && d.src.Addr() != addrEvil {
		n.note(d, "not sent: the address is gone")
		return
	}
	d.src = n.nat.leave(d.src)
	if n.cut || w.chance(n.loss) {
		n.note(d, "lost")
		return
	}
	if d.ike != nil && n.mtu > 0 && len(d.ike) > n.mtu {
		n.note(d, "too big")
		w.check.stats.TooBig++
		return
	}
	// What is changed in IKE_SA_INIT shows only when AUTH does not verify, and then the attempt has failed.
	if d.ike != nil && w.chance(n.corrupt) && (!w.plan.gentle || !sa.Opens(wire.ExchangeType(d.ike[18]))) {
		d.ike, d.forged = w.attacker.mangle(d.ike), true
	}
	n.fly(d)
	if w.chance(n.duplicate) {
		n.fly(d)
	}
}

func (n *network) note(d datagram, what string) {
	if n.w.ladder != nil && d.ike != nil {
		n.w.logf("%s: %s", describe(d.ike), what)
	}
}

// fly lets a datagram arrive some time later.
func (n *network) fly(d datagram) {
	if d.ike != nil {
		n.flying++
	}
	n.w.after(n.w.between(n.minDelay, n.maxDelay), func() {
		if d.ike != nil {
			n.flying--
		}
		dst, ok := n.nat.enter(d.dst)
		if !ok || n.cut {
			n.note(d, "arrives nowhere")
			return
		}
		h := n.w.at(dst.Addr())
		if d.ike == nil {
			h.receiveESP(d.esp, sa.Path{Local: dst, Remote: d.src})
			return
		}
		if !d.forged {
			n.w.check.delivered(h, d.ike)
		}
		taken := h.receiveIKE(d.ike, sa.Path{Local: dst, Remote: d.src})
		if !d.forged {
			n.w.attacker.delivered(datagram{src: d.src, dst: d.dst, ike: d.ike, taken: taken})
		}
	})
}

// describe names an IKE message in a ladder.
func describe(b []byte) string {
	h, err := wire.ParseHeader(b)
	if err != nil {
		return "garbage"
	}
	s := h.Exchange.String()
	if h.Flags.Response() {
		s += " response "
	} else {
		s += " request "
	}
	s += "id " + itoa(int(h.MessageID)) + " " + h.SPIi.String()[:4] + ":" + h.SPIr.String()[:4]
	if m, err := wire.Parse(b); err == nil && m.Encrypted != nil && m.Encrypted.Fragment {
		s += " fragment " + itoa(int(m.Encrypted.Number)) + "/" + itoa(int(m.Encrypted.Total))
	}
	return s + " " + itoa(len(b)) + " octets"
}
