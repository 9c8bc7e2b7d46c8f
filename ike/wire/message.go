package wire

import "encoding/binary"

// Message is one IKE message.
type Message struct {
	Header Header
	// Payloads are those in the clear: all of an IKE_SA_INIT message, and of a
	// protected message those in front of the Encrypted payload. The latter are
	// covered by the ICV only if the message turns out to be authentic and have no
	// meaning in any exchange of ours, so they are to be ignored.
	Payloads []Payload
	// Encrypted is the Encrypted or Encrypted Fragment payload, nil if the
	// message has none.
	Encrypted *Encrypted
}

// Parse parses a whole datagram, without the non-ESP marker. The result aliases
// b. Errors are *ParseError, *CriticalError or *VersionError.
//
// The content of an Encrypted payload isn't looked at; ParsePayloads does that
// once it is decrypted.
func Parse(b []byte) (*Message, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return nil, err
	}
	if h.Major != MajorVersion {
		return nil, &VersionError{Major: h.Major, Minor: h.Minor}
	}
	if uint64(h.Length) != uint64(len(b)) {
		return nil, malformed(PayloadNone, 24, "the header's length is %d, the datagram has %d octets", h.Length, len(b))
	}
	ps, enc, err := parseChain(h.NextPayload, b[HeaderLen:], HeaderLen, true)
	if err != nil {
		return nil, err
	}
	return &Message{Header: h, Payloads: ps, Encrypted: enc}, nil
}

// ParsePayloads parses the decrypted content of an Encrypted payload, padding
// removed: first is the Next Payload field of the Encrypted payload's generic
// header (Encrypted.First). Offsets in errors are counted from base. The result
// aliases b. Errors are *ParseError or *CriticalError.
func ParsePayloads(first PayloadType, b []byte, base int) ([]Payload, error) {
	ps, _, err := parseChain(first, b, base, false)
	return ps, err
}

// parseChain parses a chain of payloads that starts at offset base and must fill
// b. An Encrypted payload, if allowed, ends the chain.
func parseChain(first PayloadType, b []byte, base int, allowEncrypted bool) ([]Payload, *Encrypted, error) {
	var (
		ps   []Payload
		seen [256]uint8 // how many of each type; index 0 for those not understood
		off  int
	)
	for t := first; t != PayloadNone; {
		rest := b[off:]
		if len(rest) < genericHeaderLen {
			return nil, nil, malformed(t, base+off, "%d octets left, the generic header has %d", len(rest), genericHeaderLen)
		}
		// Next Payload (1), Critical (1 bit), RESERVED (7 bits), Payload Length (2).
		next := PayloadType(rest[0])
		critical := rest[1]&criticalBit != 0
		length := int(binary.BigEndian.Uint16(rest[2:]))
		if length < genericHeaderLen {
			return nil, nil, malformed(t, base+off+2, "length %d is less than the generic header", length)
		}
		if length > len(rest) {
			return nil, nil, malformed(t, base+off+2, "length %d, only %d octets left", length, len(rest))
		}
		body, bodyBase := rest[genericHeaderLen:length:length], base+off+genericHeaderLen

		if t == PayloadSK || t == PayloadSKF {
			if !allowEncrypted {
				return nil, nil, malformed(t, base+off, "inside an Encrypted payload")
			}
			// "The Encrypted payload, if present in a message, MUST be the last payload
			// in the message."
			// https://www.rfc-editor.org/rfc/rfc7296#section-3.14
			if length != len(rest) {
				return nil, nil, malformed(t, base+off+length, "%d octets after the Encrypted payload", len(rest)-length)
			}
			enc, err := parseEncrypted(t, next, body, bodyBase)
			if err != nil {
				return nil, nil, err
			}
			return ps, enc, nil
		}

		counted := t
		if !understood(t) {
			counted = PayloadNone
		}
		if int(seen[counted]) >= maxPayloads(t) {
			return nil, nil, malformed(t, base+off, "more than %d of this kind", maxPayloads(t))
		}
		seen[counted]++

		p, err := parseBody(t, critical, body, bodyBase)
		if err != nil {
			return nil, nil, err
		}
		ps = append(ps, p)
		off += length
		t = next
	}
	if off != len(b) {
		return nil, nil, malformed(PayloadNone, base+off, "%d octets after the last payload", len(b)-off)
	}
	return ps, nil, nil
}

// Append appends the message, which must have no Encrypted payload (see
// AppendProtected); NextPayload and Length of the header are computed. It panics
// as AppendPayloads does, and if there is an Encrypted payload.
func (m *Message) Append(b []byte) []byte {
	if m.Encrypted != nil {
		panic("wire: BUG: Message.Append of a protected message")
	}
	start := len(b)
	h := m.Header
	h.NextPayload = FirstType(m.Payloads)
	b = h.Append(b)
	b = AppendPayloads(b, m.Payloads)
	binary.BigEndian.PutUint32(b[start+24:], uint32(len(b)-start))
	return b
}
