package auth

import (
	"crypto/sha256"

	"esplanade/ike/identity"
)

// Query says which credential is meant.
type Query struct {
	// Connection is the name of the connection: some have a key of their own.
	Connection string
	// Local and Remote are the identities of the two sides.
	Local, Remote identity.Identity
	// Guess: Remote is only a pattern, since the peer has not said yet who it is. What is found is what this side proves itself
	// with to whoever answers. Without Guess it decides what the peer has to prove, so that it must not be anybody else's.
	Guess bool
}

// Credential is what a proof is made from.
type Credential struct {
	redacted
	// Secret is a pre-shared key.
	Secret []byte
	// Name and Line are where it is configured, such as "secrets.ike.office" and "gw.toml:30", for failures. They say nothing about
	// the key.
	Name, Line string
}

// Credentials finds the credential that is asked for. It must not block.
type Credentials func(Query) (Credential, bool)

// Mark identifies a credential and says nothing about it to whoever does not have it. What was proved once counts only
// as long as the mark stays the same.
func (c Credential) Mark() [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte("session ticket"))
	h.Write(c.Secret)
	return [sha256.Size]byte(h.Sum(nil))
}
