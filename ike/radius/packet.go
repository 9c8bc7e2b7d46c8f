package radius

import (
	"encoding/binary"
	"fmt"
)

const (
	headerLen = 20
	// MaxLength is how long a packet may be (RFC 2865 section 3).
	MaxLength = 4096
)

// Packet is a packet of RADIUS. The attributes are in the order in which they are sent.
type Packet struct {
	Code          Code
	ID            uint8
	Authenticator [16]byte
	Attributes    []Attribute
}

// MalformedError is a packet that cannot be read, or an attribute in it.
type MalformedError struct {
	// Attribute is where it cannot; 0: in the header.
	Attribute Type
	Reason    string
}

func (e *MalformedError) Error() string {
	if e.Attribute == 0 {
		return "malformed packet: " + e.Reason
	}
	return fmt.Sprintf("malformed attribute %v: %s", e.Attribute, e.Reason)
}

func malformed(t Type, format string, args ...any) error {
	return &MalformedError{t, fmt.Sprintf(format, args...)}
}

// Parse reads a packet. The values of its attributes are parts of b, which must not be changed. The error is a [*MalformedError].
func Parse(b []byte) (p Packet, err error) {
	if b, err = trim(b); err != nil {
		return Packet{}, err
	}
	p = Packet{Code: Code(b[0]), ID: b[1], Authenticator: [16]byte(b[4:headerLen])}
	p.Attributes, err = parseAttributes(b[headerLen:])
	return p, err
}

// trim cuts a datagram to the packet in it.
//
// "Octets outside the range of the Length field MUST be treated as padding and ignored on reception.  If the packet is shorter than the
// Length field indicates, it MUST be silently discarded." (RFC 2865 section 3)
func trim(b []byte) ([]byte, error) {
	if len(b) < headerLen {
		return nil, malformed(0, "%d bytes are no header", len(b))
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case n < headerLen || n > MaxLength:
		return nil, malformed(0, "its length is said to be %d", n)
	case n > len(b):
		return nil, malformed(0, "its length is said to be %d, and %d bytes are there", n, len(b))
	}
	return b[:n], nil
}

// append appends the packet as it is.
func (p *Packet) append(b []byte) ([]byte, error) {
	start := len(b)
	b = append(b, byte(p.Code), p.ID, 0, 0)
	b = append(b, p.Authenticator[:]...)
	for _, a := range p.Attributes {
		if len(a.Value) > maxValue {
			return nil, malformed(a.Type, "%d bytes are too long a value", len(a.Value))
		}
		b = append(b, byte(a.Type), byte(2+len(a.Value)))
		b = append(b, a.Value...)
	}
	n := len(b) - start
	if n > MaxLength {
		return nil, malformed(0, "%d bytes are too long a packet", n)
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16(n))
	return b, nil
}
