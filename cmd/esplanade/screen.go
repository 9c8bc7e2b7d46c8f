package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// screen is how much room there is for text.
type screen struct {
	width int // columns
	lines int // 0: as many as there are
}

const (
	// maxWidth is how wide text is at most: it is under 120 columns also where nothing says how wide the screen is.
	maxWidth = 119
	minWidth = 40
	// usualLines are those of a screen whose height nothing says.
	usualLines = 40
	minLines   = 24
)

// screenOf is the screen behind w, and a usual one where w is none. COLUMNS in the environment says how wide text is to be instead, as
// for other programs.
func screenOf(w io.Writer) screen {
	s := screen{width: maxWidth, lines: usualLines}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n >= minWidth {
		s.width = n
	}
	f, ok := fileOf(w)
	if !ok || !isTerminal(w) {
		return s
	}
	if columns, lines, ok := windowSize(f); ok {
		s.width, s.lines = min(max(columns, minWidth), maxWidth), max(lines, minLines) // which follows the window, as COLUMNS may not
	}
	return s
}

// columns is how wide a text is. Names of connections, addresses and identities have no wide characters, or few.
func columns(s string) int { return utf8.RuneCountInString(s) }

// middle shortens s to n columns by leaving out its middle: the ends of names and addresses tell most.
func middle(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	head := n / 2
	return string(r[:head]) + "…" + string(r[len(r)-(n-head-1):])
}

// end shortens s to n columns by leaving out its end.
func end(s string, n int) string { return shortened(s, n) }

// wrap breaks a text into lines between words, each behind the inset. A word that is longer than a line has one for itself.
func (s screen) wrap(text, inset string) (lines []string) {
	room := s.width - columns(inset)
	line := ""
	for _, word := range strings.Fields(text) {
		for columns(word) > room {
			if line != "" {
				lines, line = append(lines, inset+line), ""
			}
			r := []rune(word)
			lines, word = append(lines, inset+string(r[:room])), string(r[room:])
		}
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word) <= room:
			line += " " + word
		default:
			lines, line = append(lines, inset+line), word
		}
	}
	if line != "" {
		lines = append(lines, inset+line)
	}
	return lines
}

// plural is a number of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
