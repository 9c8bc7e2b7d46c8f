package radius

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is embedded by what holds a secret. Its methods win over the reflection of package fmt, encoding/json and log/slog,
// so that no verb and no handler prints what is inside.
type redacted struct{}

const redactedText = "(redacted)"

// Format implements fmt.Formatter: all verbs print the same placeholder.
func (redacted) Format(s fmt.State, _ rune) { io.WriteString(s, redactedText) }

// LogValue implements slog.LogValuer.
func (redacted) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalText implements encoding.TextMarshaler, which encoding/json uses as well.
func (redacted) MarshalText() ([]byte, error) { return []byte(redactedText), nil }
