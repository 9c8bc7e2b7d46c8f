package aaa

import "strings"

// Fault is what is wrong with what servers say of a user.
type Fault uint8

// The faults.
const (
	// Silent: no server has answered in time.
	Silent Fault = iota + 1
	// Lying: answers came that do not prove who they are from.
	Lying
	// Rejected: a server has said no.
	Rejected
	// Unusable: a server has said something that makes no sense.
	Unusable
	// Unasked: no server was asked, since there is none, or too many others wait.
	Unasked
)

// ServerError is why servers have not let a user in. No secret is in it.
type ServerError struct {
	Fault Fault
	// Servers are those that were asked, each with its address: "one (10.0.0.5:1812)".
	Servers []string
	// Detail says more, in words that go behind a colon; "" where there is no more to say.
	Detail string
	// Message is what the server has for people (Reply-Message), on one line.
	Message string
}

func (e *ServerError) Error() string {
	var s string
	switch e.Fault {
	case Silent:
		s = "no answer of the RADIUS server"
	case Lying:
		s = "no answer that can be believed of the RADIUS server"
	case Rejected:
		s = "the user is rejected by the RADIUS server"
	case Unusable:
		s = "an answer that makes no sense of the RADIUS server"
	case Unasked:
		s = "no RADIUS server was asked"
	}
	if len(e.Servers) > 0 {
		s += " " + strings.Join(e.Servers, ", ")
	}
	for _, more := range []string{e.Detail, e.Message} {
		if more != "" {
			s += ": " + more
		}
	}
	return s
}
