package wire

import (
	"encoding/binary"
	"fmt"
)

// HeaderLen is the length of the IKE header in octets
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.1).
const HeaderLen = 28

// The protocol version of IKEv2: "2.0".
const (
	MajorVersion = 2
	MinorVersion = 0
)

// SPI identifies one end's view of an IKE SA. Zero means "not chosen yet".
type SPI uint64

// String gives the 16 hexadecimal digits of the SPI.
func (s SPI) String() string { return fmt.Sprintf("%016x", uint64(s)) }

// Bytes gives the eight octets of the SPI as a Proposal for an IKE SA carries
// them when the SA is rekeyed (https://www.rfc-editor.org/rfc/rfc7296#section-1.3.2).
func (s SPI) Bytes() []byte { return binary.BigEndian.AppendUint64(nil, uint64(s)) }

// SPIFromBytes reads an IKE SPI from the SPI field of a proposal; false if the
// field doesn't have eight octets.
func SPIFromBytes(b []byte) (SPI, bool) {
	if len(b) != 8 {
		return 0, false
	}
	return SPI(binary.BigEndian.Uint64(b)), true
}

// Flags are the bits of the header's flags octet.
type Flags uint8

// The flags of https://www.rfc-editor.org/rfc/rfc7296#section-3.1.
const (
	FlagInitiator Flags = 0x08 // sent by the original initiator of the IKE SA
	FlagVersion   Flags = 0x10 // can speak a higher major version; never sent
	FlagResponse  Flags = 0x20 // a response to the message with the same ID
)

// sentFlags are the flags that may be sent. "Implementations of IKEv2 MUST clear
// [the V] bit when sending and MUST ignore it in incoming messages"; the X bits
// "MUST be cleared when sending and MUST be ignored on receipt".
const sentFlags = FlagInitiator | FlagResponse

// Initiator reports whether the sender is the original initiator of the IKE SA.
func (f Flags) Initiator() bool { return f&FlagInitiator != 0 }

// Response reports whether the message is a response.
func (f Flags) Response() bool { return f&FlagResponse != 0 }

// Header is the IKE header.
type Header struct {
	SPIi, SPIr   SPI
	NextPayload  PayloadType // type of the first payload
	Major, Minor uint8       // version, four bits each
	Exchange     ExchangeType
	Flags        Flags // as received, reserved bits included
	MessageID    uint32
	Length       uint32 // of the whole message in octets, header included
}

// ParseHeader reads the IKE header at the start of b. It looks at the structure
// only and accepts any version, so that the caller can answer
// INVALID_MAJOR_VERSION; the Length field isn't compared with anything.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderLen {
		return Header{}, malformed(PayloadNone, 0, "%d octets, the IKE header has %d", len(b), HeaderLen)
	}
	return Header{
		SPIi:        SPI(binary.BigEndian.Uint64(b[0:])),
		SPIr:        SPI(binary.BigEndian.Uint64(b[8:])),
		NextPayload: PayloadType(b[16]),
		Major:       b[17] >> 4,
		Minor:       b[17] & 0x0f,
		Exchange:    ExchangeType(b[18]),
		Flags:       Flags(b[19]),
		MessageID:   binary.BigEndian.Uint32(b[20:]),
		Length:      binary.BigEndian.Uint32(b[24:]),
	}, nil
}

// Append appends the header as it is, except that flags which must not be sent
// are cleared.
func (h Header) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(h.SPIi))
	b = binary.BigEndian.AppendUint64(b, uint64(h.SPIr))
	b = append(b, uint8(h.NextPayload), h.Major<<4|h.Minor&0x0f, uint8(h.Exchange), uint8(h.Flags&sentFlags))
	b = binary.BigEndian.AppendUint32(b, h.MessageID)
	return binary.BigEndian.AppendUint32(b, h.Length)
}
