package sa

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"esplanade/ike/wire"
)

// maxReplyAttributes and maxReplyOctets bound a CFG_REPLY: what is behind is left out. A user may have been given long lists.
const (
	maxReplyAttributes = 256
	maxReplyOctets     = 16 << 10
)

// configAttributes are the attributes of a CFG_REPLY. What every client knows comes also to those that have not asked for it: "the IRAS MAY also
// send other attributes that were not included in CP(CFG_REQUEST)" (https://www.rfc-editor.org/rfc/rfc7296#section-2.19). What is of one vendor, and
// INTERNAL_DNS_DOMAIN, does not (https://www.rfc-editor.org/rfc/rfc8598#section-3.2).
func configAttributes(l Leased, asked asking) (out []wire.CfgAttr) {
	size := 0
	add := func(t wire.CfgAttrType, value []byte) {
		if len(out) < maxReplyAttributes && size+len(value) <= maxReplyOctets {
			out, size = append(out, wire.CfgAttr{Type: t, Value: value}), size+4+len(value)
		}
	}
	both := func(list []netip.Addr, four, six wire.CfgAttrType, always bool) {
		for _, a := range list {
			t := six
			if a.Is4() {
				t = four
			}
			if always || asked.has(t) {
				add(t, a.AsSlice())
			}
		}
	}
	x := l.Attributes
	masked := false
	for _, a := range l.Addresses {
		if a.Is6() {
			n := 128
			if x.PrefixLen > 0 {
				n = x.PrefixLen
			}
			add(wire.CfgInternalIP6Address, append(a.AsSlice(), uint8(n)))
			continue
		}
		add(wire.CfgInternalIP4Address, a.AsSlice())
		// "[I]t MUST be used only with an INTERNAL_IP4_ADDRESS attribute", and there is one only:
		// https://www.rfc-editor.org/rfc/rfc7296#section-3.15.1
		if x.Netmask.Is4() && !masked {
			masked = true
			add(wire.CfgInternalIP4Netmask, x.Netmask.AsSlice())
		}
	}
	both(x.DNS, wire.CfgInternalIP4DNS, wire.CfgInternalIP6DNS, true)
	for _, a := range x.NBNS {
		if a.Is4() {
			add(wire.CfgInternalIP4NBNS, a.AsSlice())
		}
	}
	both(x.DHCP, wire.CfgInternalIP4DHCP, wire.CfgInternalIP6DHCP, true)
	for _, p := range x.Subnets {
		if p.Addr().Is4() {
			add(wire.CfgInternalIP4Subnet, append(p.Masked().Addr().AsSlice(), netmask(p)...))
		} else {
			add(wire.CfgInternalIP6Subnet, append(p.Masked().Addr().AsSlice(), uint8(p.Bits())))
		}
	}
	// "If an INTERNAL_DNS_DOMAIN attribute is included in the CFG_REPLY, the responder MUST also include one or both of the INTERNAL_IP4_DNS and
	// INTERNAL_IP6_DNS attributes": https://www.rfc-editor.org/rfc/rfc8598#section-3.2
	if asked.has(wire.CfgInternalDNSDomain) && len(x.DNS) > 0 {
		for _, d := range x.Domains {
			add(wire.CfgInternalDNSDomain, []byte(d))
		}
	}
	both(x.Servers, wire.CfgInternalIP4Server, wire.CfgInternalIP6Server, false)
	unity(x.Excluded, wire.CfgUnityLocalLAN, asked, add)
	return out
}

// unity writes networks as Cisco's attributes have them: the address, the netmask and six octets of nothing for each.
func unity(list []netip.Prefix, t wire.CfgAttrType, asked asking, add func(wire.CfgAttrType, []byte)) {
	if !asked.has(t) {
		return
	}
	var value []byte
	for _, p := range list {
		if p.Addr().Is4() {
			value = append(append(append(value, p.Masked().Addr().AsSlice()...), netmask(p)...), 0, 0, 0, 0, 0, 0)
		}
	}
	if len(value) > 0 {
		add(t, value)
	}
}

// netmask is that of an IPv4 prefix.
func netmask(p netip.Prefix) []byte {
	return binary.BigEndian.AppendUint32(nil, bits.Reverse32(uint32(1)<<p.Bits()-1))
}
