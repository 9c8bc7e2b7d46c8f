package vici

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
)

// Attributes that [LogHandler] looks for. They become fields of the event instead of text.
const (
	// AttrGroup is the subsystem in strongSwan's words (IKE, NET, CFG, …). Default: see LogHandler.
	AttrGroup = "group"
	// AttrConnection is the name of the connection. It is also kept in the text.
	AttrConnection = "connection"
	// AttrUniqueID is the unique id of the IKE_SA.
	AttrUniqueID = "ike_uniqueid"
	// AttrThread is the number of the event loop.
	AttrThread = "loop"
)

// DefaultLogGroup is the group of records that name none.
const DefaultLogGroup = "IKE"

// LogHandler is a [slog.Handler] that makes VICI log events of records, for `swanctl --log`. Put it beside the handler
// that writes the log (slog.NewMultiHandler). It drops records at once while no client listens.
//
// Levels: warnings and errors are 0, what is between info and them is 1, and what is below is not sent, as strongSwan
// only sends these two. The text is the message followed by the remaining attributes as key=value; an attribute that is
// an error, such as a *diag.Failure, appears as its text.
type LogHandler struct {
	server *Server
	// fields are those of With, already taken apart; prefix is that of WithGroup.
	fields logFields
	prefix string
}

var _ slog.Handler = (*LogHandler)(nil)

// NewLogHandler returns a handler that raises its events at s.
func NewLogHandler(s *Server) *LogHandler {
	return &LogHandler{server: s, fields: logFields{group: DefaultLogGroup}}
}

// Enabled implements slog.Handler.
func (h *LogHandler) Enabled(_ context.Context, l slog.Level) bool {
	return l >= slog.LevelInfo && h.server.Listening(EventLog)
}

// Handle implements slog.Handler.
func (h *LogHandler) Handle(_ context.Context, r slog.Record) error {
	f := h.fields.clone()
	r.Attrs(func(a slog.Attr) bool {
		f.add(h.prefix, a)
		return true
	})
	level := 1
	if r.Level >= slog.LevelWarn {
		level = 0
	}
	h.server.Log(LogEntry{
		Group: f.group, Level: level, Thread: f.thread, IKEName: f.connection, IKEUniqueID: f.uniqueID,
		Msg: strings.Join(append([]string{r.Message}, f.text...), " "),
	})
	return nil
}

// WithAttrs implements slog.Handler.
func (h *LogHandler) WithAttrs(as []slog.Attr) slog.Handler {
	c := *h
	c.fields = h.fields.clone()
	for _, a := range as {
		c.fields.add(h.prefix, a)
	}
	return &c
}

// WithGroup implements slog.Handler.
func (h *LogHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	c := *h
	c.prefix += name + "."
	return &c
}

// logFields are the attributes of a record, sorted into fields and text.
type logFields struct {
	group, connection, uniqueID string
	thread                      int
	text                        []string
}

func (f *logFields) clone() logFields {
	c := *f
	c.text = slices.Clone(f.text)
	return c
}

func (f *logFields) add(prefix string, a slog.Attr) {
	// Before resolving: an error that is also a LogValuer reads better as the one than as the other.
	if err, ok := a.Value.Any().(error); ok && err != nil {
		f.text = append(f.text, prefix+a.Key+"="+quoteText(err.Error()))
		return
	}
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, sub := range v.Group() {
			f.add(prefix, sub)
		}
		return
	}
	if a.Equal(slog.Attr{}) {
		return
	}
	if prefix == "" {
		switch a.Key {
		case AttrGroup:
			f.group = strings.ToUpper(v.String())
			return
		case AttrUniqueID:
			f.uniqueID = v.String()
			return
		case AttrThread:
			if n, err := strconv.Atoi(v.String()); err == nil {
				f.thread = n
				return
			}
		case AttrConnection:
			f.connection = v.String()
		}
	}
	text := v.String()
	if v.Kind() == slog.KindDuration {
		text = strings.Replace(text, "µ", "u", 1) // swanctl prints ASCII only
	}
	f.text = append(f.text, prefix+a.Key+"="+quoteText(text))
}

// quoteText quotes what would not read as one word.
func quoteText(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == '=' || r == 0x7f }) {
		return strconv.Quote(s)
	}
	return s
}
