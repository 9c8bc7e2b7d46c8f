package main

import (
	"io"
	"log/slog"

	"esplanade/config"
)

// newLogHandler writes the log as the configuration asks for.
func newLogHandler(w io.Writer, c config.Log) slog.Handler {
	o := &slog.HandlerOptions{Level: c.Level}
	if c.Format == config.LogJSON {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}
