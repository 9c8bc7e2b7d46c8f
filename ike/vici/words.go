package vici

import (
	"errors"
	"fmt"
)

// What goes wrong begins with strongSwan's words for it, which scripts look for, and goes on with the failure.

// absent reports whether what a command is about is not there.
func absent(err error) bool {
	var f interface {
		error
		Absent() bool
	}
	return errors.As(err, &f) && f.Absent()
}

// notFound puts strongSwan's words for a name or an SA that is not there before an error that says so, and leaves others alone.
func notFound(err error, words string) error {
	if err != nil && absent(err) {
		return fmt.Errorf("%s: %w", words, err)
	}
	return err
}

// notInitiated puts strongSwan's words before the error of an attempt to bring something up; what is "CHILD_SA" or "IKE_SA". A client that
// asks for what strongSwan does not have (ours) gets the failure alone.
func (c control) notInitiated(err error, what, name string, ours bool) error {
	subject := what + " '" + name + "'"
	switch ended := c.explainEnd(err, subject, "established", "; it is still being tried"); {
	case ended != err || ours:
		return ended
	case absent(err):
		return fmt.Errorf("%s config '%s' not found: %w", what, name, err)
	case c.timeout > 0 && errors.Is(err, errTimeout):
		return fmt.Errorf("%s not established after %dms: %w", subject, c.timeout.Milliseconds(), err)
	default:
		return fmt.Errorf("establishing %s failed: %w", subject, err)
	}
}

// notTerminated is strongSwan's answer when not all SAs of a command are gone.
func notTerminated(r TerminateResult) string {
	if r.Terminated == 0 {
		return "terminating SA failed"
	}
	return "not all matching SAs could be terminated"
}
