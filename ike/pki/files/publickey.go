package files

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"esplanade/ike/pki"
)

// PublicKeys reads the public keys of a file: one in DER, blocks PUBLIC KEY or RSA PUBLIC KEY of PEM, or lines as ssh-keygen writes
// them and authorized_keys has them. Certificates are refused: what they say in addition to the key, such as their end, would not count.
func PublicKeys(data []byte) ([]crypto.PublicKey, error) {
	keys, err := publicKeys(data)
	if err != nil {
		return nil, err
	}
	return keys, nil
}

func publicKeys(data []byte) (out []crypto.PublicKey, _ *Error) {
	if len(data) > MaxKey {
		return nil, tooLarge(MaxKey)
	}
	blocks, bad := pemBlocks(data)
	if bad != nil {
		return nil, bad
	}
	for _, b := range blocks {
		if b.kind == KindParameters {
			continue
		}
		if b.kind != KindSPKI && b.kind != KindPKCS1Public {
			return nil, insteadOf(b, aPublicKey)
		}
		k, err := publicKey(b.kind, b.Bytes)
		if err != nil {
			err.What += fmt.Sprintf(" (line %d)", b.line)
			return nil, err
		}
		out = append(out, k)
	}
	switch is := identifyOther(data); {
	case len(out) > 0:
		return out, nil
	case len(blocks) > 0:
		return nil, insteadOf(blocks[0], aPublicKey)
	case is == KindSSHPublic:
		return sshPublicKeys(data)
	case is == KindSPKI, is == KindPKCS1Public:
		k, err := publicKey(is, data)
		if err != nil {
			return nil, err
		}
		return []crypto.PublicKey{k}, nil
	default:
		return nil, instead(is, aPublicKey)
	}
}

// publicKey reads one in DER.
func publicKey(is Kind, der []byte) (crypto.PublicKey, *Error) {
	if is == KindPKCS1Public {
		k, err := x509.ParsePKCS1PublicKey(der)
		if err != nil {
			return nil, malformed("has a public key that can't be used: %s", reason(err))
		}
		return accepted(k)
	}
	k, err := pki.ParsePublicKey(der)
	if err != nil {
		return nil, keyError(err)
	}
	return k, nil
}

// accepted is the key, if it is one that package pki accepts. It goes through the form in which keys are on the wire.
func accepted(key crypto.PublicKey) (crypto.PublicKey, *Error) {
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err == nil {
		key, err = pki.ParsePublicKey(spki)
	}
	if err != nil {
		return nil, keyError(err)
	}
	return key, nil
}

// keyError is the error about a key that can be read and is not accepted.
func keyError(err error) *Error {
	return &Error{Reason: Refused, What: "has a public key that can't be used: " + reason(err), Want: "use RSA with 2048 bits or more, ECDSA with P-256, P-384 or P-521, Ed25519 or Ed448"}
}

// isSSHPublic reports whether a text begins with a line of authorized_keys.
func isSSHPublic(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		_, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		return err == nil
	}
	return false
}

func sshPublicKeys(data []byte) (out []crypto.PublicKey, _ *Error) {
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		k, _, _, _, err := ssh.ParseAuthorizedKey(line)
		if err != nil {
			return nil, malformed("has a line that is not a public key (line %d)", number)
		}
		c, ok := k.(ssh.CryptoPublicKey)
		//lint:ignore SA1019 to name a key of DSA when it is refused
		if _, isCert := k.(*ssh.Certificate); isCert || !ok || k.Type() == ssh.InsecureKeyAlgoDSA || strings.HasPrefix(k.Type(), "sk-") {
			return nil, unsupportedKey(printable(k.Type()))
		}
		if len(out) == maxPerFile {
			return nil, &Error{Reason: TooLarge, What: fmt.Sprintf("has more than %d public keys", maxPerFile)}
		}
		key, bad := accepted(c.CryptoPublicKey())
		if bad != nil {
			bad.What += fmt.Sprintf(" (line %d)", number)
			return nil, bad
		}
		out = append(out, key)
	}
	return out, nil
}
