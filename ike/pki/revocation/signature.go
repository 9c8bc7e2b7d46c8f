package revocation

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"

	"esplanade/ike/pki"
)

// accepted are the algorithms of signatures: those of the standard library with SHA-256 and up. SHA-1 is not: whoever may choose a part
// of what is signed, as the serial number in a request to a responder, could have two meanings signed at once.
var accepted = [...]x509.SignatureAlgorithm{
	x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
	x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512, x509.PureEd25519,
}

// checkSignature verifies a signature with the key of a certificate.
func checkSignature(signer *x509.Certificate, alg x509.SignatureAlgorithm, signed, signature []byte) error {
	if _, err := pki.PublicKey(signer); err != nil {
		return fmt.Errorf("the key of %q is not accepted: %w", pki.Subject(signer), err)
	}
	for _, a := range accepted {
		if a == alg {
			if err := signer.CheckSignature(alg, signed, signature); err != nil {
				return fmt.Errorf("its signature is not that of %q: %w", pki.Subject(signer), err)
			}
			return nil
		}
	}
	if alg == x509.UnknownSignatureAlgorithm {
		return errors.New("its signature is of an algorithm that is not known")
	}
	return fmt.Errorf("its signature is of the algorithm %s, which is not accepted", alg)
}

// algorithms are the AlgorithmIdentifiers of signatures in DER, as RFC 4055, RFC 5758 and RFC 8410 want them.
var algorithms = []struct {
	der string
	alg x509.SignatureAlgorithm
}{
	{"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00", x509.SHA256WithRSA},
	{"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00", x509.SHA384WithRSA},
	{"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00", x509.SHA512WithRSA},
	{"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00", x509.SHA1WithRSA},
	{"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", x509.ECDSAWithSHA256},
	{"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03", x509.ECDSAWithSHA384},
	{"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04", x509.ECDSAWithSHA512},
	{"\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01", x509.ECDSAWithSHA1},
	{"\x30\x05\x06\x03\x2b\x65\x70", x509.PureEd25519},
	{pss("\x01", "\x20"), x509.SHA256WithRSAPSS},
	{pss("\x02", "\x30"), x509.SHA384WithRSAPSS},
	{pss("\x03", "\x40"), x509.SHA512WithRSAPSS},
}

// pss is id-RSASSA-PSS with one hash for everything, given by the last arc of its identifier, and salt of the same length.
func pss(arc, salt string) string {
	hash := "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" + arc + "\x05\x00"
	return "\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f" + hash +
		"\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" + hash + "\xa2\x03\x02\x01" + salt
}

// algorithmOf finds the algorithm of an AlgorithmIdentifier.
func algorithmOf(der []byte) x509.SignatureAlgorithm {
	for _, a := range algorithms {
		if bytes.Equal(der, []byte(a.der)) {
			return a.alg
		}
	}
	return x509.UnknownSignatureAlgorithm
}
