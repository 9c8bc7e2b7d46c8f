package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
)

// Reason is why nothing was fetched.
type Reason uint8

// The reasons.
const (
	// ReasonConnect: there was no connection, or it broke.
	ReasonConnect Reason = iota
	// ReasonURI: the address is not one to fetch from.
	ReasonURI
	// ReasonName: the name in the address could not be looked up.
	ReasonName
	// ReasonForbidden: it leads to an address that this gateway does not connect to.
	ReasonForbidden
	// ReasonTimeout: it took too long.
	ReasonTimeout
	// ReasonTLS: the server is not the one that it should be.
	ReasonTLS
	// ReasonRedirect: a redirection that is not followed.
	ReasonRedirect
	// ReasonStatus: the server has answered with an error.
	ReasonStatus
	// ReasonEncoding: the body is compressed.
	ReasonEncoding
	// ReasonSize: the body is too large.
	ReasonSize
	// ReasonBusy: too much is being fetched.
	ReasonBusy
)

var reasons = [...]string{"connect", "uri", "name", "forbidden", "timeout", "tls", "redirect", "status", "encoding", "size", "busy"}

// String is the reason in one word, as metrics have it.
func (r Reason) String() string { return reasons[r] }

// Error is why nothing was fetched.
type Error struct {
	Reason Reason
	Err    error
}

// Error says it in words, without the address.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the error underneath.
func (e *Error) Unwrap() error { return e.Err }

// classify finds the reason of an error of the standard library.
func classify(err error) *Error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // it repeats the address
	}
	var forbidden *ForbiddenError
	var name *net.DNSError
	var alert tls.AlertError
	var unverified *tls.CertificateVerificationError
	var timeout interface{ Timeout() bool }
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &forbidden):
		return &Error{ReasonForbidden, forbidden}
	case errors.As(err, &name):
		return &Error{ReasonName, fmt.Errorf("the name %q cannot be looked up: %s", name.Name, name.Err)}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &Error{ReasonTimeout, fmt.Errorf("it took too long: %w", err)}
	case errors.As(err, &alert), errors.As(err, &unverified), errors.As(err, &header):
		return &Error{ReasonTLS, err}
	}
	return &Error{ReasonConnect, err}
}
