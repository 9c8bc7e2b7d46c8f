package main

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"unicode/utf8"

	"esplanade/config"
	"esplanade/ike/diag"
)

// newLogHandler writes the log as the configuration asks for. The level can be changed later, by a reload.
func newLogHandler(w io.Writer, c config.Log) (slog.Handler, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(c.Level)
	o := &slog.HandlerOptions{Level: level}
	if c.Format == config.LogJSON {
		return slog.NewJSONHandler(w, o), level
	}
	return plainHandler{slog.NewTextHandler(w, o), level}, level
}

// plainHandler writes the log for people: short lines. What a message says in words is not said again in fields, as it is in JSON, and
// what only helps to look closer is there at level debug.
type plainHandler struct {
	slog.Handler
	level slog.Leveler
}

// WithAttrs implements slog.Handler.
func (h plainHandler) WithAttrs(as []slog.Attr) slog.Handler {
	return plainHandler{h.Handler.WithAttrs(as), h.level}
}

// WithGroup implements slog.Handler.
func (h plainHandler) WithGroup(name string) slog.Handler {
	return plainHandler{h.Handler.WithGroup(name), h.level}
}

// Handle implements slog.Handler.
func (h plainHandler) Handle(ctx context.Context, r slog.Record) error {
	plain := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	closer := h.level.Level() < slog.LevelInfo
	exchange := false
	r.Attrs(func(a slog.Attr) bool {
		exchange = exchange || a.Key == "request"
		return !exchange
	})
	r.Attrs(func(a slog.Attr) bool {
		switch {
		case a.Key == "failure": // the message is its summary
			if fix := fixOf(a.Value); fix != "" {
				plain.AddAttrs(slog.String("fix", fix))
			}
		case closer:
			plain.AddAttrs(a)
		case exchange && (slices.Contains(exchangeDetails(), a.Key) || a.Key == "retransmits" && a.Value.String() == "0"):
		case a.Key == "resumed" && a.Value.String() == "false":
		case a.Key == "selectors":
			plain.AddAttrs(slog.String(a.Key, shortened(a.Value.String(), maxLoggedSelectors)))
		default:
			plain.AddAttrs(a)
		}
		return true
	})
	return h.Handler.Handle(ctx, plain)
}

// exchangeDetails are what the line about an exchange has for those who look closer. Its message says which exchange it is.
func exchangeDetails() []string {
	return []string{"exchange", "message_id", "local", "request", "response", "octets"}
}

// maxLoggedSelectors is how long the selectors of a child may be in a line, in characters: there may be hundreds. The status has all.
const maxLoggedSelectors = 100

// fixOf is the fix of a failure, or of what [diag.Failure.Brief] makes of one.
func fixOf(v slog.Value) string {
	if f, ok := v.Any().(*diag.Failure); ok && f != nil {
		return f.Advice()
	}
	if v = v.Resolve(); v.Kind() == slog.KindGroup {
		for _, a := range v.Group() {
			if a.Key == "fix" {
				return a.Value.String()
			}
		}
	}
	return ""
}

// shortened cuts the end of a text off that has more than n characters.
func shortened(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
