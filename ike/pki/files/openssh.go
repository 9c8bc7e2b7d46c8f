package files

import (
	"crypto"
	//lint:ignore SA1019 to name a key of DSA when it is refused
	"crypto/dsa"
	"crypto/x509"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"
)

// openSSHKey reads a private key as ssh-keygen makes it. The rounds of its key derivation are bounded by package ssh.
func openSSHKey(file, passphrase []byte) (crypto.Signer, *Error) {
	key, err := ssh.ParseRawPrivateKey(file)
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		if len(passphrase) == 0 {
			return nil, needsPassphrase()
		}
		key, err = ssh.ParseRawPrivateKeyWithPassphrase(file, passphrase)
		if errors.Is(err, x509.IncorrectPasswordError) {
			return nil, wrongPassphrase()
		}
	}
	if err != nil {
		switch {
		case strings.Contains(err.Error(), "exceed maximum"):
			e := tooCostly()
			return nil, e.with("ssh-keygen -p -a 16 -f FILE")
		case strings.Contains(err.Error(), "unhandled key type"), strings.Contains(err.Error(), "unsupported"), strings.Contains(err.Error(), "unknown cipher"):
			return nil, &Error{Reason: Unsupported, What: "has a private key of OpenSSH that is not supported: " + reason(err), Want: "ssh-keygen -p -Z aes256-ctr -f FILE, if it is about the cipher"}
		}
		return nil, malformed("has a private key of OpenSSH that can't be read: %s", reason(err))
	}
	if _, ok := key.(*dsa.PrivateKey); ok {
		return nil, unsupportedKey("DSA")
	}
	return keyResult(key, nil)
}
