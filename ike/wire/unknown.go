package wire

// Unknown is a payload whose type isn't understood and which wasn't critical; it
// is to be skipped (https://www.rfc-editor.org/rfc/rfc7296#section-2.5). To send
// one with the critical bit is possible, for tests of peers.
type Unknown struct {
	PayloadType PayloadType
	Critical    bool
	Body        []byte
}

// Type implements Payload.
func (p *Unknown) Type() PayloadType { return p.PayloadType }

// AppendBody implements Payload.
func (p *Unknown) AppendBody(b []byte) []byte { return append(b, p.Body...) }
