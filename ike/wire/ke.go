package wire

import "encoding/binary"

// KE is the Key Exchange payload
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.4).
type KE struct {
	Group uint16 // transform ID of the key exchange method, a KE_ constant
	Data  []byte // public value, not checked against the method
}

// Type implements Payload.
func (*KE) Type() PayloadType { return PayloadKE }

// keHeaderLen is the length of "Diffie-Hellman Group Num" and RESERVED.
const keHeaderLen = 4

// AppendBody implements Payload.
func (p *KE) AppendBody(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, p.Group)
	b = append(b, 0, 0)
	return append(b, p.Data...)
}

// parseKE parses the body of a KE payload.
func parseKE(b []byte, base int) (*KE, error) {
	if len(b) < keHeaderLen {
		return nil, malformed(PayloadKE, base, "%d octets, at least %d are needed", len(b), keHeaderLen)
	}
	// Diffie-Hellman Group Num (2), RESERVED (2), Key Exchange Data (variable).
	return &KE{Group: binary.BigEndian.Uint16(b), Data: b[keHeaderLen:]}, nil
}
