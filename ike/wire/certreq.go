package wire

// CertReq is the Certificate Request payload
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.7).
type CertReq struct {
	Encoding CertEncoding
	// Authorities is "a concatenated list of SHA-1 hashes of the public keys of
	// trusted Certification Authorities" for the X.509 encodings; for others its
	// form depends on the encoding. It may be empty.
	Authorities []byte
}

// Type implements Payload.
func (*CertReq) Type() PayloadType { return PayloadCERTREQ }

// authorityLen is the length of the SHA-1 hash of a CA's SubjectPublicKeyInfo.
const authorityLen = 20

// MaxAuthorities is how many hashes fit a CERTREQ payload.
const MaxAuthorities = (MaxBodyLen - 1) / authorityLen

// AppendBody implements Payload. If there are more authorities than fit, the
// first ones are sent: they are but hints which certificate to choose.
func (p *CertReq) AppendBody(b []byte) []byte {
	b = append(b, uint8(p.Encoding))
	authorities := p.Authorities
	if len(authorities) > MaxBodyLen-1 {
		authorities = authorities[:MaxAuthorities*authorityLen]
	}
	return append(b, authorities...)
}

// Hashes splits Authorities into the SHA-1 hashes it consists of with the X.509
// encodings; false if its length isn't a multiple of theirs.
func (p *CertReq) Hashes() ([][authorityLen]byte, bool) {
	if len(p.Authorities)%authorityLen != 0 {
		return nil, false
	}
	hashes := make([][authorityLen]byte, 0, len(p.Authorities)/authorityLen)
	for b := p.Authorities; len(b) > 0; b = b[authorityLen:] {
		hashes = append(hashes, [authorityLen]byte(b))
	}
	return hashes, true
}

// parseCertReq parses the body of a CERTREQ payload.
func parseCertReq(b []byte, base int) (*CertReq, error) {
	if len(b) < 1 {
		return nil, malformed(PayloadCERTREQ, base, "no encoding")
	}
	// Cert Encoding (1), Certification Authority (variable).
	return &CertReq{Encoding: CertEncoding(b[0]), Authorities: b[1:]}, nil
}
