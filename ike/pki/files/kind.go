package files

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Kind is what a file, or a part of one, is.
type Kind uint8

// The kinds. Those from [KindTrusted] on are recognised in order to be refused with a clear word.
const (
	KindUnknown Kind = iota
	KindEmpty
	KindCertificate
	KindCRL
	KindPKCS12
	KindPKCS1          // an RSA private key
	KindSEC1           // an ECDSA private key
	KindPKCS8          // a private key of any kind
	KindPKCS8Encrypted // the same with a passphrase
	KindLegacyEncrypted
	KindOpenSSH     // a private key as ssh-keygen makes it
	KindSPKI        // a public key of any kind
	KindPKCS1Public // an RSA public key
	KindSSHPublic   // a line of authorized_keys
	KindTrusted
	KindRequest
	KindPKCS7
	KindParameters
	KindTPM
	KindPuTTY
	KindSSH2
	KindPGP
	KindJKS
	KindJSON
	KindHTML
	KindUTF16
	KindBase64
	KindText
)

// String says what it is, with its article.
func (k Kind) String() string {
	switch k {
	case KindEmpty:
		return "empty"
	case KindCertificate:
		return "a certificate"
	case KindCRL:
		return "a certificate revocation list"
	case KindPKCS12:
		return "a PKCS #12 bundle"
	case KindPKCS1:
		return "an RSA private key (PKCS #1)"
	case KindSEC1:
		return "an ECDSA private key (SEC 1)"
	case KindPKCS8:
		return "a private key (PKCS #8)"
	case KindPKCS8Encrypted:
		return "an encrypted private key (PKCS #8)"
	case KindLegacyEncrypted:
		return "a private key in the old encryption of PEM"
	case KindOpenSSH:
		return "a private key of OpenSSH"
	case KindSPKI:
		return "a public key"
	case KindPKCS1Public:
		return "an RSA public key (PKCS #1)"
	case KindSSHPublic:
		return "a public key of OpenSSH"
	case KindTrusted:
		return "a certificate in OpenSSL's TRUSTED form"
	case KindRequest:
		return "a certificate request"
	case KindPKCS7:
		return "a PKCS #7 container"
	case KindParameters:
		return "parameters for making keys"
	case KindTPM:
		return "a key wrapped for a TPM 2.0"
	case KindPuTTY:
		return "a private key of PuTTY"
	case KindSSH2:
		return "a public key in the form of RFC 4716"
	case KindPGP:
		return "a file of OpenPGP"
	case KindJKS:
		return "a key store of Java"
	case KindJSON:
		return "JSON"
	case KindHTML:
		return "a web page"
	case KindUTF16:
		return "text in UTF-16"
	case KindBase64:
		return "Base64 without the BEGIN and END lines of PEM"
	case KindText:
		return "some other text"
	default:
		return "something else"
	}
}

// Private reports whether what is in the file must be kept secret: others must not be able to read it.
func (k Kind) Private() bool {
	switch k {
	case KindPKCS12, KindPKCS1, KindSEC1, KindPKCS8, KindPKCS8Encrypted, KindLegacyEncrypted, KindOpenSSH, KindPuTTY, KindTPM:
		return true
	default:
		return false
	}
}

// Identify says what the first thing in a file is. It only looks at its outside: that it is a certificate does not mean that it
// can be read as one.
func Identify(data []byte) Kind {
	if blocks, _ := pemBlocks(data); len(blocks) > 0 {
		return blocks[0].kind
	}
	return identifyOther(data)
}

// identifyOther is Identify for what is not PEM.
func identifyOther(data []byte) Kind {
	text := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	has := func(prefix string) bool { return bytes.HasPrefix(text, []byte(prefix)) }
	switch {
	case len(text) == 0:
		return KindEmpty
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return KindUTF16
	case bytes.HasPrefix(data, []byte("\xfe\xed\xfe\xed")):
		return KindJKS
	case has("PuTTY-User-Key-File"):
		return KindPuTTY
	case has("---- BEGIN SSH2 PUBLIC KEY"):
		return KindSSH2
	case has("<!") || has("<html") || has("<HTML") || has("<?xml"):
		return KindHTML
	case has("{"):
		return KindJSON
	}
	if k := identifyDER(data); k != KindUnknown {
		return k
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return KindUnknown
	}
	if isSSHPublic(string(text)) {
		return KindSSHPublic
	}
	if der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(text)), "")); err == nil && identifyDER(der) != KindUnknown {
		return KindBase64
	}
	return KindText
}

