package sa

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/esp"
	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// AddressesChanged tells that addresses or routes of this host may have changed. It may be called when nothing has.
func (m *Machine) AddressesChanged(now time.Time) {
	switch {
	case m.state == StateClosed || m.env.HasAddr == nil:
		return
	case m.state == StateConnecting:
		if m.initiator && !m.mine(m.path.Local.Addr()) {
			m.addressGone(now)
		}
	case m.mob.on && m.mob.initiator:
		m.reselect(now)
	case m.mob.on:
		m.keepReachable(now)
	case !m.mine(m.path.Local.Addr()):
		m.addressGone(now)
	}
	m.pump(now)
}

// mine reports whether this host has an address.
func (m *Machine) mine(a netip.Addr) bool { return m.env.HasAddr != nil && m.env.HasAddr(a) }

// addressGone ends an IKE SA that cannot move: without MOBIKE only what a NAT does is followed, and by the other side.
// There is no address that a DELETE could be sent from so that the peer would expect it.
func (m *Machine) addressGone(now time.Time) {
	f := diag.AddressGone(m.where(wire.ExchangeInformational), m.path.Local.Addr())
	m.window.response = nil
	m.close(now, "the local address "+m.path.Local.Addr().String()+" is gone", f)
}

// reselect is the initiator's decision about the addresses: "the initiator of the IKE_SA … is responsible for deciding".
// It stays where it is while its address exists and the routes say what they said.
func (m *Machine) reselect(now time.Time) {
	src, ok := m.sourceFor(m.path.Remote.Addr())
	here := m.mine(m.path.Local.Addr())
	if here && (!ok || src == m.mob.source) {
		m.announce(now, false)
		return
	}
	why := "the route to the peer has changed"
	if !here {
		why = "the local address " + m.path.Local.Addr().String() + " is gone"
	}
	m.mob.refused = nil
	for _, remote := range m.remotes() {
		if src, ok := m.sourceFor(remote); ok {
			m.move(now, m.pathTo(src, remote), why)
			break
		}
	}
	m.announce(now, false)
}

// keepReachable is what a responder does when its own address goes: "If the source address that the responder is
// currently using becomes unavailable …, the responder is allowed to update the IPsec SAs to use some other address (in
// addition to initiating the procedure described in the next section)", which tells the initiator, who decides.
// https://www.rfc-editor.org/rfc/rfc4555#section-3.5
func (m *Machine) keepReachable(now time.Time) {
	if m.mine(m.path.Local.Addr()) {
		m.announce(now, false)
		return
	}
	for _, remote := range m.remotes() {
		if src, ok := m.sourceFor(remote); ok {
			m.repath(now, m.pathTo(src, remote), "the local address "+m.path.Local.Addr().String()+" is gone")
			m.mob.displaced = true
			m.moveChildren()
			m.announce(now, true)
			return
		}
	}
}

// remotes are the addresses at which the peer may be, the present one first. Those that a tunnel leads to are none: a gateway that
// announces the addresses of its own networks as well would be tried through the very tunnel that has failed.
func (m *Machine) remotes() []netip.Addr {
	out := []netip.Addr{m.path.Remote.Addr()}
	for _, a := range slices.Concat(m.mob.peer, m.mob.verified) {
		if !slices.Contains(out, a) && !m.tunnelled(a) {
			out = append(out, a)
		}
	}
	return out
}

func (m *Machine) tunnelled(remote netip.Addr) bool {
	return m.env.Tunnelled != nil && m.env.Tunnelled(m.cfg, remote)
}

// PeerProven reports whether the peer has answered at the address where it is said to be, or that this side has chosen. Until then
// the address is a claim: the peer's own CHILD SAs wait for the answer, and nothing that others depend on may change for it.
func (m *Machine) PeerProven() bool {
	return !m.mob.on || m.mob.initiator || m.cfg.RouteCheck == policy.RouteCheckNever || m.isVerified(m.path.Remote.Addr())
}

// sourceFor is the address of this host that packets to a peer's address leave from, if there is one.
func (m *Machine) sourceFor(remote netip.Addr) (netip.Addr, bool) {
	if m.env.SourceFor == nil {
		return netip.Addr{}, false
	}
	a, ok := m.env.SourceFor(m.cfg, remote)
	return a, ok && a.Is4() == remote.Is4() && m.mine(a)
}

// pathTo is the path between two addresses with the ports that this IKE SA uses. At an address that is not the present
// one, the peer listens at its configured port.
func (m *Machine) pathTo(local, remote netip.Addr) Path {
	port := m.path.Remote.Port()
	if remote != m.path.Remote.Addr() && m.path.Local.Port() == m.cfg.LocalNATPort {
		port = m.cfg.RemoteNATPort
	}
	return Path{Local: netip.AddrPortFrom(local, m.path.Local.Port()), Remote: netip.AddrPortFrom(remote, port)}
}

// move makes the initiator use a path: it "[u]pdates the IKE_SA with the new addresses", updates "the IPsec SAs … (unless
// the initiator's policy requires a return routability check before updating the IPsec SAs, and the check has not
// been done for this responder address yet)", and tells the peer. The SAs and their keys stay what they are.
// https://www.rfc-editor.org/rfc/rfc4555#section-3.5
func (m *Machine) move(now time.Time, path Path, why string) {
	m.mob.source = path.Local.Addr()
	if path == m.path {
		return
	}
	from, before := m.path, m.espPath()
	m.repath(now, path, why)
	if m.state == StateDeleting {
		return // what is left to say needs no update
	}
	if m.isVerified(path.Remote.Addr()) || m.cfg.RouteCheck != policy.RouteCheckBefore {
		m.moveChildren()
	} else {
		m.mob.held = before
	}
	m.update(now, from)
}

// repath makes a path that of the IKE SA. A request in flight goes on there at once, octet by octet the same: outstanding
// requests are retransmitted "using the addresses in the IKE_SA (the new addresses)".
// https://www.rfc-editor.org/rfc/rfc4555#section-3.5
func (m *Machine) repath(now time.Time, path Path, why string) {
	if path == m.path {
		return
	}
	m.emit(Moved{From: m.path, To: path, Reason: why})
	m.path, m.mob.esp, m.mob.espSeen, m.mob.seen = path, netip.AddrPort{}, netip.AddrPort{}, Path{}
	p := m.pending
	if p == nil || p.parked.waits() {
		return
	}
	p.strays()
	p.path, p.tries, p.refragmented = path, 0, 0
	p.again++
	p.next = now.Add(m.cfg.Retransmit.interval(0, m.env.Jitter()))
	m.transmit(now, p)
}

// moveChildren makes all CHILD SAs use the path of the IKE SA, and its encapsulation. Selectors that stand for a gateway follow.
func (m *Machine) moveChildren() {
	m.mob.held = esp.Path{}
	// The owner looks for that address among all IKE SAs: once, however many children there are.
	asked, there := false, false
	reached := func() bool {
		if !asked {
			asked, there = true, m.reached(m.path.Remote.Addr())
		}
		return there
	}
	for _, c := range m.children {
		if c.State != ChildDeleted && m.moveSelectors(c, reached) {
			m.emit(UpdateSelectors{Child: c})
		}
		if p := m.espPath(); c.State != ChildDeleted && c.Path != p {
			c.Path = p
			m.emit(UpdatePath{Child: c})
		}
	}
}
