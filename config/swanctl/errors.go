package swanctl

import "esplanade/config/tree"

// Error says what is wrong with a file, and where.
type Error struct {
	At tree.Position
	// What is wrong, and what would be right. It has no text of the file in it.
	What string
}

// Error is "file:line:column: what".
func (e *Error) Error() string { return e.At.String() + ": " + e.What }
