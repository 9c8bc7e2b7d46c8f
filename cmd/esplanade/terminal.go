package main

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// isTerminal reports whether w is a terminal on which a line can be overwritten.
func isTerminal(w io.Writer) bool {
	f, ok := fileOf(w)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// fileOf is the file that w writes to.
func fileOf(w io.Writer) (*os.File, bool) {
	if o, ok := w.(*output); ok {
		w = o.w
	}
	f, ok := w.(*os.File)
	return f, ok
}

// lineWriter writes lines, and below them, on a terminal, one that is overwritten. It is not safe for concurrent use.
type lineWriter struct {
	w        io.Writer
	terminal bool
	shown    int // width of the line that is overwritten next
}

// line writes a line that stays.
func (l *lineWriter) line(s string) {
	if _, err := io.WriteString(l.w, l.erase()+s+"\n"); err != nil {
		return // nobody reads it any more
	}
}

// status shows s until the next line or status; without a terminal it does nothing.
func (l *lineWriter) status(s string) {
	if !l.terminal {
		return
	}
	// Without control sequences other than a carriage return, so that any terminal can show it.
	text := l.erase() + s
	l.shown = utf8.RuneCountInString(s)
	_, _ = io.WriteString(l.w, text) // as above
}

// erase overwrites what status has shown.
func (l *lineWriter) erase() string {
	if l.shown == 0 {
		return ""
	}
	s := "\r" + strings.Repeat(" ", l.shown) + "\r"
	l.shown = 0
	return s
}
