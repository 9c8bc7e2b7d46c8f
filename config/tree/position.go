package tree

import "fmt"

// Position is a place in a configuration file.
type Position struct {
	// File is the name under which the configuration was read: of a file, or of where it came from otherwise.
	File string
	// Line and Column count from 1; columns are characters, not bytes. Line 0 is no place in a file.
	Line, Column int
}

// IsValid reports whether it is a place in a file.
func (p Position) IsValid() bool { return p.Line > 0 }

// String is "file:line:column", the form that editors jump to, and the origin's name where there are no lines.
func (p Position) String() string {
	if !p.IsValid() {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// FileLine is "file:line", for messages about something other than the configuration's text: "" for no position.
func (p Position) FileLine() string {
	if !p.IsValid() {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Before reports whether p is above q in the same file, or to its left on the same line.
func (p Position) Before(q Position) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Column < q.Column
}
