package sa

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// An initiator with vips is the client of a gateway: it asks for addresses in the first request of IKE_AUTH and is given them in the last
// answer. "CP payloads allow the IRAC to request an IP address … This request is … carried in the IKE_AUTH exchange that creates the first
// CHILD SA." https://www.rfc-editor.org/rfc/rfc7296#section-2.19

// requestConfig is the CFG_REQUEST of the first request: an address of each family that is wanted, and what goes with them.
func (m *Machine) requestConfig() []wire.Payload {
	m.client = client{asked: m.wantedVIPs()}
	if len(m.client.asked) == 0 {
		return nil
	}
	cp := &wire.CP{CfgType: wire.CfgRequest}
	add := func(t wire.CfgAttrType, value []byte) {
		cp.Attributes = append(cp.Attributes, wire.CfgAttr{Type: t, Value: value})
	}
	var four, six bool
	for _, a := range m.client.asked {
		var value []byte // empty: any
		if !a.IsUnspecified() {
			value = a.AsSlice()
		}
		if a.Is4() {
			four = true
			add(wire.CfgInternalIP4Address, value)
			continue
		}
		six = true
		if value != nil {
			value = append(value, 128)
		}
		add(wire.CfgInternalIP6Address, value)
	}
	if four {
		add(wire.CfgInternalIP4DNS, nil)
		add(wire.CfgInternalIP4Subnet, nil)
	}
	if six {
		add(wire.CfgInternalIP6DNS, nil)
		add(wire.CfgInternalIP6Subnet, nil)
	}
	// "If an INTERNAL_DNS_DOMAIN attribute is included in the CFG_REQUEST, the initiator MUST also include one or more INTERNAL_IP4_DNS or
	// INTERNAL_IP6_DNS attributes". https://www.rfc-editor.org/rfc/rfc8598#section-3.1
	add(wire.CfgInternalDNSDomain, nil)
	return []wire.Payload{cp}
}

// wantedVIPs are the addresses to ask for: those that the connection has by now, or has had, or the configured ones.
func (m *Machine) wantedVIPs() []netip.Addr {
	if len(m.cfg.VIPs) > 0 && m.env.VIPs != nil {
		return m.env.VIPs(m.cfg)
	}
	return m.cfg.VIPs
}

// takeConfig takes the CFG_REPLY of the last answer. When this side has no address after it, the IKE SA is of no use, and ends: everything
// that it could carry would leave with the wrong address. It reports whether the IKE SA goes on.
func (m *Machine) takeConfig(r *response, t *authTask) bool {
	if len(m.client.asked) == 0 {
		return true // "an unsolicited CFG_REPLY": nobody has asked, so that nothing is taken
	}
	given, f := m.readReply(r)
	if f == nil {
		m.client.given, m.virtual.own = given, given.Addresses
		m.emit(Assigned{Assignment: given})
		return true
	}
	m.failChildren(r.now, t, f)
	m.Delete(r.now, "no address was assigned")
	return false
}

// readReply finds the assignment, or why there is none.
func (m *Machine) readReply(r *response) (*Assignment, *diag.Failure) {
	w := m.where(wire.ExchangeIKEAuth).At(m.cfg.VIPsLine)
	asked := addrTexts(m.client.asked)
	n := errorNotify(r.payloads)
	if n != nil && n.NotifyType == wire.NotifyInternalAddressFailure {
		return nil, diag.AddressRefused(w, n.NotifyType, asked)
	}
	var cp *wire.CP
	for _, p := range r.payloads {
		if c, ok := p.(*wire.CP); ok && c.CfgType == wire.CfgReply {
			cp = c
			break
		}
	}
	switch {
	case cp == nil && n != nil: // the reason why there is no CHILD SA is why there is no address
		return nil, diag.Refused(w, n.NotifyType, diag.Offer{Request: "an address and a CHILD SA"})
	case cp == nil:
		return nil, diag.NoAddress(w, asked, "an answer without CFG_REPLY")
	}
	read := reply{asked: m.client.asked, unusable: m.unusable}
	given, err := read.read(cp)
	var bad *addressError
	switch {
	case errors.As(err, &bad):
		return nil, diag.UnusableAddress(w, bad.addr.String(), bad.why)
	case err != nil:
		return nil, diag.Malformed(w, err)
	case len(given.Addresses) == 0:
		return nil, diag.NoAddress(w, asked, "a CFG_REPLY without an address")
	}
	return given, nil
}

