package config

import (
	"log/slog"

	"esplanade/ike/policy"
)

// Log is what is logged and how: the table [log].
type Log struct {
	Source
	// Level is the least important level that is logged. Default info.
	Level slog.Level `key:"level"`
	// Format is text or json.
	Format LogFormat `key:"format" default:"text"`
}

// LogFormat is how log lines look.
type LogFormat uint8

// The formats of [Log].
const (
	LogText LogFormat = iota // key=value
	LogJSON                  // one JSON object a line
)

// Words implements [policy.Word].
func (LogFormat) Words() []string { return []string{"text", "json"} }

// String is the word of the configuration.
func (f LogFormat) String() string { return policy.Name(f) }

func logLevels() []enum[slog.Level] {
	return []enum[slog.Level]{{"debug", slog.LevelDebug}, {"info", slog.LevelInfo}, {"warn", slog.LevelWarn},
		{"error", slog.LevelError}}
}

func readLog(t *table) (l Log) {
	t.fill(&l)
	l.Level, _ = choice(t, "level", slog.LevelInfo, logLevels())
	l.Source = t.done()
	return l
}
