package eap

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"unicode/utf16"

	//lint:ignore SA1019 RFC 2759 has no other hash
	"golang.org/x/crypto/md4"
)

// MaxPassword is the length of the longest password in bytes of UTF-8, which a GTC response has to hold.
const MaxPassword = 512

// Secret is what a user proves: a password, or its NT hash, with which only MSCHAPv2 and what shows the password itself can work. The zero value
// is none. It prints as a placeholder.
type Secret struct {
	redacted
	v *secretValue // not changed

	// Expired has a right password refused until it is changed, which MSCHAPv2 tells the client.
	Expired bool
	// Locked has a right password refused.
	Locked bool
}

type secretValue struct {
	isPlain bool
	plain   string
	nt      [16]byte
}

// Password is a secret that is a password, in UTF-8.
func Password(plain string) Secret {
	return Secret{v: &secretValue{isPlain: true, plain: plain, nt: ntHash(plain)}}
}

// NTHash is a secret of which only the MD4 of the password in UTF-16 is known.
func NTHash(hash [16]byte) Secret { return Secret{v: &secretValue{nt: hash}} }

// None reports whether there is no secret at all.
func (s Secret) None() bool { return s.v == nil }

// Plain is the password itself; ok is false if only its hash is known.
func (s Secret) Plain() (password string, ok bool) {
	if s.v == nil {
		return "", false
	}
	return s.v.plain, s.v.isPlain
}

// NT is the NT hash; ok is false if there is no secret.
func (s Secret) NT() (hash [16]byte, ok bool) {
	if s.v == nil {
		return hash, false
	}
	return s.v.nt, true
}

// Is reports whether a password is that of the secret, in the same time whether it is or not. Of no secret no password is.
func (s Secret) Is(password []byte) bool {
	if s.v == nil || len(password) > MaxPassword {
		return false
	}
	// Both are compared in either case, so that how a password is kept does not show.
	nt := ntHash(string(password))
	sameNT := subtle.ConstantTimeCompare(nt[:], s.v.nt[:])
	got, want := sha256.Sum256(password), sha256.Sum256([]byte(s.v.plain))
	samePlain := subtle.ConstantTimeCompare(got[:], want[:])
	if s.v.isPlain {
		return samePlain == 1
	}
	return sameNT == 1
}

// ntHash is NtPasswordHash of RFC 2759 section 8.3.
func ntHash(password string) [16]byte { return md4Sum(utf16le(password)) }

func md4Sum(b []byte) [md4.Size]byte {
	h := md4.New()
	h.Write(b)
	return [md4.Size]byte(h.Sum(nil))
}

// utf16le is a string as Windows has it. What is no UTF-8 becomes U+FFFD.
func utf16le(s string) []byte {
	units := utf16.Encode([]rune(s))
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// dummy is what the response of a user that does not exist is held against, so that it takes as long. Nobody knows it.
func dummy(random func(int) []byte) Secret {
	return Secret{v: &secretValue{isPlain: true, plain: string(random(12)), nt: [16]byte(random(16))}}
}
