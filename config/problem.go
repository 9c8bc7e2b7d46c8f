package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"esplanade/config/tree"
)

// Position is a place in a configuration file, or says which other thing the configuration came from.
type Position = tree.Position

// Source says where a table and its keys were written. It is part of every value that stands for a table.
type Source struct {
	name  string // the table's own
	table Position
	keys  map[string]Position
	// below are the keys that are not written and that a preset has set; they stand where that stands.
	below map[string]bool
}

// Position is where the table begins: its header, or the first key that makes it.
func (s Source) Position() Position { return s.table }

// TableName is the name of the table: "connections.office.local".
func (s Source) TableName() string { return s.name }

// At is where a key of the table is written, and the table's own position where it is not and has its default.
func (s Source) At(key string) Position {
	if p, ok := s.keys[key]; ok {
		return p
	}
	return s.table
}

// Has reports whether the key is written in the file, or set by a preset.
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

// inLine is " (file:line)" for a message about another place, and empty for what is not from a file.
func inLine(p Position) string {
	if !p.IsValid() {
		return ""
	}
	return " (" + p.FileLine() + ")"
}

// before orders positions for sorting.
func before(a, b Position) int {
	switch {
	case a.Before(b):
		return -1
	case b.Before(a):
		return 1
	}
	return 0
}

// sortProblems puts problems into the order of the file and drops exact repetitions.
func sortProblems(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return before(a.Position, b.Position)
	})
	return slices.Compact(ps)
}
