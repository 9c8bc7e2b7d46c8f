package sa

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strings"

	"esplanade/ike/wire"
)

// Limits of what a gateway may give: more than any has a use for, and little enough to be shown and put in place.
const (
	maxServers = 8
	maxDomains = 64
	maxSubnets = 256
	maxIgnored = 16
	// maxDomain is the longest name, RFC 1035, without the dot at the end.
	maxDomain, maxLabel = 253, 63
)

// attributeError is an attribute of a CFG_REPLY that breaks the format.
type attributeError struct {
	attr wire.CfgAttrType
	what string
}

func (e *attributeError) Error() string { return fmt.Sprintf("CFG_REPLY: %s %s", e.attr, e.what) }

// addressError is an address that this side can't have.
type addressError struct {
	addr netip.Addr
	why  string
}

func (e *addressError) Error() string { return fmt.Sprintf("the address %s %s", e.addr, e.why) }

// reply reads a CFG_REPLY.
type reply struct {
	asked []netip.Addr
	// unusable says why an address can't be this side's; "" if it can.
	unusable func(netip.Addr) string
	out      Assignment
}

// read takes the attributes in their order. What is not known is ignored: "Unrecognized or unsupported attributes MUST be ignored in both
// requests and responses." https://www.rfc-editor.org/rfc/rfc7296#section-3.15.1 What is known and breaks the format is an error, and so is an address that can't be
// this side's: to go on with a part of what the gateway believes this side to have would be a guess.
func (r *reply) read(cp *wire.CP) (*Assignment, error) {
	for _, a := range cp.Attributes {
		if len(a.Value) == 0 {
			continue // "no value": the gateway has none to give
		}
		if err := r.attribute(a); err != nil {
			return nil, err
		}
	}
	if len(r.out.DNS) == 0 && len(r.out.Domains) > 0 {
		// "An INTERNAL_DNS_DOMAIN … MUST be accompanied by one or more INTERNAL_IP4_DNS or INTERNAL_IP6_DNS".
		// https://www.rfc-editor.org/rfc/rfc8598#section-2
		r.ignore("domains without a DNS server")
		r.out.Domains = nil
	}
	return &r.out, nil
}

func (r *reply) attribute(a wire.CfgAttr) error {
	switch a.Type {
	case wire.CfgInternalIP4Address:
		return r.address(a, 4)
	case wire.CfgInternalIP6Address:
		// The address and the length of a prefix; some leave the latter out.
		return r.address(a, 17, 16)
	case wire.CfgInternalIP4DNS:
		return r.server(a, 4)
	case wire.CfgInternalIP6DNS:
		return r.server(a, 16)
	case wire.CfgInternalIP4Subnet:
		return r.subnet4(a)
	case wire.CfgInternalIP6Subnet:
		return r.subnet6(a)
	case wire.CfgInternalDNSDomain:
		r.domain(a)
	}
	return nil
}

// octets checks the length of a value.
func octets(a wire.CfgAttr, lengths ...int) error {
	if slices.Contains(lengths, len(a.Value)) {
		return nil
	}
	return &attributeError{a.Type, fmt.Sprintf("has %d octets, not %d", len(a.Value), lengths[0])}
}

func (r *reply) address(a wire.CfgAttr, lengths ...int) error {
	if err := octets(a, lengths...); err != nil {
		return err
	}
	if len(a.Value) == 17 && a.Value[16] > 128 {
		return &attributeError{a.Type, fmt.Sprintf("has a prefix of %d bits", a.Value[16])}
	}
	addr := addrOf(a.Value)
	if slices.Contains(r.out.Addresses, addr) {
		return nil
	}
	family := func(x netip.Addr) bool { return x.Is4() == addr.Is4() }
	if count(r.out.Addresses, family) >= count(r.asked, family) {
		r.ignore(addr.String() + ", for which this side has not asked")
		return nil
	}
	if why := r.unusable(addr); why != "" {
		return &addressError{addr, why}
	}
	r.out.Addresses = append(r.out.Addresses, addr)
	return nil
}

