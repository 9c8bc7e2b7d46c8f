package radius

import (
	"errors"
	"strings"
)

// Reason is why a request has come to nothing.
type Reason uint8

// The reasons.
const (
	// Silent is no answer in time.
	Silent Reason = iota + 1
	// Lying are answers that do not prove who they are from: with another secret, or without a Message-Authenticator.
	Lying
	// Unusable is an answer of the server's that makes no sense.
	Unusable
	// NoServer: none is configured, or the one of the conversation is not any more.
	NoServer
	// TooMany: too many others wait.
	TooMany
	// Ended: this gateway ends.
	Ended
)

func (r Reason) String() string {
	switch r {
	case Silent:
		return "silent"
	case Lying:
		return "lying"
	case Unusable:
		return "unusable answer"
	case NoServer:
		return "no server"
	case TooMany:
		return "too many requests"
	case Ended:
		return "ended"
	}
	return "unknown"
}

// Attempt is what became of a request at one server.
type Attempt struct {
	Server string
	// Addr is the address as text.
	Addr   string
	Reason Reason
	// Sent is how often it was sent.
	Sent int
	// Err is what was wrong with the last wrong answer, if there was one.
	Err error
}

// Failure is a request that has come to nothing.
type Failure struct {
	Reason Reason
	// Tried are the servers that were asked, in that order.
	Tried []Attempt
}

func (f *Failure) Error() string {
	if len(f.Tried) == 0 {
		return f.Reason.String()
	}
	var b strings.Builder
	for i, a := range f.Tried {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(a.Server + " (" + a.Addr + "): " + a.Reason.String())
		if a.Err != nil {
			b.WriteString(": " + a.Err.Error())
		}
	}
	return b.String()
}

// lying reports whether the last wrong answer says that its sender is not known to be the server.
func lying(err error) bool {
	return errors.Is(err, ErrAuthenticator) || errors.Is(err, ErrMessageAuthenticator) || errors.Is(err, ErrNoMessageAuthenticator)
}
