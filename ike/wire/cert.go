package wire

// Cert is the Certificate payload
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.6).
type Cert struct {
	Encoding CertEncoding
	Data     []byte
}

// Type implements Payload.
func (*Cert) Type() PayloadType { return PayloadCERT }

// AppendBody implements Payload.
func (p *Cert) AppendBody(b []byte) []byte {
	b = append(b, uint8(p.Encoding))
	return append(b, p.Data...)
}

// parseCert parses the body of a CERT payload.
func parseCert(b []byte, base int) (*Cert, error) {
	if len(b) < 1 {
		return nil, malformed(PayloadCERT, base, "no encoding")
	}
	// Cert Encoding (1), Certificate Data (variable).
	return &Cert{Encoding: CertEncoding(b[0]), Data: b[1:]}, nil
}
