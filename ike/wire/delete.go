package wire

import "encoding/binary"

// Delete is the Delete payload: SAs the sender has removed from its database
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.11).
type Delete struct {
	Protocol ProtocolID
	// SPIs are the sender's inbound SPIs, 4 octets each for AH and ESP. There is
	// none for IKE: the header's SPIs say which IKE SA is meant.
	SPIs [][]byte
}

// Type implements Payload.
func (*Delete) Type() PayloadType { return PayloadDelete }

const (
	deleteHeaderLen = 4
	ipsecSPILen     = 4 // of an AH or ESP SPI
)

// AppendBody implements Payload. All SPIs must have the same length, 4 octets for
// AH and ESP; it panics otherwise.
func (p *Delete) AppendBody(b []byte) []byte {
	size := 0
	if len(p.SPIs) > 0 {
		size = len(p.SPIs[0])
	}
	if size > 0xff || len(p.SPIs) > 0xffff {
		panic("wire: BUG: Delete payload with too many or too long SPIs")
	}
	b = append(b, uint8(p.Protocol), uint8(size))
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.SPIs)))
	for _, spi := range p.SPIs {
		if len(spi) != size {
			panic("wire: BUG: Delete payload with SPIs of different lengths")
		}
		b = append(b, spi...)
	}
	return b
}

// parseDelete parses the body of a Delete payload. "SPI Size - … It MUST be zero
// for IKE (SPI is in message header) or four for AH and ESP"
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.11).
func parseDelete(b []byte, base int) (*Delete, error) {
	if len(b) < deleteHeaderLen {
		return nil, malformed(PayloadDelete, base, "%d octets, at least %d are needed", len(b), deleteHeaderLen)
	}
	// Protocol ID (1), SPI Size (1), Num of SPIs (2), SPIs (variable).
	d := &Delete{Protocol: ProtocolID(b[0])}
	size, count := int(b[1]), int(binary.BigEndian.Uint16(b[2:]))
	switch d.Protocol {
	case ProtocolIKE:
		if size != 0 {
			return nil, malformed(PayloadDelete, base+1, "SPIs of %d octets for IKE, want none", size)
		}
		// Some count the IKE SA itself; there is nothing that could be read.
		count = 0
	case ProtocolAH, ProtocolESP:
		if size != ipsecSPILen && count != 0 {
			return nil, malformed(PayloadDelete, base+1, "SPIs of %d octets for %s, want %d", size, d.Protocol, ipsecSPILen)
		}
	default:
		// Of a protocol that isn't understood only the arithmetic can be checked.
		if size == 0 {
			count = 0
		}
	}
	rest := b[deleteHeaderLen:]
	// Neither factor is above 16 bits: the product can't overflow.
	if size*count != len(rest) {
		return nil, malformed(PayloadDelete, base+2, "%d SPIs of %d octets, but %d octets", count, size, len(rest))
	}
	if count > 0 {
		d.SPIs = make([][]byte, 0, count)
	}
	for ; len(rest) > 0; rest = rest[size:] {
		d.SPIs = append(d.SPIs, rest[:size:size])
	}
	return d, nil
}
