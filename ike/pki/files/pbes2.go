package files

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	encoding "encoding/asn1"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/scrypt"
)

// What a file may ask for before its passphrase is known to be right. OpenSSL writes 2048 iterations, or scrypt with N = 16384 and
// r = 8; what people set by hand is a million.
const (
	// MaxIterations bounds those of PBKDF2 and of PKCS #12: a few seconds.
	MaxIterations = 5_000_000
	// maxScryptMemory bounds the memory of scrypt, 128 * N * r bytes, and maxScryptWork what it computes, N * r * p.
	maxScryptMemory = 256 << 20
	maxScryptWork   = 1 << 23
	// maxSalt bounds salts.
	maxSalt = 1024
)

// The object identifiers of PBES2, https://www.rfc-editor.org/rfc/rfc8018#appendix-C and RFC 7914.
const (
	oidPBES2  = "1.2.840.113549.1.5.13"
	oidPBKDF2 = "1.2.840.113549.1.5.12"
	oidScrypt = "1.3.6.1.4.1.11591.4.11"

	oidHMACSHA1       = "1.2.840.113549.2.7"
	oidHMACSHA224     = "1.2.840.113549.2.8"
	oidHMACSHA256     = "1.2.840.113549.2.9"
	oidHMACSHA384     = "1.2.840.113549.2.10"
	oidHMACSHA512     = "1.2.840.113549.2.11"
	oidHMACSHA512_224 = "1.2.840.113549.2.12"
	oidHMACSHA512_256 = "1.2.840.113549.2.13"

	oidAES128CBC  = "2.16.840.1.101.3.4.1.2"
	oidAES192CBC  = "2.16.840.1.101.3.4.1.22"
	oidAES256CBC  = "2.16.840.1.101.3.4.1.42"
	oidAES128GCM  = "2.16.840.1.101.3.4.1.6"
	oidAES192GCM  = "2.16.840.1.101.3.4.1.26"
	oidAES256GCM  = "2.16.840.1.101.3.4.1.46"
	oidDESEDE3CBC = "1.2.840.113549.3.7"
)

// encryptAgain is how a key comes out of an encryption that is not supported.
const encryptAgain = "openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out FILE.new"

// decryptPKCS8 decrypts an EncryptedPrivateKeyInfo (RFC 5958 section 3) of PBES2.
func decryptPKCS8(der, passphrase []byte) ([]byte, *Error) {
	broken := malformed("has an encrypted private key whose encoding is broken").with("write it again")
	in := cryptobyte.String(der)
	var info, algorithm, params, kdf, scheme, data cryptobyte.String
	if !in.ReadASN1(&info, asn1.SEQUENCE) || !in.Empty() || !info.ReadASN1(&algorithm, asn1.SEQUENCE) ||
		!info.ReadASN1(&data, asn1.OCTET_STRING) || !info.Empty() {
		return nil, broken
	}
	switch oid, ok := readOID(&algorithm); {
	case !ok:
		return nil, broken
	case oid != oidPBES2:
		// PBES1 has DES, RC2, or one MD5: none of it keeps a key secret, and nobody has to make such a file any more.
		return nil, &Error{Reason: Unsupported, What: "is encrypted in an old way (" + oid + ")", Want: encryptAgain}
	}
	if !algorithm.ReadASN1(&params, asn1.SEQUENCE) || !algorithm.Empty() || !params.ReadASN1(&kdf, asn1.SEQUENCE) ||
		!params.ReadASN1(&scheme, asn1.SEQUENCE) || !params.Empty() {
		return nil, broken
	}
	name, ok := readOID(&scheme)
	c, known := scheme2(name)
	if !ok || !known {
		return nil, &Error{Reason: Unsupported, What: "is encrypted with a cipher that is not supported (" + name + ")", Want: encryptAgain}
	}
	key, err := deriveKey(kdf, passphrase, c.keyLen)
	if err != nil {
		return nil, err
	}
	return c.open(key, scheme, data)
}

// pbeCipher is a cipher of PBES2.
type pbeCipher struct {
	keyLen int
	block  func([]byte) (cipher.Block, error)
	gcm    bool
}

func scheme2(oid string) (pbeCipher, bool) {
	switch oid {
	case oidAES128CBC:
		return pbeCipher{16, aes.NewCipher, false}, true
	case oidAES192CBC:
		return pbeCipher{24, aes.NewCipher, false}, true
	case oidAES256CBC:
		return pbeCipher{32, aes.NewCipher, false}, true
	case oidAES128GCM:
		return pbeCipher{16, aes.NewCipher, true}, true
	case oidAES192GCM:
		return pbeCipher{24, aes.NewCipher, true}, true
	case oidAES256GCM:
		return pbeCipher{32, aes.NewCipher, true}, true
	case oidDESEDE3CBC:
		return pbeCipher{24, des.NewTripleDESCipher, false}, true
	}
	return pbeCipher{}, false
}

