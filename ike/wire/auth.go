package wire

// Auth is the Authentication payload
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.8).
type Auth struct {
	Method AuthMethod
	Data   []byte
}

// Type implements Payload.
func (*Auth) Type() PayloadType { return PayloadAUTH }

// authHeaderLen is the length of Auth Method and RESERVED.
const authHeaderLen = 4

// AppendBody implements Payload.
func (p *Auth) AppendBody(b []byte) []byte {
	b = append(b, uint8(p.Method), 0, 0, 0)
	return append(b, p.Data...)
}

// parseAuth parses the body of an AUTH payload.
func parseAuth(b []byte, base int) (*Auth, error) {
	if len(b) < authHeaderLen {
		return nil, malformed(PayloadAUTH, base, "%d octets, at least %d are needed", len(b), authHeaderLen)
	}
	// Auth Method (1), RESERVED (3), Authentication Data (variable).
	return &Auth{Method: AuthMethod(b[0]), Data: b[authHeaderLen:]}, nil
}