// kindOfBlock is the kind of a block of PEM by its label; old says that it has the header of the old encryption.
func kindOfBlock(label string, old bool) Kind {
	switch {
	case old && strings.HasSuffix(label, "PRIVATE KEY"):
		return KindLegacyEncrypted
	case label == "CERTIFICATE", label == "X509 CERTIFICATE":
		return KindCertificate
	case label == "TRUSTED CERTIFICATE":
		return KindTrusted
	case label == "CERTIFICATE REQUEST", label == "NEW CERTIFICATE REQUEST":
		return KindRequest
	case label == "X509 CRL":
		return KindCRL
	case label == "PKCS7", label == "CMS", label == "PKCS #7 SIGNED DATA":
		return KindPKCS7
	case label == "RSA PRIVATE KEY":
		return KindPKCS1
	case label == "EC PRIVATE KEY":
		return KindSEC1
	case label == "PRIVATE KEY":
		return KindPKCS8
	case label == "ENCRYPTED PRIVATE KEY":
		return KindPKCS8Encrypted
	case label == "OPENSSH PRIVATE KEY":
		return KindOpenSSH
	case label == "PUBLIC KEY":
		return KindSPKI
	case label == "RSA PUBLIC KEY":
		return KindPKCS1Public
	case label == "EC PARAMETERS", label == "DH PARAMETERS", label == "DSA PARAMETERS", label == "X9.42 DH PARAMETERS":
		return KindParameters
	case label == "TSS2 PRIVATE KEY":
		return KindTPM
	case strings.HasPrefix(label, "PGP "):
		return KindPGP
	}
	return KindUnknown
}

// identifyDER tells the structures apart by their first elements.
func identifyDER(der []byte) Kind {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) {
		return KindUnknown
	}
	switch {
	case seq.PeekASN1Tag(asn1.OBJECT_IDENTIFIER):
		return KindPKCS7 // ContentInfo; a bundle begins with its version
	case seq.PeekASN1Tag(asn1.INTEGER):
		return identifyVersioned(seq)
	case !seq.PeekASN1Tag(asn1.SEQUENCE):
		return KindUnknown
	}
	var first cryptobyte.String
	seq.ReadASN1(&first, asn1.SEQUENCE)
	switch {
	case first.PeekASN1Tag(asn1.OBJECT_IDENTIFIER) && seq.PeekASN1Tag(asn1.BIT_STRING):
		return KindSPKI
	case first.PeekASN1Tag(asn1.OBJECT_IDENTIFIER) && seq.PeekASN1Tag(asn1.OCTET_STRING):
		return KindPKCS8Encrypted
	case seq.PeekASN1Tag(asn1.SEQUENCE):
		return identifySigned(first)
	}
	return KindUnknown
}

// identifyVersioned is for a structure that begins with a number.
func identifyVersioned(seq cryptobyte.String) Kind {
	var number cryptobyte.String
	if !seq.ReadASN1(&number, asn1.INTEGER) {
		return KindUnknown
	}
	switch {
	case seq.PeekASN1Tag(asn1.OCTET_STRING):
		return KindSEC1
	case seq.PeekASN1Tag(asn1.INTEGER):
		var next cryptobyte.String
		if seq.ReadASN1(&next, asn1.INTEGER) && seq.Empty() {
			return KindPKCS1Public
		}
		return KindPKCS1
	case seq.PeekASN1Tag(asn1.SEQUENCE):
		var algorithm cryptobyte.String
		if len(number) == 1 && number[0] == 3 {
			return KindPKCS12
		}
		if seq.ReadASN1(&algorithm, asn1.SEQUENCE) && seq.PeekASN1Tag(asn1.OCTET_STRING) {
			return KindPKCS8
		}
	}
	return KindUnknown
}

// identifySigned tells what has been signed: a certificate, a list or a request.
func identifySigned(tbs cryptobyte.String) Kind {
	var number, algorithm, name cryptobyte.String
	explicit := asn1.Tag(0).Constructed().ContextSpecific()
	if tbs.PeekASN1Tag(explicit) {
		return KindCertificate // its version
	}
	if tbs.PeekASN1Tag(asn1.INTEGER) && !tbs.ReadASN1(&number, asn1.INTEGER) {
		return KindUnknown
	}
	// A certificate of version 1 has serial number, algorithm and issuer; a list version, algorithm and issuer; what follows is the
	// validity of the one and a date in the other. A request has version, subject and a key.
	if !tbs.ReadASN1(&algorithm, asn1.SEQUENCE) || !tbs.ReadASN1(&name, asn1.SEQUENCE) {
		return KindUnknown
	}
	switch {
	case tbs.PeekASN1Tag(asn1.UTCTime), tbs.PeekASN1Tag(asn1.GeneralizedTime):
		return KindCRL
	case tbs.PeekASN1Tag(explicit):
		return KindRequest
	case tbs.PeekASN1Tag(asn1.SEQUENCE):
		return KindCertificate
	}
	return KindUnknown
}

// HasPrivateKey reports whether a private key is among the blocks of a file.
func HasPrivateKey(data []byte) bool {
	blocks, _ := pemBlocks(data)
	return slices.ContainsFunc(blocks, func(b block) bool { return b.kind.Private() })
}
