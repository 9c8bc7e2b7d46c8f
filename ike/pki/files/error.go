package files

import "fmt"

// Reason is what kind of a problem a file has.
type Reason uint8

// The reasons.
const (
	// Malformed: the file says that it is what was asked for, and can't be read as that.
	Malformed Reason = iota
	// NotThis: the file is something else.
	NotThis
	// Empty: there is nothing in it.
	Empty
	// TooLarge: it has more bytes, or more things, than are read.
	TooLarge
	// NeedsPassphrase: it is encrypted, and no passphrase was given.
	NeedsPassphrase
	// WrongPassphrase: it is encrypted with another passphrase, or damaged; nobody can tell which.
	WrongPassphrase
	// Unsupported: it is what was asked for, in a form or of a kind that is not supported.
	Unsupported
	// TooCostly: to decrypt it would take too long, or too much memory.
	TooCostly
	// Refused: it can be read, and should not be used.
	Refused
)

// String is a word for logs and tests.
func (r Reason) String() string {
	names := [...]string{"malformed", "not this", "empty", "too large", "needs a passphrase", "wrong passphrase", "unsupported", "too costly", "refused"}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Error says what is wrong with the content of a file.
type Error struct {
	Reason Reason
	// What goes on after the name of the file: "is a certificate, not a private key".
	What string
	// Want says what would be right, "" if that is obvious. FILE in it stands for the name of the file.
	Want string
}

// Error is both.
func (e *Error) Error() string {
	if e.Want == "" {
		return "the file " + e.What
	}
	return "the file " + e.What + "; " + e.Want
}

func malformed(format string, args ...any) *Error {
	return &Error{Reason: Malformed, What: fmt.Sprintf(format, args...)}
}

// with sets what would be right.
func (e *Error) with(want string) *Error {
	e.Want = want
	return e
}
