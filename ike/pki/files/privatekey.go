package files

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
)

// PrivateKey reads the private key of a file. The passphrase is for one that is encrypted, and is passed over where none is:
// a key that was decrypted in place works on with the passphrase still configured.
//
// In a file of several blocks the one private key among them is meant. Two are an error: which one counts would be a guess.
func PrivateKey(data, passphrase []byte) (crypto.Signer, error) {
	s, err := privateKey(data, passphrase)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func privateKey(data, passphrase []byte) (crypto.Signer, *Error) {
	if len(data) > MaxKey {
		return nil, tooLarge(MaxKey)
	}
	blocks, bad := pemBlocks(data)
	if bad != nil {
		return nil, bad
	}
	var key *block
	for i, b := range blocks {
		switch {
		case !b.kind.Private():
		case key != nil:
			return nil, malformed("has several private keys (lines %d and %d)", key.line, b.line).with("write each into a file of its own")
		default:
			key = &blocks[i]
		}
	}
	switch {
	case key != nil:
		return keyOf(key.kind, key.Bytes, data, key, passphrase)
	case len(blocks) > 0:
		return nil, insteadOf(blocks[0], aPrivateKey)
	}
	is := identifyOther(data)
	return keyOf(is, data, data, nil, passphrase)
}

// keyOf reads a key of a kind. file is the whole file and b its block of PEM, which is nil for one in DER.
func keyOf(is Kind, der, file []byte, b *block, passphrase []byte) (crypto.Signer, *Error) {
	switch is {
	case KindPKCS1:
		k, err := x509.ParsePKCS1PrivateKey(der)
		return keyResult(k, err)
	case KindSEC1:
		k, err := x509.ParseECPrivateKey(der)
		return keyResult(k, err)
	case KindPKCS8:
		return parsePKCS8(der)
	case KindPKCS8Encrypted:
		if len(passphrase) == 0 {
			return nil, needsPassphrase()
		}
		plain, err := decryptPKCS8(der, passphrase)
		if err != nil {
			return nil, err
		}
		return decrypted(parsePKCS8(plain))
	case KindLegacyEncrypted:
		return legacyKey(b, passphrase)
	case KindOpenSSH:
		return openSSHKey(file, passphrase)
	default:
		return nil, instead(is, aPrivateKey)
	}
}

func needsPassphrase() *Error {
	return &Error{Reason: NeedsPassphrase, What: "is encrypted", Want: "write its passphrase as secret"}
}

func wrongPassphrase() *Error {
	return &Error{Reason: WrongPassphrase, What: "can't be decrypted with this passphrase", Want: "write the passphrase that it was encrypted with"}
}

// decrypted turns the errors of what was decrypted into what they nearly always mean: one passphrase in 256 looks right until
// the key is read.
func decrypted(s crypto.Signer, err *Error) (crypto.Signer, *Error) {
	if err != nil && err.Reason == Malformed {
		return nil, wrongPassphrase()
	}
	return s, err
}

// keyResult turns what the standard library returns into a key that signs.
func keyResult(key any, err error) (crypto.Signer, *Error) {
	if err != nil {
		// Of a damaged key the message of another package could show a part.
		var syntax asn1.SyntaxError
		var structural asn1.StructuralError
		if errors.As(err, &syntax) || errors.As(err, &structural) {
			return nil, malformed("has a private key whose encoding is broken").with("write it again")
		}
		return nil, malformed("has a private key that can't be used: %s", reason(err))
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return k, nil
	case *ecdsa.PrivateKey:
		return k, nil
	case ed25519.PrivateKey:
		return k, nil
	case *ed25519.PrivateKey:
		return *k, nil
	}
	return nil, unsupportedKey(fmt.Sprintf("%T", key))
}

// unsupportedKey is the error about a key that makes no signatures that IKE has.
func unsupportedKey(what string) *Error {
	return &Error{Reason: Unsupported, What: "has a key of a kind that makes no signatures of IKE (" + what + ")",
		Want: "use RSA, ECDSA with P-256, P-384 or P-521, Ed25519 or Ed448"}
}
