package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Position is a place in a configuration file.
type Position struct {
	// File is the name given to Load or Parse.
	File string
	// Line and Column count from 1; columns are characters, not octets. Line 0 is no position.
	Line, Column int
}

// IsValid reports whether there is a place at all.
func (p Position) IsValid() bool { return p.Line > 0 }

// String is "file:line:column", the form that editors jump to.
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// FileLine is "file:line", for messages about something other than the configuration's text: "" for no position.
func (p Position) FileLine() string {
	if !p.IsValid() {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Source tells where a table of the file and its keys are. It is part of every value that stands for a table.
type Source struct {
	table Position
	keys  map[string]Position
}

// Position is where the table begins: its header, or the first key that makes it.
func (s Source) Position() Position { return s.table }

// At is where a key of the table is written, and the table's own position where it is not and has its default.
func (s Source) At(key string) Position {
	if p, ok := s.keys[key]; ok {
		return p
	}
	return s.table
}

// Has reports whether the key is written in the file.
func (s Source) Has(key string) bool {
	_, ok := s.keys[key]
	return ok
}

// Problem is one thing that is wrong with a configuration, or, as a warning, probably not meant.
type Problem struct {
	Position Position
	// What is wrong, naming the value.
	What string
	// Want says what would be right.
	Want string
}

// String is "file:line:column: what; want".
func (p Problem) String() string {
	if p.Want == "" {
		return fmt.Sprintf("%s: %s", p.Position, p.What)
	}
	return fmt.Sprintf("%s: %s; %s", p.Position, p.What, p.Want)
}

// Error makes a Problem an error of its own.
func (p Problem) Error() string { return p.String() }

// Errors is everything that is wrong with a configuration, in the order of the file.
type Errors []Problem

// Error has a line for each problem.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the problems one by one to errors.As.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i, p := range e {
		out[i] = p
	}
	return out
}

// oneLine replaces what would end or garble a line, as a key in quotes or a message of another package can have it.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\ufffd'
		}
		return r
	}, s)
}

// sortProblems puts problems into the order of the file and drops exact repetitions.
func sortProblems(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		if a.Position.Line != b.Position.Line {
			return a.Position.Line - b.Position.Line
		}
		return a.Position.Column - b.Position.Column
	})
	return slices.Compact(ps)
}