// open decrypts. params are the parameters of the cipher: an IV, or those of GCM (RFC 5084 section 3.2).
func (c pbeCipher) open(key []byte, params cryptobyte.String, data []byte) ([]byte, *Error) {
	broken := malformed("has an encrypted private key whose encoding is broken").with("write it again")
	b, err := c.block(key)
	if err != nil {
		return nil, broken
	}
	var iv cryptobyte.String
	if !c.gcm {
		if !params.ReadASN1(&iv, asn1.OCTET_STRING) || !params.Empty() || len(iv) != b.BlockSize() || len(data) == 0 || len(data)%b.BlockSize() != 0 {
			return nil, broken
		}
		out := bytes.Clone(data)
		cipher.NewCBCDecrypter(b, iv).CryptBlocks(out, out)
		return unpad(out, b.BlockSize())
	}
	var seq cryptobyte.String
	tag := uint(12)
	if !params.ReadASN1(&seq, asn1.SEQUENCE) || !params.Empty() || !seq.ReadASN1(&iv, asn1.OCTET_STRING) ||
		!seq.Empty() && !seq.ReadASN1Integer(&tag) || len(iv) == 0 || len(iv) > maxSalt || tag < 12 || tag > 16 {
		return nil, broken
	}
	var aead cipher.AEAD
	if tag == 16 {
		aead, err = cipher.NewGCMWithNonceSize(b, len(iv))
	} else if len(iv) == 12 {
		aead, err = cipher.NewGCMWithTagSize(b, int(tag))
	} else {
		return nil, broken
	}
	if err != nil {
		return nil, broken
	}
	out, err := aead.Open(nil, iv, data, nil)
	if err != nil {
		return nil, wrongPassphrase()
	}
	return out, nil
}

// unpad takes the padding of RFC 8018 section 6.1.1 off.
func unpad(data []byte, size int) ([]byte, *Error) {
	n := int(data[len(data)-1])
	if n == 0 || n > size || !bytes.Equal(data[len(data)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, wrongPassphrase()
	}
	return data[:len(data)-n], nil
}

// deriveKey makes the key of so many octets.
func deriveKey(kdf cryptobyte.String, passphrase []byte, n int) ([]byte, *Error) {
	switch oid, ok := readOID(&kdf); {
	case ok && oid == oidPBKDF2:
		return derivePBKDF2(kdf, passphrase, n)
	case ok && oid == oidScrypt:
		return deriveScrypt(kdf, passphrase, n)
	case ok:
		return nil, &Error{Reason: Unsupported, What: "makes its key in a way that is not supported (" + oid + ")", Want: encryptAgain}
	}
	return nil, malformed("has an encrypted private key whose encoding is broken").with("write it again")
}

// derivePBKDF2 is https://www.rfc-editor.org/rfc/rfc8018#appendix-A.2.
func derivePBKDF2(kdf cryptobyte.String, passphrase []byte, n int) ([]byte, *Error) {
	broken := malformed("has an encrypted private key with broken parameters of PBKDF2").with(encryptAgain)
	var params, salt, prf cryptobyte.String
	var iterations, length uint64
	if !kdf.ReadASN1(&params, asn1.SEQUENCE) || !kdf.Empty() || !params.ReadASN1(&salt, asn1.OCTET_STRING) || len(salt) > maxSalt ||
		!params.ReadASN1Integer(&iterations) || iterations == 0 {
		return nil, broken
	}
	if params.PeekASN1Tag(asn1.INTEGER) && (!params.ReadASN1Integer(&length) || length != uint64(n)) {
		return nil, broken
	}
	name := oidHMACSHA1 // the default
	if !params.Empty() {
		ok := params.ReadASN1(&prf, asn1.SEQUENCE) && params.Empty()
		if ok {
			name, ok = readOID(&prf)
		}
		if !ok {
			return nil, broken
		}
	}
	h := prfHash(name)
	switch {
	case h == nil:
		return nil, &Error{Reason: Unsupported, What: "makes its key with a function that is not supported (" + name + ")", Want: encryptAgain}
	case iterations > MaxIterations:
		return nil, tooCostly()
	}
	key, err := pbkdf2.Key(h, string(passphrase), salt, int(iterations), n)
	if err != nil {
		return nil, broken
	}
	return key, nil
}

func prfHash(oid string) func() hash.Hash {
	switch oid {
	case oidHMACSHA1:
		return sha1.New
	case oidHMACSHA224:
		return sha256.New224
	case oidHMACSHA256:
		return sha256.New
	case oidHMACSHA384:
		return sha512.New384
	case oidHMACSHA512:
		return sha512.New
	case oidHMACSHA512_224:
		return sha512.New512_224
	case oidHMACSHA512_256:
		return sha512.New512_256
	}
	return nil
}

// deriveScrypt is https://www.rfc-editor.org/rfc/rfc7914#section-7.
func deriveScrypt(kdf cryptobyte.String, passphrase []byte, n int) ([]byte, *Error) {
	broken := malformed("has an encrypted private key with broken parameters of scrypt").with(encryptAgain)
	var params, salt cryptobyte.String
	var cost, size, parallel, length uint64
	if !kdf.ReadASN1(&params, asn1.SEQUENCE) || !kdf.Empty() || !params.ReadASN1(&salt, asn1.OCTET_STRING) || len(salt) > maxSalt ||
		!params.ReadASN1Integer(&cost) || !params.ReadASN1Integer(&size) || !params.ReadASN1Integer(&parallel) ||
		!params.Empty() && (!params.ReadASN1Integer(&length) || length != uint64(n)) || !params.Empty() {
		return nil, broken
	}
	// Each is bounded first, so that the products do not overflow.
	const most = maxScryptMemory / 128
	if cost > most || size > most || parallel > most || cost*size > most || cost*size*parallel > maxScryptWork {
		return nil, tooCostly()
	}
	key, err := scrypt.Key(passphrase, salt, int(cost), int(size), int(parallel), n)
	if err != nil {
		return nil, broken
	}
	return key, nil
}

func tooCostly() *Error {
	return &Error{Reason: TooCostly, What: "asks for more work than is done to decrypt a file", Want: encryptAgain}
}

// readOID reads an object identifier and gives its dotted name.
func readOID(s *cryptobyte.String) (string, bool) {
	var oid encoding.ObjectIdentifier
	if !s.ReadASN1ObjectIdentifier(&oid) {
		return "", false
	}
	return oid.String(), true
}
