package wire

import (
	"encoding/binary"
	"net/netip"
)

// MaxTrafficSelectors is how many selectors a TS payload can hold: their number
// is one octet.
const MaxTrafficSelectors = 255

// TS is a Traffic Selector payload, TSi or TSr
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.13).
type TS struct {
	Responder bool // TSr rather than TSi
	Selectors []TrafficSelector
	// Unknown counts the selectors that were skipped because their TS type isn't
	// TS_IPV4_ADDR_RANGE or TS_IPV6_ADDR_RANGE. Never sent.
	Unknown int
}

// TrafficSelector is one address range of a TS payload
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.13.1).
type TrafficSelector struct {
	IPProtocol uint8 // 0: any
	// The ports are 0 and 65535 for any, 65535 and 0 for OPAQUE. For ICMP they are
	// type<<8 | code; for MIPv6 Mobility Header type<<8.
	StartPort, EndPort uint16
	// Start and End have the same family, which decides the TS type. Nothing says
	// that Start isn't above End: TS_UNACCEPTABLE is the answer to that, not
	// INVALID_SYNTAX.
	Start, End netip.Addr
}

// Type implements Payload: PayloadTSi or PayloadTSr.
func (p *TS) Type() PayloadType {
	if p.Responder {
		return PayloadTSr
	}
	return PayloadTSi
}

const (
	tsHeaderLen       = 4
	selectorHeaderLen = 8 // TS Type to End Port
	// selectorMinLen is what the length of a selector of a type that isn't
	// understood must have at least: type, a type-specific octet, and the length.
	selectorMinLen = 4
)

// AppendBody implements Payload. Of more than MaxTrafficSelectors the first are
// sent; whoever installs what was negotiated has to cut the list before. Start
// and End of every selector must be valid and of one family; it panics otherwise.
func (p *TS) AppendBody(b []byte) []byte {
	sel := p.Selectors[:min(len(p.Selectors), MaxTrafficSelectors)]
	b = append(b, uint8(len(sel)), 0, 0, 0)
	for _, s := range sel {
		b = appendSelector(b, s)
	}
	return b
}

func appendSelector(b []byte, s TrafficSelector) []byte {
	t := TSIPv6AddrRange
	if s.Start.Is4() {
		t = TSIPv4AddrRange
	}
	if !s.Start.IsValid() || s.Start.BitLen() != s.End.BitLen() {
		panic("wire: BUG: traffic selector without addresses of one family")
	}
	b = append(b, uint8(t), s.IPProtocol)
	b = binary.BigEndian.AppendUint16(b, uint16(selectorLen(t)))
	b = binary.BigEndian.AppendUint16(b, s.StartPort)
	b = binary.BigEndian.AppendUint16(b, s.EndPort)
	if t == TSIPv4AddrRange {
		start, end := s.Start.As4(), s.End.As4()
		return append(append(b, start[:]...), end[:]...)
	}
	start, end := s.Start.As16(), s.End.As16()
	return append(append(b, start[:]...), end[:]...)
}

// selectorLen is the length of a selector of the type, 0 if the type isn't
// understood.
func selectorLen(t TSType) int {
	switch t {
	case TSIPv4AddrRange:
		return selectorHeaderLen + 2*4
	case TSIPv6AddrRange:
		return selectorHeaderLen + 2*16
	}
	return 0
}

// parseTS parses the body of a TSi or TSr payload.
func parseTS(t PayloadType, b []byte, base int) (*TS, error) {
	if len(b) < tsHeaderLen {
		return nil, malformed(t, base, "%d octets, at least %d are needed", len(b), tsHeaderLen)
	}
	// Number of TSs (1), RESERVED (3), <Traffic Selectors> (variable).
	ts := &TS{Responder: t == PayloadTSr}
	count := int(b[0])
	if count == 0 {
		return nil, malformed(t, base, "no traffic selector")
	}
	off := tsHeaderLen
	for i := range count {
		rest := b[off:]
		if len(rest) < selectorMinLen {
			return nil, malformed(t, base+off, "selector %d of %d: %d octets left", i+1, count, len(rest))
		}
		// TS Type (1), IP Protocol ID (1), Selector Length (2).
		kind, length := TSType(rest[0]), int(binary.BigEndian.Uint16(rest[2:]))
		if length < selectorMinLen || length > len(rest) {
			return nil, malformed(t, base+off+2, "selector %d of %d: length %d, %d octets left", i+1, count, length, len(rest))
		}
		off += length
		// What is understood can be negotiated without the rest: narrowing is the
		// responder's right. https://www.rfc-editor.org/rfc/rfc7296#section-2.9
		want := selectorLen(kind)
		if want == 0 {
			ts.Unknown++
			continue
		}
		if length != want {
			return nil, malformed(t, base+off-length+2, "selector %d of %d: length %d, %s has %d", i+1, count, length, kind, want)
		}
		ts.Selectors = append(ts.Selectors, parseSelector(rest[:length]))
	}
	if off != len(b) {
		return nil, malformed(t, base+off, "%d octets after the last selector", len(b)-off)
	}
	return ts, nil
}

// parseSelector parses an address range whose length is right for its type.
func parseSelector(b []byte) TrafficSelector {
	// TS Type (1), IP Protocol ID (1), Selector Length (2), Start Port (2),
	// End Port (2), Starting Address (4 or 16), Ending Address (4 or 16).
	s := TrafficSelector{
		IPProtocol: b[1],
		StartPort:  binary.BigEndian.Uint16(b[4:]),
		EndPort:    binary.BigEndian.Uint16(b[6:]),
	}
	addrs := b[selectorHeaderLen:]
	half := len(addrs) / 2
	s.Start, _ = netip.AddrFromSlice(addrs[:half])
	s.End, _ = netip.AddrFromSlice(addrs[half:])
	return s
}
