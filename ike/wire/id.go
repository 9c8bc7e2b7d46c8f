package wire

// ID is an Identification payload, IDi or IDr
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.5).
type ID struct {
	Responder bool // IDr rather than IDi
	IDType    IDType
	// Reserved is zero when we send. It is kept as received since AUTH covers it.
	Reserved [3]byte
	Data     []byte
}

// Type implements Payload: PayloadIDi or PayloadIDr.
func (p *ID) Type() PayloadType {
	if p.Responder {
		return PayloadIDr
	}
	return PayloadIDi
}

// idHeaderLen is the length of ID Type and RESERVED.
const idHeaderLen = 4

// AppendBody implements Payload. What it appends is RestOfInitIDPayload or
// RestOfRespIDPayload, which AUTH covers: "IDType | RESERVED | InitIDData"
// (https://www.rfc-editor.org/rfc/rfc7296#section-2.15).
func (p *ID) AppendBody(b []byte) []byte {
	b = append(b, uint8(p.IDType))
	b = append(b, p.Reserved[:]...)
	return append(b, p.Data...)
}

// parseID parses the body of an IDi or IDr payload. Whether the data is an
// address or a name of the type is a question for those who compare identities.
func parseID(t PayloadType, b []byte, base int) (*ID, error) {
	if len(b) < idHeaderLen {
		return nil, malformed(t, base, "%d octets, at least %d are needed", len(b), idHeaderLen)
	}
	// ID Type (1), RESERVED (3), Identification Data (variable).
	return &ID{
		Responder: t == PayloadIDr,
		IDType:    IDType(b[0]),
		Reserved:  [3]byte(b[1:4]),
		Data:      b[idHeaderLen:],
	}, nil
}
