//go:build !unix

package dataplane

// isTooBig reports whether a packet was refused because the path does not carry it.
func isTooBig(error) bool { return false }

// sendError tells a full buffer from other errors.
func sendError(err error) error { return err }
