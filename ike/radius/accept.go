package radius

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"esplanade/ike/aaa"
)

const (
	// maxGroups and maxPools bound what an Access-Accept may say of a user.
	maxGroups = 64
	maxPools  = 8
	maxDNS    = 4
	// minInterim is the shortest time between interim records that a server may ask for: "The value MUST NOT be smaller than 60" (RFC 2869
	// section 2.1).
	minInterim = time.Minute
	// maxClass bounds the octets of Class: they have to fit into every accounting record of the session, of [MaxLength] octets.
	maxClass = 2048
	// maxMessage bounds what is kept of the Reply-Messages.
	maxMessage = 512
)

// Rules are how the attributes of an Access-Accept come to be groups.
type Rules struct {
	// ClassGroup: each Class that is a text is a group. FilterID: each Filter-Id is one, unless Tunnel-Type says that it is for another kind of
	// tunnel than ESP.
	ClassGroup, FilterID bool
}

// Answer is what a server says in answer to an [Access].
type Answer struct {
	// Code is [AccessAccept], [AccessChallenge] or [AccessReject].
	Code Code
	// Server is the name of the one that says it.
	Server string
	// EAP is for the peer. Without one, EAP is nil.
	EAP []byte
	// State goes into the next request of the conversation; nil: there is none.
	State []byte
	// User and MSK are of an Access-Accept. The key has 64 octets, or none if the method makes no keys.
	User *aaa.User
	MSK  []byte
	// Message is what Reply-Message says, for the operator.
	Message string
}

// answer reads an answer. The error says what it lacks.
func (r Rules) answer(p *Packet, s Secret, request [16]byte, a *Access) (Answer, error) {
	x := Answer{Code: p.Code, Message: p.message()}
	var err error
	if x.EAP, err = p.EAP(); err != nil {
		return x, err
	}
	if v, ok := p.First(State); ok {
		x.State = v
	}
	if p.Code != AccessAccept {
		return x, nil
	}
	if x.MSK, err = p.msk(s, request); err != nil {
		return x, err
	}
	x.User, err = r.user(p, a.User)
	return x, err
}

// message is what the Reply-Messages say.
func (p *Packet) message() string {
	var b strings.Builder
	for v := range p.All(ReplyMessage) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		for _, r := range strings.ToValidUTF8(string(v), "?") {
			if !unicode.IsPrint(r) { // nor what turns the direction of a line round
				r = ' '
			}
			b.WriteRune(r)
		}
		if b.Len() >= maxMessage {
			break
		}
	}
	return strings.ToValidUTF8(b.String()[:min(b.Len(), maxMessage)], "")
}

// user is what an Access-Accept says of a user.
func (r Rules) user(p *Packet, identity string) (*aaa.User, error) {
	u := &aaa.User{Name: identity, Method: "eap-radius"}
	// "It MAY be sent in an Access-Accept packet, in which case the client SHOULD use the name returned" (RFC 2865 section 5.1)
	if v, ok := p.First(UserName); ok {
		if s, ok := text(v); ok {
			u.Name = s
		}
	}
	class := 0
	for v := range p.All(Class) {
		if class += 2 + len(v); class > maxClass {
			return nil, malformed(Class, "there are more than %d bytes of it, which do not fit into an accounting record", maxClass)
		}
		u.Class = append(u.Class, slices.Clone(v))
		if r.ClassGroup {
			addName(&u.Groups, v, maxGroups)
		}
	}
	if r.FilterID && p.forESP() {
		for v := range p.All(FilterID) {
			addName(&u.Groups, v, maxGroups)
		}
	}
	for _, t := range []Type{FramedPool, FramedIPv6Pool, StatefulIPv6Pool} {
		for v := range p.All(t) {
			addName(&u.Pools, v, maxPools)
		}
	}
	if err := p.addresses(u); err != nil {
		return nil, err
	}
	u.Session, _ = p.seconds(SessionTimeout)
	if d, ok := p.seconds(AcctInterimInterval); ok && d > 0 {
		u.Interim = max(d, minInterim)
	}
	return u, nil
}

// forESP reports whether nothing says that the Filter-Id is for another kind of tunnel. The value has a tag in front (RFC 2868).
func (p *Packet) forESP() bool {
	for v := range p.All(TunnelType) {
		if len(v) == 4 && binary.BigEndian.Uint32(v)&0xffffff != tunnelESP {
			return false
		}
	}
	return true
}

// Two values of Framed-IP-Address are no addresses (RFC 2865 section 5.8): the user chooses, the gateway chooses.
var (
	userChooses = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	nasChooses  = netip.AddrFrom4([4]byte{255, 255, 255, 254})
)

// addresses reads the addresses that are for the user, and those of its DNS servers.
func (p *Packet) addresses(u *aaa.User) error {
	for _, t := range []Type{FramedIPAddress, FramedIPv6Address} {
		for v := range p.All(t) {
			a, ok := addrOf(v, t == FramedIPv6Address)
			switch {
			case !ok:
				return malformed(t, "%d bytes are no address", len(v))
			case a == userChooses || a == nasChooses:
				continue
			case a.IsUnspecified() || a.IsMulticast() || a.IsLoopback():
				return malformed(t, "%v is no address of a host", a)
			}
			if _, has := u.Address(a.Is6()); !has { // one of each family
				u.Addresses = append(u.Addresses, a)
			}
		}
	}
	for _, t := range []uint8{msPrimaryDNSServer, msSecondaryDNSServer} {
		list, err := p.vendorValues(vendorMicrosoft, t)
		if err != nil {
			return err
		}
		for _, v := range list {
			addServer(u, v, false)
		}
	}
	for v := range p.All(DNSServerIPv6Address) {
		addServer(u, v, true)
	}
	return nil
}

func addServer(u *aaa.User, v []byte, v6 bool) {
	if a, ok := addrOf(v, v6); ok && !a.IsUnspecified() && len(u.DNS) < maxDNS {
		u.DNS = append(u.DNS, a)
	}
}

// addrOf is the address of a family in a value.
func addrOf(v []byte, v6 bool) (netip.Addr, bool) {
	a, ok := netip.AddrFromSlice(v)
	return a, ok && a.Is6() == v6 && !a.Is4In6()
}

// addName appends a name that people may read, once, up to a bound.
func addName(list *[]string, v []byte, bound int) {
	if s, ok := text(v); ok && len(*list) < bound && !slices.Contains(*list, s) {
		*list = append(*list, s)
	}
}
