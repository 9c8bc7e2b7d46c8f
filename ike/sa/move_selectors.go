package sa

import (
	"net/netip"
	"slices"

	"esplanade/ike/policy"
	"esplanade/ike/selector"
)

// gateways are the addresses of the two gateways that the selectors of a child were resolved with.
type gateways struct{ local, remote netip.Addr }

func gatewaysOf(p Path) gateways { return gateways{p.Local.Addr(), p.Remote.Addr()} }

// settleSelectors notes what both sides have agreed on for a new child, and has the selectors where the gateways are now: an exchange
// that began before a move still names the addresses from before it.
func (m *Machine) settleSelectors(c *Child) {
	c.agreed, c.gateways = c.TS, gatewaysOf(m.path)
	if old := c.predecessor; old != nil {
		c.gateways.local = gatewayIn(c.TS.Local, m.path.Local.Addr(), old.gateways.local, old.agreedGateways.local)
		c.gateways.remote = gatewayIn(c.TS.Remote, m.path.Remote.Addr(), old.gateways.remote, old.agreedGateways.remote)
	}
	c.agreedGateways = c.gateways
	m.moveSelectors(c, func() bool { return m.reached(m.path.Remote.Addr()) })
}

// gatewayIn finds the address of the gateway that selectors name: the first of those that are in question.
func gatewayIn(list []selector.Selector, addrs ...netip.Addr) netip.Addr {
	for _, a := range addrs {
		if slices.ContainsFunc(list, func(s selector.Selector) bool { return isHost(s, a) }) {
			return a
		}
	}
	return addrs[0]
}

func isHost(s selector.Selector, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return s.Start == a && s.End == a
}

// moveSelectors has the selectors of a child that stand for the gateways themselves follow them. It reports whether they are others
// now. The peer does the same when it learns of the move, as strongSwan does, so that nothing is negotiated: "[t]his has to be
// taken into account if the (outer) IP address of the peer was used when deciding what kind of IPsec SAs the peer is allowed to
// create". https://www.rfc-editor.org/rfc/rfc4555#section-5.2
//
// A selector moves only within what is configured, and only to an address of the peer at which it has been found: a claim must not
// bring it the traffic of somebody else. That is what reached reports of the address where the peer is.
func (m *Machine) moveSelectors(c *Child, reached func() bool) bool {
	now, allowed := gatewaysOf(m.path), m.tsOf(c.Config)
	before := c.TS
	if to, ok := moved(c.TS.Local, c.gateways.local, now.local, allowed.Local); ok {
		c.TS.Local, c.gateways.local = to, now.local
	}
	if now.remote != c.gateways.remote && reached() {
		if to, ok := moved(c.TS.Remote, c.gateways.remote, now.remote, allowed.Remote); ok {
			c.TS.Remote, c.gateways.remote = to, now.remote
		}
	}
	return !slices.Equal(before.Local, c.TS.Local) || !slices.Equal(before.Remote, c.TS.Remote)
}

// reached reports whether the peer has shown that it gets packets at an address, and nobody else is known to be there.
func (m *Machine) reached(a netip.Addr) bool {
	return m.mob.on && (m.isVerified(a) || m.cfg.RouteCheck == policy.RouteCheckNever) && (m.env.Foreign == nil || !m.env.Foreign(m, a))
}

// moved gives selectors with one address in the place of another, and false when that is not allowed.
func moved(list []selector.Selector, from, to netip.Addr, allowed []selector.Selector) ([]selector.Selector, bool) {
	if from == to {
		return list, true
	}
	out := slices.Clone(list)
	for i, s := range out {
		if !isHost(s, from) {
			continue
		}
		s.Start, s.End = to.Unmap().WithZone(""), to.Unmap().WithZone("")
		if !selector.Covered([]selector.Selector{s}, allowed) {
			return list, false
		}
		out[i] = s
	}
	return selector.Simplify(out), true
}
