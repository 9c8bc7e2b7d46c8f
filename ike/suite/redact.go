package suite

import (
	"fmt"
	"io"
	"log/slog"
)

const redactedText = "(redacted)"

// redacted is embedded by every type that holds key material. Its methods win over the reflection of package fmt,
// encoding/json and log/slog, so that no verb and no handler can print what is inside.
type redacted struct{}

// Format implements fmt.Formatter: all verbs print the same placeholder.
func (redacted) Format(s fmt.State, _ rune) { io.WriteString(s, redactedText) }

// LogValue implements slog.LogValuer.
func (redacted) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalText implements encoding.TextMarshaler, which encoding/json uses as well.
func (redacted) MarshalText() ([]byte, error) { return []byte(redactedText), nil }
