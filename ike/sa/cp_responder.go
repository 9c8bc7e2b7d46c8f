package sa

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// What a responder gives to a peer that asks for a configuration (RFC 7296 sections 2.19 and 3.15): the request is in the first message of
// IKE_AUTH and the answer in the last one. "The responder MUST NOT send a CFG_REPLY without having first received a CP(CFG_REQUEST) from the
// initiator" (section 2.19), and a connection without pools ignores the request: it "can simply ignore all Configuration payloads"
// (section 3.15.4). So does this side in every later exchange: an IKE SA has the addresses that it has got first.

// maxAskedAttributes is how many attributes of a request are looked at. Clients ask for a dozen.
const maxAskedAttributes = 64

// asking is what a CFG_REQUEST asks for.
type asking struct {
	addrs []netip.Addr // 0.0.0.0 or :: for any
	// attributes are the types that are in it.
	attributes []wire.CfgAttrType
}

func (a asking) has(t wire.CfgAttrType) bool { return slices.Contains(a.attributes, t) }

// configRequest finds what a request asks for; ok is false if that is no address: "CP(CFG_REQUEST) MUST contain at least an INTERNAL_ADDRESS
// attribute (either IPv4 or IPv6)". https://www.rfc-editor.org/rfc/rfc7296#section-2.19
func configRequest(payloads []wire.Payload) (a asking, ok bool) {
	for _, p := range payloads {
		cp, is := p.(*wire.CP)
		if !is || cp.CfgType != wire.CfgRequest {
			continue
		}
		for _, x := range cp.Attributes[:min(len(cp.Attributes), maxAskedAttributes)] {
			a.attributes = append(a.attributes, x.Type)
			if addr, ok := askedAddress(x); ok {
				a.addrs = append(a.addrs, addr)
			}
		}
		return a, len(a.addrs) > 0
	}
	return a, false
}

// askedAddress reads an attribute that asks for an address. One that can't be read asks for any: "it is taken as a suggestion".
// https://www.rfc-editor.org/rfc/rfc7296#section-3.15.1
func askedAddress(x wire.CfgAttr) (netip.Addr, bool) {
	switch x.Type {
	case wire.CfgInternalIP4Address:
		if len(x.Value) == 4 {
			return netip.AddrFrom4([4]byte(x.Value)), true
		}
		return netip.IPv4Unspecified(), true
	case wire.CfgInternalIP6Address:
		if len(x.Value) == 16 || len(x.Value) == 17 { // some leave the prefix length out
			if a := netip.AddrFrom16([16]byte(x.Value[:16])); !a.Is4In6() {
				return a, true
			}
		}
		return netip.IPv6Unspecified(), true
	}
	return netip.Addr{}, false
}

// lease asks for the addresses that the peer has asked for. Nothing is sent before they are there.
func (m *Machine) lease(now time.Time) {
	f := m.flow
	asked, ok := configRequest(f.first.payloads)
	u := f.t.User
	own := u != nil && len(u.Addresses)+len(u.Pools) > 0
	if !ok || !m.cfg.Pools && !own || m.redirect.away {
		return
	}
	want := Lease{
		Connection: m.cfg.Name, User: u, Asked: asked.addrs, Remote: f.first.path.Remote,
		Contact: notify(f.first.payloads, wire.NotifyInitialContact) != nil, Resumes: m.resume.active,
	}
	// What the proofs have asked for comes first among the results.
	a := m.asks
	for i, r := range a.results {
		if i >= a.next && r.want.same(want) {
			a.next = i
			break
		}
	}
	r, ok := m.ask(now, want)
	if !ok {
		return
	}
	switch r := r.(type) {
	case Leased:
		f.leased, m.virtual.peer = &r, r.Addresses
	case Unfulfilled:
		f.unleased = r.Err
	default:
		panic("BUG: the result of another request")
	}
}

// given is what the peer gets of what it has asked for.
type given struct {
	leased *Leased
	err    error
}

func (f *authFlow) given() given { return given{f.leased, f.unleased} }

// configAnswer is CP(CFG_REPLY).
func (g given) configAnswer(m *Machine, r *request) []wire.Payload {
	if g.leased == nil {
		return nil
	}
	asked, _ := configRequest(r.payloads)
	return []wire.Payload{&wire.CP{CfgType: wire.CfgReply, Attributes: configAttributes(*g.leased, asked)}}
}

// withoutAddress is why a peer without an address gets no CHILD SA. One that needs none, since its selectors are configured, does.
func (m *Machine) withoutAddress(g given, r *request) *refusedAuth {
	tsi, tsr := findTS(r.payloads, false), findTS(r.payloads, true)
	if !m.cfg.Pools || len(m.virtual.peer) > 0 || tsi == nil || tsr == nil {
		return nil
	}
	if len(m.fits(m.cfg.Children, selector.Pair{Local: fromWireTS(tsr), Remote: fromWireTS(tsi)})) > 0 {
		return nil
	}
	w := m.where(wire.ExchangeIKEAuth).At(m.cfg.PoolsLine)
	if g.err != nil {
		// "If this error is generated within an IKE_AUTH exchange, no Child SA will be created", and the IKE SA is, section 3.15.4.
		return &refusedAuth{notify: wire.NotifyInternalAddressFailure, failure: leaseFailure(w.Answering(wire.NotifyInternalAddressFailure), g.err)}
	}
	// "[The responder] MUST fail the request, and terminate the Child SA creation with a FAILED_CP_REQUIRED error. The FAILED_CP_REQUIRED is
	// not fatal to the IKE SA", section 2.19.
	return &refusedAuth{notify: wire.NotifyFailedCPRequired, failure: diag.AddressNotAsked(w.Answering(wire.NotifyFailedCPRequired))}
}
