package swanctl

import "esplanade/config/tree"

// Error says what is wrong with a file, and where.
type Error struct {
	At tree.Position
	// What is wrong, and what would be right. It has no text of the file in it.
	What string
	// cause is why a file can't be read.
	cause error
}

// Unwrap gives why a file can't be read.
func (e *Error) Unwrap() error { return e.cause }

// Error is "file:line:column: what".
func (e *Error) Error() string { return e.At.String() + ": " + e.What }

// wrong is an error about what stands at a place.
func wrong(at tree.Position, what string) *Error { return &Error{At: at, What: what} }
