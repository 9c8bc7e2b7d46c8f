package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"strings"
)

// Mutant is a change that breaks what a line is for.
type Mutant struct {
	// Name is unique, short, and says what no longer holds.
	Name string
	// File is the file to change, from the root of the repository.
	File string
	// Old is a text that is in the file exactly once: whole lines or a part of one. New takes its place.
	Old, New string
	// Tests is the pattern, as in go test -run, of the tests that must notice.
	Tests string
	// In is the package of these tests. Empty means that of the file.
	In string
	// Why says what somebody could do if the line were so.
	Why string
}

// Package is the directory of the tests.
func (m Mutant) Package() string {
	if m.In != "" {
		return m.In
	}
	return path.Dir(m.File)
}

// Apply changes the text of the mutant's file. It is an error if the text is not there exactly once, or if what comes out is
// not Go.
func (m Mutant) Apply(source string) (string, error) {
	switch n := strings.Count(source, m.Old); {
	case m.Old == "" || m.Old == m.New:
		return "", fmt.Errorf("%s: changes nothing", m.Name)
	case n != 1:
		return "", fmt.Errorf("%s: %s has %d times, and should have once:\n%s", m.Name, m.File, n, m.Old)
	}
	mutated := strings.Replace(source, m.Old, m.New, 1)
	if _, err := parser.ParseFile(token.NewFileSet(), m.File, mutated, parser.SkipObjectResolution); err != nil {
		return "", fmt.Errorf("%s: the mutated file is not Go: %w", m.Name, err)
	}
	return mutated, nil
}
