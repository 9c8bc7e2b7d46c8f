package wire

// The lengths a nonce may have: "The size of the Nonce Data MUST be between 16
// and 256 octets, inclusive"
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.9).
const (
	MinNonceLen = 16
	MaxNonceLen = 256
)

// Nonce is the Nonce payload, Ni or Nr.
type Nonce struct {
	Data []byte // MinNonceLen to MaxNonceLen octets
}

// Type implements Payload.
func (*Nonce) Type() PayloadType { return PayloadNonce }

// AppendBody implements Payload.
func (p *Nonce) AppendBody(b []byte) []byte { return append(b, p.Data...) }

// parseNonce parses the body of a Nonce payload.
func parseNonce(b []byte, base int) (*Nonce, error) {
	if len(b) < MinNonceLen || len(b) > MaxNonceLen {
		return nil, malformed(PayloadNonce, base, "nonce of %d octets, it must have %d to %d", len(b), MinNonceLen, MaxNonceLen)
	}
	return &Nonce{Data: b}, nil
}
