package main

import (
	"io"
	"log/slog"

	"esplanade/config"
)

// newLogHandler writes the log as the configuration asks for. The level can be changed later, by a reload.
func newLogHandler(w io.Writer, c config.Log) (slog.Handler, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(c.Level)
	o := &slog.HandlerOptions{Level: level}
	if c.Format == config.LogJSON {
		return slog.NewJSONHandler(w, o), level
	}
	return slog.NewTextHandler(w, o), level
}
