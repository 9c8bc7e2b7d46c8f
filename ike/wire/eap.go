package wire

import "encoding/binary"

// EAP is the EAP payload: one EAP message of RFC 3748
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.16).
type EAP struct {
	Code       uint8  // EAPRequest, EAPResponse, EAPSuccess, EAPFailure, …
	Identifier uint8  // matches responses with requests
	Data       []byte // after the 4-octet EAP header: type and type data
}

// Type implements Payload.
func (*EAP) Type() PayloadType { return PayloadEAP }

// eapHeaderLen is the length of Code, Identifier and Length
// (https://www.rfc-editor.org/rfc/rfc3748#section-4).
const eapHeaderLen = 4

// Method gives the EAP method type of a request or response and the type data;
// false if the message has none, as Success and Failure.
func (p *EAP) Method() (method uint8, data []byte, ok bool) {
	if len(p.Data) == 0 || p.Code == EAPSuccess || p.Code == EAPFailure {
		return 0, nil, false
	}
	return p.Data[0], p.Data[1:], true
}

// AppendBody implements Payload.
func (p *EAP) AppendBody(b []byte) []byte {
	if len(p.Data) > MaxBodyLen-eapHeaderLen {
		panic("wire: BUG: EAP payload is too long to be sent")
	}
	b = append(b, p.Code, p.Identifier)
	b = binary.BigEndian.AppendUint16(b, uint16(eapHeaderLen+len(p.Data)))
	return append(b, p.Data...)
}

// parseEAP parses the body of an EAP payload, one EAP message.
func parseEAP(b []byte, base int) (*EAP, error) {
	if len(b) < eapHeaderLen {
		return nil, malformed(PayloadEAP, base, "%d octets, at least %d are needed", len(b), eapHeaderLen)
	}
	// Code (1), Identifier (1), Length (2), Type (1), Type_Data (variable).
	// "The length of the EAP message. MUST be four less than the Payload Length
	// of the encapsulating payload."
	// https://www.rfc-editor.org/rfc/rfc7296#section-3.16
	if length := int(binary.BigEndian.Uint16(b[2:])); length != len(b) {
		return nil, malformed(PayloadEAP, base+2, "EAP length %d in %d octets", length, len(b))
	}
	e := &EAP{Code: b[0], Identifier: b[1]}
	if len(b) > eapHeaderLen {
		e.Data = b[eapHeaderLen:]
	}
	switch e.Code {
	case EAPRequest, EAPResponse:
		if len(e.Data) == 0 {
			return nil, malformed(PayloadEAP, base, "%s without a type", EAPCodeName(e.Code))
		}
	case EAPSuccess, EAPFailure:
		// "Length: 4". https://www.rfc-editor.org/rfc/rfc3748#section-4.2
		if len(e.Data) != 0 {
			return nil, malformed(PayloadEAP, base, "%s with data", EAPCodeName(e.Code))
		}
	}
	return e, nil
}
