package vici

import (
	"fmt"
	"io"
	"log/slog"
)

// What has a secret prints as its name only: the methods win over the reflection of package fmt, encoding/json and log/slog.

const redactedText = "(redacted)"

// Format implements fmt.Formatter.
func (Shared) Format(s fmt.State, _ rune) { io.WriteString(s, redactedText) }

// LogValue implements slog.LogValuer.
func (Shared) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalText implements encoding.TextMarshaler, which encoding/json uses as well.
func (Shared) MarshalText() ([]byte, error) { return []byte(redactedText), nil }

// Format implements fmt.Formatter.
func (Token) Format(s fmt.State, _ rune) { io.WriteString(s, redactedText) }

// LogValue implements slog.LogValuer.
func (Token) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalText implements encoding.TextMarshaler.
func (Token) MarshalText() ([]byte, error) { return []byte(redactedText), nil }

// Format implements fmt.Formatter.
func (ESPDirection) Format(s fmt.State, _ rune) { io.WriteString(s, redactedText) }

// LogValue implements slog.LogValuer.
func (ESPDirection) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalText implements encoding.TextMarshaler.
func (ESPDirection) MarshalText() ([]byte, error) { return []byte(redactedText), nil }
