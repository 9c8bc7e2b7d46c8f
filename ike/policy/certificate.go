package policy

// Revocation says what becomes of a peer when it can't be found out whether one of the certificates of its chain was revoked. One
// that was revoked is refused under each of them.
type Revocation uint8

// The policies.
const (
	// RevocationRelaxed: it is let in.
	RevocationRelaxed Revocation = iota
	// RevocationIfURI: it is refused if the certificate, or the configuration for its CA, names a place to ask at.
	RevocationIfURI
	// RevocationStrict: it is refused.
	RevocationStrict
)

// Words implements [Word].
func (Revocation) Words() []string { return []string{"relaxed", "ifuri", "strict"} }

// String is the word of the configuration.
func (r Revocation) String() string { return Name(r) }

// SendCert says when this side sends its certificates.
type SendCert uint8

// The policies.
const (
	// SendCertIfAsked: to a peer that has sent CERTREQ.
	SendCertIfAsked SendCert = iota
	// SendCertAlways: to every peer.
	SendCertAlways
	// SendCertNever: to none; the peer has to have them already.
	SendCertNever
)

// Words implements [Word].
func (SendCert) Words() []string { return []string{"ifasked", "always", "never"} }

// String is the word of the configuration.
func (s SendCert) String() string { return Name(s) }

// OCSP says what an IKE SA carries of OCSP (RFC 4806). Whether this side asks a responder over HTTP is not decided by it.
type OCSP uint8

// The policies.
const (
	// OCSPReply: this side sends the state of its own certificates to a peer that asks for it.
	OCSPReply OCSP = iota
	// OCSPRequest: this side asks the peer for the state of its certificates.
	OCSPRequest
	// OCSPBoth: this side asks, and answers.
	OCSPBoth
	// OCSPNever: this side neither asks nor answers.
	OCSPNever
)

// Words implements [Word].
func (OCSP) Words() []string { return []string{"reply", "request", "both", "never"} }

// String is the word of the configuration.
func (o OCSP) String() string { return Name(o) }

// Asks reports whether this side asks the peer for the state of its certificates.
func (o OCSP) Asks() bool { return o == OCSPRequest || o == OCSPBoth }

// Answers reports whether this side sends the state of its certificates to a peer that asks.
func (o OCSP) Answers() bool { return o == OCSPReply || o == OCSPBoth }
