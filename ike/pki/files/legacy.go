package files

import (
	"crypto"
	"crypto/x509"
)

// legacyKey reads a key in the encryption that PEM had before PKCS #8 ("Proc-Type: 4,ENCRYPTED"), which OpenSSL wrote by default until
// version 3 and ssh-keygen until 7.8. One round of MD5 makes the key from the passphrase, and nothing but the padding says whether
// it was right: whoever has the file finds a passphrase that people can remember. Such files are read nevertheless, since there
// are many and a gateway that does not start for it is no safer; the configuration warns ([KindLegacyEncrypted]).
func legacyKey(b *block, passphrase []byte) (crypto.Signer, *Error) {
	if b == nil {
		return nil, instead(KindUnknown, aPrivateKey)
	}
	if len(passphrase) == 0 {
		return nil, needsPassphrase()
	}
	//lint:ignore SA1019 deprecated for what is said above
	der, err := x509.DecryptPEMBlock(b.Block, passphrase)
	if err == x509.IncorrectPasswordError {
		return nil, wrongPassphrase()
	}
	if err != nil {
		return nil, malformed("has an encrypted private key that can't be read: %s", reason(err)).with(encryptAgain)
	}
	switch is := identifyDER(der); is {
	case KindPKCS1, KindSEC1, KindPKCS8:
		return decrypted(keyOf(is, der, der, nil, nil))
	default:
		if b.Type == "DSA PRIVATE KEY" {
			return nil, unsupportedKey("DSA")
		}
		return nil, wrongPassphrase()
	}
}
