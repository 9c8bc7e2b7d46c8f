package radius

import (
	"encoding/binary"
	"iter"
	"net/netip"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxValue is how long the value of an attribute may be: its length, one octet, counts type and length as well.
const maxValue = 255 - 2

// Attribute is an attribute of a packet (RFC 2865 section 5).
type Attribute struct {
	Type  Type
	Value []byte
}

// Type is the type of an attribute.
type Type uint8

// The attributes that a network access server sends or reads, from RFC 2865, 2866, 2869, 3162, 3579, 5176 and 6911.
const (
	UserName             Type = 1
	NASIPAddress         Type = 4
	NASPort              Type = 5
	ServiceType          Type = 6
	FramedProtocol       Type = 7
	FramedIPAddress      Type = 8
	FilterID             Type = 11
	FramedMTU            Type = 12
	ReplyMessage         Type = 18
	State                Type = 24
	Class                Type = 25
	VendorSpecific       Type = 26
	SessionTimeout       Type = 27
	CalledStationID      Type = 30
	CallingStationID     Type = 31
	NASIdentifier        Type = 32
	ProxyState           Type = 33
	AcctStatusType       Type = 40
	AcctDelayTime        Type = 41
	AcctInputOctets      Type = 42
	AcctOutputOctets     Type = 43
	AcctSessionID        Type = 44
	AcctAuthentic        Type = 45
	AcctSessionTime      Type = 46
	AcctInputPackets     Type = 47
	AcctOutputPackets    Type = 48
	AcctTerminateCause   Type = 49
	AcctInputGigawords   Type = 52
	AcctOutputGigawords  Type = 53
	EventTimestamp       Type = 55
	NASPortType          Type = 61
	TunnelType           Type = 64
	EAPMessage           Type = 79
	MessageAuthenticator Type = 80
	AcctInterimInterval  Type = 85
	NASPortID            Type = 87
	FramedPool           Type = 88
	NASIPv6Address       Type = 95
	FramedIPv6Pool       Type = 100
	ErrorCause           Type = 101
	FramedIPv6Address    Type = 168
	DNSServerIPv6Address Type = 169
	StatefulIPv6Pool     Type = 172
)

var typeNames = map[Type]string{
	UserName: "User-Name", NASIPAddress: "NAS-IP-Address", NASPort: "NAS-Port", ServiceType: "Service-Type", FramedProtocol: "Framed-Protocol",
	FramedIPAddress: "Framed-IP-Address", FilterID: "Filter-Id", FramedMTU: "Framed-MTU", ReplyMessage: "Reply-Message", State: "State", Class: "Class",
	VendorSpecific: "Vendor-Specific", SessionTimeout: "Session-Timeout", CalledStationID: "Called-Station-Id", CallingStationID: "Calling-Station-Id",
	NASIdentifier: "NAS-Identifier", ProxyState: "Proxy-State", AcctStatusType: "Acct-Status-Type", AcctDelayTime: "Acct-Delay-Time",
	AcctInputOctets: "Acct-Input-Octets", AcctOutputOctets: "Acct-Output-Octets", AcctSessionID: "Acct-Session-Id", AcctAuthentic: "Acct-Authentic",
	AcctSessionTime: "Acct-Session-Time", AcctInputPackets: "Acct-Input-Packets", AcctOutputPackets: "Acct-Output-Packets",
	AcctTerminateCause: "Acct-Terminate-Cause", AcctInputGigawords: "Acct-Input-Gigawords", AcctOutputGigawords: "Acct-Output-Gigawords",
	EventTimestamp: "Event-Timestamp", NASPortType: "NAS-Port-Type", TunnelType: "Tunnel-Type", EAPMessage: "EAP-Message",
	MessageAuthenticator: "Message-Authenticator", AcctInterimInterval: "Acct-Interim-Interval", NASPortID: "NAS-Port-Id", FramedPool: "Framed-Pool",
	NASIPv6Address: "NAS-IPv6-Address", FramedIPv6Pool: "Framed-IPv6-Pool", ErrorCause: "Error-Cause", FramedIPv6Address: "Framed-IPv6-Address",
	DNSServerIPv6Address: "DNS-Server-IPv6-Address", StatefulIPv6Pool: "Stateful-IPv6-Address-Pool",
}

func (t Type) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return strconv.Itoa(int(t))
}

// parseAttributes reads the attributes that fill b.
func parseAttributes(b []byte) ([]Attribute, error) {
	var list []Attribute
	for len(b) > 0 {
		t := Type(b[0])
		if len(b) < 2 {
			return nil, malformed(t, "it has no length")
		}
		n := int(b[1])
		if n < 2 || n > len(b) {
			return nil, malformed(t, "its length is said to be %d, and %d bytes are there", n, len(b))
		}
		list = append(list, Attribute{t, b[2:n:n]})
		b = b[n:]
	}
	return list, nil
}

// All are the values of an attribute, in their order.
func (p *Packet) All(t Type) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, a := range p.Attributes {
			if a.Type == t && !yield(a.Value) {
				return
			}
		}
	}
}

// First is the first value of an attribute. ok is false if the packet has none.
func (p *Packet) First(t Type) (value []byte, ok bool) {
	for v := range p.All(t) {
		return v, true
	}
	return nil, false
}

// Uint32 is the value of an attribute of four octets. ok is false if the packet has none, or one of another length.
func (p *Packet) Uint32(t Type) (n uint32, ok bool) {
	v, ok := p.First(t)
	if !ok || len(v) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(v), true
}

// seconds is the value of an attribute that is a time in seconds.
func (p *Packet) seconds(t Type) (d time.Duration, ok bool) {
	n, ok := p.Uint32(t)
	return time.Duration(n) * time.Second, ok
}

// text is a value that people may read: valid UTF-8 without control characters, and not empty.
func text(v []byte) (s string, ok bool) {
	s = string(v)
	if s == "" || !utf8.ValidString(s) {
		return "", false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return "", false
		}
	}
	return s, true
}

// add appends attributes.
func (p *Packet) add(list ...Attribute) { p.Attributes = append(p.Attributes, list...) }

// addText appends a text, cut to what an attribute can hold, unless it is empty: "Text of length zero (0) MUST NOT be sent" (RFC 2865
// section 5).
func (p *Packet) addText(t Type, s string) {
	if len(s) > maxValue {
		s = s[:maxValue]
	}
	if s != "" {
		p.add(Attribute{t, []byte(s)})
	}
}

func (p *Packet) addUint32(t Type, n uint32) {
	p.add(Attribute{t, binary.BigEndian.AppendUint32(nil, n)})
}

// addAddr appends an address as the attribute of its family.
func (p *Packet) addAddr(v4, v6 Type, a netip.Addr) {
	a = a.Unmap().WithZone("")
	switch {
	case a.Is4():
		p.add(Attribute{v4, a.AsSlice()})
	case a.Is6():
		p.add(Attribute{v6, a.AsSlice()})
	}
}
