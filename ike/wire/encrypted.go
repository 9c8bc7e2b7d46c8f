package wire

import (
	"bytes"
	"encoding/binary"
)

// Encrypted says where the protected part of a message is: the body of an
// Encrypted payload (https://www.rfc-editor.org/rfc/rfc7296#section-3.14) or of
// an Encrypted Fragment payload
// (https://www.rfc-editor.org/rfc/rfc7383#section-2.5), which looks like
//
//	                     1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| Next Payload  |C|  RESERVED   |         Payload Length        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|        Fragment Number        |        Total Fragments        |  SKF only
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                     Initialization Vector                     |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	~                       Encrypted content                       ~
//	+               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|               |             Padding (0-255 octets)            |
//	+-+-+-+-+-+-+-+-+                               +-+-+-+-+-+-+-+-+
//	|                                               |  Pad Length   |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	~                   Integrity Checksum Data                     ~
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type Encrypted struct {
	Fragment bool // an Encrypted Fragment payload
	// Number and Total are the fragment's number, from 1, and how many fragments
	// there are: 1 <= Number <= Total. Both are zero unless Fragment is set.
	Number, Total uint16
	// First is the type of the first payload of the content. Of fragments only
	// number 1 has it.
	First PayloadType
	// AADLen is how many octets of the datagram come before the IV. They are the
	// associated data of an AEAD (https://www.rfc-editor.org/rfc/rfc5282#section-5.1).
	AADLen int
	// Body is IV, ciphertext and ICV, at least one octet; it aliases the datagram.
	Body []byte
}

// fragmentHeaderLen is the length of Fragment Number and Total Fragments.
const fragmentHeaderLen = 4

// parseEncrypted parses the body of an SK or SKF payload, which starts at offset
// base of the datagram. first is the Next Payload field of its generic header.
func parseEncrypted(t, first PayloadType, b []byte, base int) (*Encrypted, error) {
	e := &Encrypted{First: first}
	if t == PayloadSKF {
		if len(b) < fragmentHeaderLen {
			return nil, malformed(t, base, "%d octets, fragment number and total have %d", len(b), fragmentHeaderLen)
		}
		// Fragment Number (2), Total Fragments (2).
		e.Fragment = true
		e.Number = binary.BigEndian.Uint16(b[0:])
		e.Total = binary.BigEndian.Uint16(b[2:])
		// Neither may be zero, and the number must be less than or equal to the total.
		// https://www.rfc-editor.org/rfc/rfc7383#section-2.5
		switch {
		case e.Total == 0:
			return nil, malformed(t, base+2, "total fragments is zero")
		case e.Number == 0:
			return nil, malformed(t, base, "fragment number is zero")
		case e.Number > e.Total:
			return nil, malformed(t, base, "fragment %d of %d", e.Number, e.Total)
		}
		if e.Number != 1 {
			// The field must be zero in all fragments but the first; what a peer puts
			// there instead has no meaning.
			e.First = PayloadNone
		}
		b, base = b[fragmentHeaderLen:], base+fragmentHeaderLen
	}
	if len(b) == 0 {
		return nil, malformed(t, base, "no content: not even padding length and checksum")
	}
	e.AADLen, e.Body = base, b
	return e, nil
}

// AppendProtected appends the IKE header h and the generic header of an
// Encrypted payload, NextPayload and Length filled in for a body of bodyLen
// octets. The caller appends IV, ciphertext and ICV: bodyLen octets. What this
// function appends is the associated data of an AEAD. first is the type of the
// first payload of the content.
//
// It panics if bodyLen doesn't fit a payload (MaxBodyLen); such a message has to
// be sent in fragments.
func AppendProtected(b []byte, h Header, first PayloadType, bodyLen int) []byte {
	return appendProtected(b, h, PayloadSK, first, nil, bodyLen)
}

// AppendProtectedFragment does what AppendProtected does for fragment number of
// total, bodyLen being the octets of IV, ciphertext and ICV. first is put into
// fragment 1 only; Next Payload must be zero in the others
// (https://www.rfc-editor.org/rfc/rfc7383#section-2.5).
//
// It panics unless 1 <= number <= total, and as AppendProtected does.
func AppendProtectedFragment(b []byte, h Header, first PayloadType, number, total uint16, bodyLen int) []byte {
	if number == 0 || number > total {
		panic("wire: BUG: fragment number outside 1..total")
	}
	if number != 1 {
		first = PayloadNone
	}
	var fragment [fragmentHeaderLen]byte
	binary.BigEndian.PutUint16(fragment[0:], number)
	binary.BigEndian.PutUint16(fragment[2:], total)
	return appendProtected(b, h, PayloadSKF, first, fragment[:], bodyLen)
}

// appendProtected appends the headers of a protected message; fragment is empty
// or the fragment header.
func appendProtected(b []byte, h Header, t, first PayloadType, fragment []byte, bodyLen int) []byte {
	length := genericHeaderLen + len(fragment) + bodyLen
	if bodyLen < 0 || length > genericHeaderLen+MaxBodyLen {
		panic("wire: BUG: " + t.String() + " payload is too long to be sent")
	}
	h.NextPayload = t
	h.Length = uint32(HeaderLen + length)
	b = h.Append(b)
	b = append(b, uint8(first), 0)
	b = binary.BigEndian.AppendUint16(b, uint16(length))
	return append(b, fragment...)
}

// WholeHead returns the octets from the IKE header to the generic header of the
// SK payload of a message, as they would be if it had not come in fragments.
// head are those of fragment 1, up to its IV. The payloads in the clear before
// the SKF payload stay, and "the RESERVED field in the reconstructed Encrypted
// payload header MUST be set to the value of the RESERVED field in the
// Encrypted Fragment payload header from the first fragment":
// https://www.rfc-editor.org/rfc/rfc9242#section-3.3.2. Both lengths stay what
// they were. The result is nil unless head ends in the headers of an SKF payload.
func WholeHead(head []byte) []byte {
	if len(head) < HeaderLen+genericHeaderLen+fragmentHeaderLen {
		return nil
	}
	b := bytes.Clone(head[:len(head)-fragmentHeaderLen])
	next, at := nextPayloadOffset, HeaderLen
	for PayloadType(b[next]) != PayloadSKF {
		if at+genericHeaderLen > len(b) {
			return nil
		}
		n := int(binary.BigEndian.Uint16(b[at+2:]))
		if n < genericHeaderLen {
			return nil
		}
		next, at = at, at+n
	}
	if at+genericHeaderLen != len(b) {
		return nil
	}
	b[next] = byte(PayloadSK)
	return b
}

// nextPayloadOffset is where the IKE header names the first payload.
const nextPayloadOffset = 16
