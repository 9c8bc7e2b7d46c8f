package eap

import (
	"encoding/binary"
	"fmt"
)

// The codes of packets (RFC 3748 section 4).
const (
	codeRequest  = 1
	codeResponse = 2
	codeSuccess  = 3
	codeFailure  = 4
)

const (
	headerLen   = 4 // Code, Identifier, Length
	expandedLen = 8 // Type, Vendor-Id, Vendor-Type

	// MaxPacket is the size of the largest packet that is read. What methods send in one packet is much less.
	MaxPacket = 16 << 10
)

// packet is one EAP packet, parsed.
type packet struct {
	code, id uint8
	// typ is 0 in a Success or Failure. A type of the IETF is the same however it is spelled: "An implementation that supports the Expanded
	// attribute MUST treat EAP Types that are less than 256 equivalently, whether they appear as a single octet or as the 32-bit Vendor-Type
	// within an Expanded Type where Vendor-Id is 0." https://www.rfc-editor.org/rfc/rfc3748#section-5.7
	typ Type
	// expanded reports that it came in the long spelling. If typ is TypeExpanded it is of a vendor, vendorID and vendorType.
	expanded             bool
	vendorID, vendorType uint32
	data                 []byte // the type data
}

// parse takes a packet apart. The error says what is wrong with it, for people.
func parse(b []byte) (packet, error) {
	switch {
	case len(b) < headerLen:
		return packet{}, fmt.Errorf("a packet of %d bytes", len(b))
	case len(b) > MaxPacket:
		return packet{}, fmt.Errorf("a packet of %d bytes; at most %d are read", len(b), MaxPacket)
	}
	// Octets behind the packet are padding of a link layer, and there is none below.
	if n := int(binary.BigEndian.Uint16(b[2:])); n != len(b) {
		return packet{}, fmt.Errorf("a packet of %d bytes whose length says %d", len(b), n)
	}
	p := packet{code: b[0], id: b[1]}
	body := b[headerLen:]
	switch p.code {
	case codeRequest, codeResponse:
		return p.parseType(body)
	case codeSuccess, codeFailure:
		// "Success and Failure packets MUST NOT contain additional data." https://www.rfc-editor.org/rfc/rfc3748#section-4.2
		if len(body) > 0 {
			return packet{}, fmt.Errorf("%s with %d bytes of data", codeName(p.code), len(body))
		}
		return p, nil
	}
	return packet{}, fmt.Errorf("a packet of code %d", p.code)
}

func (p packet) parseType(body []byte) (packet, error) {
	if len(body) == 0 {
		return packet{}, fmt.Errorf("%s without a type", codeName(p.code))
	}
	p.typ, p.data = Type(body[0]), body[1:]
	if p.typ != TypeExpanded {
		return p, nil
	}
	if len(body) < expandedLen {
		return packet{}, fmt.Errorf("%s of an expanded type in %d bytes, of which it takes %d", codeName(p.code), len(body), expandedLen)
	}
	p.expanded = true
	p.vendorID, p.vendorType, p.data = vendor(body), binary.BigEndian.Uint32(body[4:]), body[expandedLen:]
	if p.vendorID == 0 && p.vendorType < uint32(TypeExpanded) {
		p.typ = Type(p.vendorType)
	}
	return p, nil
}

// vendor is the Vendor-Id of an expanded type.
func vendor(b []byte) uint32 { return binary.BigEndian.Uint32(b) & 0xffffff }

// bytes is the packet as it is sent.
func (p packet) bytes() []byte {
	b := []byte{p.code, p.id, 0, 0}
	switch {
	case p.code == codeSuccess || p.code == codeFailure:
	case p.expanded:
		b = appendExpanded(b, p.vendorID, p.vendorType)
	default:
		b = append(b, byte(p.typ))
	}
	b = append(b, p.data...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

func appendExpanded(b []byte, vendorID, vendorType uint32) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(TypeExpanded)<<24|vendorID)
	return binary.BigEndian.AppendUint32(b, vendorType)
}

func codeName(code uint8) string {
	switch code {
	case codeRequest:
		return "a Request"
	case codeResponse:
		return "a Response"
	case codeSuccess:
		return "a Success"
	case codeFailure:
		return "a Failure"
	}
	return fmt.Sprintf("a packet of code %d", code)
}

// says is what kind of packet it is, for people.
func (p packet) says() string {
	if p.typ == 0 {
		return codeName(p.code)
	}
	return fmt.Sprintf("%s of %s", codeName(p.code), p.typ)
}
