package pki

// The bounds on what a peer can make this side read and compute before it is authenticated.
const (
	// MaxCertificate is the size of a certificate in bytes. Those of gateways have one to two thousand.
	MaxCertificate = 16 << 10
	// MaxPresented is the number of certificates of a peer, and MaxPresentedBytes the size of them all.
	MaxPresented      = 16
	MaxPresentedBytes = 64 << 10
	// MaxKnown is the number of certificates and keys that are tried for a peer that has sent none.
	MaxKnown = 8

	// minRSABits is the least strength accepted. RFC 8247, section 3.1.1, has 2048 bits as a MUST and fewer as a SHOULD NOT.
	minRSABits = 2048
	// maxRSABits bounds the time that a verification takes; crypto/tls has the same bound.
	maxRSABits = 8192
	// maxRSAExponent is that of crypto/rsa.
	maxRSAExponent = 1<<31 - 1

	// maxExtensions is the number of extensions of a certificate.
	maxExtensions = 64
	// maxSerial is the size of a serial number in bytes: "Certificate users MUST be able to handle serialNumber values up
	// to 20 octets. Conforming CAs MUST NOT use serialNumber values longer than 20 octets"
	// https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.2
	maxSerial = 20

	// maxUnvouched is the number of intermediate certificates of a peer that may be tried without knowing that a trusted CA
	// has issued them. The ways to combine them grow with their factorial.
	maxUnvouched = 2
	// maxVouching is the number of signatures verified to find those that a trusted CA has issued.
	maxVouching = MaxPresented
	// maxExplaining is the number of signatures verified to find out why a peer is refused.
	maxExplaining = 8
)
