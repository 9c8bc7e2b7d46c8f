package files

import "fmt"

// instead is the error about a file that is something else than what was asked for, with what can be done about it.
func instead(is Kind, asked string) *Error {
	e := &Error{Reason: NotThis, What: fmt.Sprintf("is %s, not %s", is, asked)}
	switch is {
	case KindEmpty:
		return &Error{Reason: Empty, What: "is empty", Want: "write " + asked + " into it"}
	case KindUnknown:
		e.What = "is not " + asked + ", in no form that is known"
	case KindTrusted:
		// What OpenSSL has appended to it, uses that are trusted or rejected, would have to be obeyed.
		return e.with("openssl x509 -in FILE -out FILE.pem")
	case KindPKCS7:
		return e.with("openssl pkcs7 -print_certs -in FILE -out FILE.pem (with -inform DER if it is binary)")
	case KindRequest:
		return e.with("have a CA sign it, and name the certificate that it gives back")
	case KindPKCS12:
		return e.with("name it as file in [secrets.pkcs12.NAME], or take it apart: openssl pkcs12 -in FILE -out FILE.pem")
	case KindPuTTY:
		return e.with("puttygen FILE -O private-openssh -o FILE.key")
	case KindSSH2:
		return e.with("ssh-keygen -i -f FILE > FILE.pub")
	case KindJKS:
		return e.with("keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype pkcs12")
	case KindTPM:
		return e.with("keys in a TPM are not supported by this version")
	case KindUTF16:
		return e.with("save it again as plain text")
	case KindBase64:
		return e.with("base64 -d < FILE > FILE.der")
	case KindHTML:
		return e.with("download it again: this is probably an error message")
	case KindPKCS1, KindSEC1, KindPKCS8, KindPKCS8Encrypted, KindLegacyEncrypted, KindOpenSSH:
		switch asked {
		case aPublicKey:
			return e.with("openssl pkey -in FILE -pubout -out FILE.pub")
		case aCertificate:
			return e.with("name the file with the certificate here, and this one in private of [credentials]")
		}
	case KindCertificate:
		switch asked {
		case aPublicKey:
			return e.with("openssl x509 -in FILE -noout -pubkey > FILE.pub")
		case aPrivateKey:
			return e.with("name the file with the private key here, and this one in certs of [connections.NAME.local]")
		}
	default: // no command makes of it what was asked for
	}
	return e
}

// What is asked for.
const (
	aCertificate = "a certificate"
	aPrivateKey  = "a private key"
	aPublicKey   = "a public key"
	aList        = "a certificate revocation list"
	aBundle      = "a PKCS #12 bundle"
)