// unusable says why an address can't be the one that a gateway gives this side; "" if it can.
func (m *Machine) unusable(a netip.Addr) string {
	plain := func(x netip.Addr) netip.Addr { return x.Unmap().WithZone("") }
	switch {
	case nonsense(a) != "":
		return nonsense(a)
	case a == plain(m.path.Remote.Addr()):
		return "is the gateway's own, at which it is reached"
	case a == plain(m.path.Local.Addr()):
		return "is this host's own, from which the gateway is reached"
	case m.env.OwnAddr != nil && m.env.OwnAddr(a):
		return "is one that this host has already"
	}
	return ""
}

// failChildren reports why none of the children comes up that this side has asked for.
func (m *Machine) failChildren(now time.Time, t *authTask, f *diag.Failure) {
	var list []*ChildConfig
	if t.child != nil {
		list = append(list, t.child.cfg)
	}
	queued(m, func(c *createChildTask) bool {
		list = append(list, c.cfg)
		return false
	})
	t.abandoned(m, now)
	if len(list) == 0 {
		m.emit(Failed{Failure: f})
	}
	for _, c := range list {
		own := *f
		own.Child = c.Name
		m.emit(Failed{Failure: &own, Child: c})
	}
}

// offeredTS is what this side asks for: before it has an address, all of the families for which it wants one, of which the gateway takes what
// it gives. https://www.rfc-editor.org/rfc/rfc7296#section-2.19 does the same.
func (m *Machine) offeredTS(c *ChildConfig, trigger *selector.Packet) selector.Pair {
	if !m.client.waits() {
		return specific(m.tsOf(c), trigger)
	}
	ts := c.Resolve(m.path, nil, m.virtual.peer)
	ts.Local = AnyOf(c.LocalTS, m.client.asked)
	return ts
}

// AnyOf are selectors with every address of the families of vips in the place of a dynamic one. An empty list stands for one.
func AnyOf(list []selector.Selector, vips []netip.Addr) (out []selector.Selector) {
	if len(list) == 0 {
		list = []selector.Selector{{EndPort: selector.AnyEndPort}}
	}
	for _, s := range list {
		if !s.Dynamic() {
			out = append(out, s)
			continue
		}
		for _, a := range vips {
			every := selector.FromPrefix(netip.PrefixFrom(a, 0))
			s.Start, s.End = every.Start, every.End
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// ownPart is what of agreed selectors this side makes use of: a gateway may leave TSi as wide as it was offered, and this side sends from the
// addresses that it was given, and no others. What was agreed on stays so for the rekeyings to come, in which nothing may be left out. old
// is the child to be replaced, or nil.
func (m *Machine) ownPart(c *ChildConfig, old *Child, ts selector.Pair) selector.Pair {
	if m.client.given == nil {
		return ts
	}
	ours := m.tsOf(c)
	if old != nil {
		ours.Local, ours.Remote = slices.Concat(ours.Local, old.TS.Local), slices.Concat(ours.Remote, old.TS.Remote)
	}
	return selector.Pair{Local: selector.Narrow(ours.Local, ts.Local), Remote: selector.Narrow(ours.Remote, ts.Remote)}
}

// agreeOn notes what both sides have agreed on, where TS is a part of it.
func (c *Child) agreeOn(ts selector.Pair) {
	if !c.TS.Equal(ts) {
		c.wide = ts
	}
}

// Include is the part of remote selectors that a gateway has said is behind it. It is all of them where the connection does not heed that,
// and where the gateway has said nothing that fits.
func (c *Config) Include(given *Assignment, remote []selector.Selector) []selector.Selector {
	if !c.SplitInclude || given == nil {
		return remote
	}
	var nets []selector.Selector
	for _, p := range given.Subnets {
		nets = append(nets, selector.FromPrefix(p))
	}
	if part := selector.Narrow(remote, nets); len(part) > 0 {
		return part
	}
	return remote
}

// addrTexts are addresses as they are configured.
func addrTexts(list []netip.Addr) string {
	var out []string
	for _, a := range list {
		out = append(out, a.String())
	}
	return strings.Join(out, ", ")
}
