package radius

import (
	"net/netip"
	"strconv"
	"strings"

	"esplanade/ike/aaa"
)

// Cause is Error-Cause of RFC 5176 section 3.5: why an order was not carried out. 0: it was.
type Cause uint32

// The causes that this gateway has.
const (
	UnsupportedAttribute  Cause = 401
	MissingAttribute      Cause = 402
	NASMismatch           Cause = 403
	InvalidRequest        Cause = 404
	UnsupportedService    Cause = 405
	InvalidAttributeValue Cause = 407
	SessionNotFound       Cause = 503
	ResourcesUnavailable  Cause = 506
)

func (c Cause) String() string {
	switch c {
	case 0:
		return "done"
	case UnsupportedAttribute:
		return "Unsupported-Attribute"
	case MissingAttribute:
		return "Missing-Attribute"
	case NASMismatch:
		return "NAS-Identification-Mismatch"
	case InvalidRequest:
		return "Invalid-Request"
	case UnsupportedService:
		return "Unsupported-Service"
	case InvalidAttributeValue:
		return "Invalid-Attribute-Value"
	case SessionNotFound:
		return "Session-Context-Not-Found"
	case ResourcesUnavailable:
		return "Resources-Unavailable"
	}
	return strconv.Itoa(int(c))
}

// order reads a Disconnect-Request or CoA-Request.
//
// "A Disconnect-Request MUST contain only NAS and session identification attributes." (RFC 5176 section 3) What is not understood of either
// is refused, and never left out: an order that means one session must not be carried out for others.
func (p *Packet) order(nas *NAS) (o aaa.Order, c Cause) {
	o.Disconnect = p.Code == DisconnectRequest
	for _, a := range p.Attributes {
		if c := take(&o, a, nas); c != 0 {
			return o, c
		}
	}
	switch {
	case o.Which.Empty():
		return o, MissingAttribute
	case !o.Disconnect && !o.HasSession:
		return o, MissingAttribute
	}
	return o, 0
}

// take takes one attribute.
func take(o *aaa.Order, a Attribute, nas *NAS) Cause {
	switch a.Type {
	case MessageAuthenticator, ProxyState, EventTimestamp:
		return 0
	case NASIdentifier:
		if string(a.Value) != nas.Identifier {
			return NASMismatch
		}
		return 0
	case UserName:
		return name(&o.Which.User, a.Value)
	case AcctSessionID:
		return name(&o.Which.SessionID, a.Value)
	case NASPortID:
		return name(&o.Which.Connection, a.Value)
	case FramedIPAddress, FramedIPv6Address:
		addr, ok := addrOf(a.Value, a.Type == FramedIPv6Address)
		if !ok {
			return InvalidAttributeValue
		}
		o.Which.Addresses = append(o.Which.Addresses, addr)
		return 0
	case NASIPAddress, NASIPv6Address:
		addr, ok := addrOf(a.Value, a.Type == NASIPv6Address)
		switch {
		case !ok:
			return InvalidAttributeValue
		case o.Which.Local.IsValid() && o.Which.Local != addr:
			return NASMismatch
		}
		o.Which.Local = addr
		return 0
	case CallingStationID:
		remote, ok := parseStation(string(a.Value))
		if !ok || o.Which.Remote.IsValid() {
			return InvalidAttributeValue
		}
		o.Which.Remote = remote
		return 0
	case SessionTimeout:
		if o.Disconnect {
			return UnsupportedAttribute
		}
		p := Packet{Attributes: []Attribute{a}}
		if o.Session, o.HasSession = p.seconds(SessionTimeout); o.Session == 0 {
			return InvalidAttributeValue
		}
		return 0
	case ServiceType:
		if o.Disconnect {
			return UnsupportedAttribute
		}
		return UnsupportedService
	default:
		return UnsupportedAttribute
	}
}

// name takes a text that is there once.
func name(to *string, v []byte) Cause {
	if *to != "" || len(v) == 0 {
		return InvalidAttributeValue
	}
	*to = string(v)
	return 0
}

// parseStation reads what [NAS.station] writes, with or without the port.
func parseStation(s string) (netip.AddrPort, bool) {
	port := uint64(0)
	if host, rest, ok := strings.Cut(s, "["); ok {
		digits, ok := strings.CutSuffix(rest, "]")
		n, err := strconv.ParseUint(digits, 10, 16)
		if !ok || err != nil {
			return netip.AddrPort{}, false
		}
		s, port = host, n
	}
	a, err := netip.ParseAddr(s)
	return netip.AddrPortFrom(a.Unmap(), uint16(port)), err == nil
}
