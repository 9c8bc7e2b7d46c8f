package esp

import "encoding/binary"

const (
	ipv4MinHeaderLen = 20
	ipv6HeaderLen    = 40
	ipv6HopByHop     = 0 // next header value of the Hop-by-Hop options header
)

// TrimInner returns the IP packet in a payload that Open returned, without the
// TFC padding that may follow it. The version in the IP header must be the one
// the next header says, and the packet must be wholly there; ErrInner otherwise,
// and ErrDummy for next header 59.
//
// RFC 4303 section 2.7: "This length information will enable the receiver to
// discard the TFC padding, because the true length of the Payload Data will be
// known."
// https://www.rfc-editor.org/rfc/rfc4303#section-2.7
//
// Payloads with any other next header have no length to trim to and are returned
// as they are; whether they are wanted is the caller's policy. The result aliases
// payload.
func TrimInner(payload []byte, nextHeader uint8) ([]byte, error) {
	switch nextHeader {
	case nextHeaderIPv4:
		if len(payload) < ipv4MinHeaderLen || payload[0]>>4 != 4 {
			return nil, ErrInner
		}
		hdr := int(payload[0]&0xf) * 4
		total := int(binary.BigEndian.Uint16(payload[2:]))
		if hdr < ipv4MinHeaderLen || total < hdr || total > len(payload) {
			return nil, ErrInner
		}
		return payload[:total], nil
	case nextHeaderIPv6:
		if len(payload) < ipv6HeaderLen || payload[0]>>4 != 6 {
			return nil, ErrInner
		}
		n := int(binary.BigEndian.Uint16(payload[4:]))
		// Length 0 in front of a Hop-by-Hop header announces a jumbogram (RFC
		// 2675), which does not fit into an ESP packet we could receive.
		if n == 0 && payload[6] == ipv6HopByHop {
			return nil, ErrInner
		}
		if ipv6HeaderLen+n > len(payload) {
			return nil, ErrInner
		}
		return payload[:ipv6HeaderLen+n], nil
	case nextHeaderDummy:
		return nil, ErrDummy
	}
	return payload, nil
}
