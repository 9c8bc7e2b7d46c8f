package config

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
)

// Secret is the octets of a pre-shared key. No way of printing or encoding it shows them; only Bytes does.
type Secret struct {
	octets *[]byte // behind a pointer, so that not even the verbs of reflection find them
}

// NewSecret makes a secret of a copy of the octets.
func NewSecret(octets []byte) Secret {
	b := bytes.Clone(octets)
	return Secret{&b}
}

// Bytes is a copy of the octets, nil for the zero Secret.
func (s Secret) Bytes() []byte {
	if s.octets == nil {
		return nil
	}
	return bytes.Clone(*s.octets)
}

// Len is the number of octets.
func (s Secret) Len() int {
	if s.octets == nil {
		return 0
	}
	return len(*s.octets)
}

// redacted is what is shown of every secret, its length included.
const redacted = "[secret]"

// String shows a placeholder.
func (Secret) String() string { return redacted }

// GoString shows a placeholder.
func (Secret) GoString() string { return redacted }

// Format shows a placeholder for every verb, %x and %d too.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText encodes a placeholder, in JSON, TOML and whatever else asks for text.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue logs a placeholder.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