func (r *reply) server(a wire.CfgAttr, length int) error {
	if err := octets(a, length); err != nil {
		return err
	}
	addr := addrOf(a.Value)
	switch {
	case slices.Contains(r.out.DNS, addr):
	case nonsense(addr) != "":
		r.ignore(fmt.Sprintf("the DNS server %s, which %s", addr, nonsense(addr)))
	case len(r.out.DNS) >= maxServers:
		r.ignore(fmt.Sprintf("more than %d DNS servers", maxServers))
	default:
		r.out.DNS = append(r.out.DNS, addr)
	}
	return nil
}

func (r *reply) subnet4(a wire.CfgAttr) error {
	if err := octets(a, 8); err != nil {
		return err
	}
	mask := binary.BigEndian.Uint32(a.Value[4:])
	ones := bits.LeadingZeros32(^mask)
	if mask<<ones != 0 {
		return &attributeError{a.Type, fmt.Sprintf("has the netmask %s", addrOf(a.Value[4:]))}
	}
	r.subnet(netip.PrefixFrom(addrOf(a.Value[:4]), ones))
	return nil
}

func (r *reply) subnet6(a wire.CfgAttr) error {
	if err := octets(a, 17); err != nil {
		return err
	}
	if a.Value[16] > 128 {
		return &attributeError{a.Type, fmt.Sprintf("has a prefix of %d bits", a.Value[16])}
	}
	r.subnet(netip.PrefixFrom(addrOf(a.Value), int(a.Value[16])))
	return nil
}

func (r *reply) subnet(p netip.Prefix) {
	p = p.Masked()
	switch {
	case slices.Contains(r.out.Subnets, p):
	case len(r.out.Subnets) >= maxSubnets:
		r.ignore(fmt.Sprintf("more than %d subnets", maxSubnets))
	default:
		r.out.Subnets = append(r.out.Subnets, p)
	}
}

func (r *reply) domain(a wire.CfgAttr) {
	name, ok := domainName(a.Value)
	switch {
	case !ok:
		r.ignore("a domain that is no DNS name")
	case slices.Contains(r.out.Domains, name):
	case len(r.out.Domains) >= maxDomains:
		r.ignore(fmt.Sprintf("more than %d domains", maxDomains))
	default:
		r.out.Domains = append(r.out.Domains, name)
	}
}

// domainName reads "a Fully Qualified Domain Name used for Split DNS rules, … in DNS presentation format and using an Internationalized Domain
// Names for Applications (IDNA) A-label" (https://www.rfc-editor.org/rfc/rfc8598#section-4.1). It goes into the configuration of this host's
// resolver: only letters, digits, hyphens and underscores get there. The root is no domain of anybody's.
func domainName(b []byte) (string, bool) {
	s := strings.ToLower(strings.TrimSuffix(string(b), "."))
	if s == "" || len(s) > maxDomain {
		return "", false
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > maxLabel || l[0] == '-' || l[len(l)-1] == '-' || strings.ContainsFunc(l, func(c rune) bool {
			return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_'
		}) {
			return "", false
		}
	}
	// A name whose last label is a number is an address to some resolvers.
	return s, strings.ContainsFunc(labels[len(labels)-1], func(c rune) bool { return c < '0' || c > '9' })
}

// ignore notes what is of no use, once.
func (r *reply) ignore(what string) {
	if len(r.out.Ignored) < maxIgnored && !slices.Contains(r.out.Ignored, what) {
		r.out.Ignored = append(r.out.Ignored, what)
	}
}

// addrOf is the address that a value begins with.
func addrOf(b []byte) netip.Addr {
	n := 4
	if len(b) >= 16 {
		n = 16
	}
	a, _ := netip.AddrFromSlice(b[:n])
	return a
}

// nonsense says why an address is no host's in a network; "" if it may be.
func nonsense(a netip.Addr) string {
	switch {
	case a.IsUnspecified():
		return "stands for no host"
	case a.IsLoopback():
		return "is every host's own"
	case a.IsMulticast():
		return "is a group of hosts"
	case a.Is4In6():
		return "is an IPv4 address written as an IPv6 one"
	case a.IsLinkLocalUnicast():
		return "is for a single link"
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "is for all hosts of a link"
	case a.Is4() && a.As4()[0] == 0:
		return "is of no network"
	case a.Is4() && a.As4()[0] >= 240:
		return "is of a range that no host has"
	}
	return ""
}

func count(list []netip.Addr, is func(netip.Addr) bool) (n int) {
	for _, a := range list {
		if is(a) {
			n++
		}
	}
	return n
}
