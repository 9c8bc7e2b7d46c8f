package config

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
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

// decodeSecret reads swanctl's forms of a secret: 0x and hexadecimal, 0s and Base64, or the text itself.
func decodeSecret(text []byte) (Secret, error) {
	s := string(text)
	switch {
	case strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X"):
		b, err := hex.DecodeString(s[2:])
		if err != nil || len(b) == 0 {
			return Secret{}, errors.New("after 0x there must be pairs of hexadecimal digits")
		}
		return Secret{&b}, nil
	case strings.HasPrefix(s, "0s") || strings.HasPrefix(s, "0S"):
		b, err := base64.StdEncoding.DecodeString(s[2:])
		if err != nil {
			b, err = base64.RawStdEncoding.DecodeString(s[2:])
		}
		if err != nil || len(b) == 0 {
			return Secret{}, errors.New("after 0s there must be Base64")
		}
		return Secret{&b}, nil
	case s == "":
		return Secret{}, errors.New("it is empty")
	}
	return NewSecret(text), nil
}
