package eap

import (
	"fmt"
	"slices"
	"strings"
)

// Reason is why a conversation has failed.
type Reason uint8

// The reasons. The peer learns none of them: it gets EAP-Failure, or AUTHENTICATION_FAILED.
const (
	// ReasonProtocol: the other side does not keep to the protocol; Detail says what came. It is no user's fault.
	ReasonProtocol Reason = iota + 1
	// ReasonUnknownUser: nobody has that name.
	ReasonUnknownUser
	// ReasonPassword: the password is wrong. Of a client: so the server says.
	ReasonPassword
	// ReasonPasswordExpired: the password is right and has expired. It has to be changed.
	ReasonPasswordExpired
	// ReasonLocked: the account is disabled, or may not be used now. Of a client: so the server says; Code has its number.
	ReasonLocked
	// ReasonPaused: no password is compared now, after too many wrong ones; Pause says which.
	ReasonPaused
	// ReasonSecret: there is no secret that the method can use: none at all, or a hash where the password itself is needed.
	ReasonSecret
	// ReasonIdentity: what was proved is another name than the one that was given before, or one that can't be a name.
	ReasonIdentity
	// ReasonNak: the sides have no method in common. Offered and Wanted say what each has.
	ReasonNak
	// ReasonUnsafe: no method that is configured may be used where nothing else authenticates the server (RFC 5998 section 4). They are the
	// Offered of a server, and the Wanted of a client.
	ReasonUnsafe
	// ReasonEarlySuccess: the server says Success before the method has come to its end, or without any.
	ReasonEarlySuccess
	// ReasonServer: the server has not proved that it knows the password.
	ReasonServer
	// ReasonRefused: the server says Failure, and nothing else.
	ReasonRefused
	// ReasonTooLong: more messages than any method needs.
	ReasonTooLong
	// ReasonTLS: the TLS of a method; Err has the cause.
	ReasonTLS
	// ReasonCertificate: the certificate of the other side is not accepted; Err says why.
	ReasonCertificate
	// ReasonBinding: the ends of a tunnel of PEAP have not proved that they are those of the method in it.
	ReasonBinding
	// ReasonClosed: the conversation was closed from this side.
	ReasonClosed
)

// reasons are the words of metrics and of tests. They don't change.
var reasons = map[Reason]string{
	ReasonProtocol:        "protocol",
	ReasonUnknownUser:     "unknown_user",
	ReasonPassword:        "password",
	ReasonPasswordExpired: "password_expired",
	ReasonLocked:          "locked",
	ReasonPaused:          "paused",
	ReasonSecret:          "secret",
	ReasonIdentity:        "identity",
	ReasonNak:             "nak",
	ReasonUnsafe:          "unsafe",
	ReasonEarlySuccess:    "early_success",
	ReasonServer:          "server",
	ReasonRefused:         "refused",
	ReasonTooLong:         "too_long",
	ReasonTLS:             "tls",
	ReasonCertificate:     "certificate",
	ReasonBinding:         "binding",
	ReasonClosed:          "closed",
}

// String is the word of the reason.
func (r Reason) String() string {
	if s, ok := reasons[r]; ok {
		return s
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Failure is why a conversation has failed: enough for one line to the operator. It has no secret in it.
type Failure struct {
	// Method is the one that was under way; 0 if none was.
	Method Type
	// User is the name that was given, which nobody has proved; "" if none was.
	User   string
	Reason Reason
	// Detail says what came, or what is missing, in words that go behind a colon. It is "" where the reason says it all.
	Detail string
	// Offered are the methods that the server has asked for in turn, Wanted those that the client wants instead; with ReasonNak.
	Offered, Wanted []Type
	// Code is the E of an MSCHAPv2 Failure that the server has sent to a client, 0 if it has sent none.
	Code int
	// Message is what the server wants the user of a client to read, made printable.
	Message string
	// Pause is there with ReasonPaused.
	Pause *Pause
	// Err is what has caused it, if there is something: with ReasonTLS and ReasonCertificate.
	Err error
	// Inner is the failure of what was said within a tunnel.
	Inner *Failure
}

// Unwrap is the cause.
func (f *Failure) Unwrap() error {
	if f.Inner != nil {
		return f.Inner
	}
	return f.Err
}

// Error is the failure in one line.
func (f *Failure) Error() string {
	var b strings.Builder
	b.WriteString("EAP")
	if f.Method != 0 {
		b.Reset()
		b.WriteString(f.Method.String())
	}
	if f.User != "" {
		fmt.Fprintf(&b, " of user %q", f.User)
	}
	b.WriteString(": " + f.why())
	if f.Detail != "" {
		b.WriteString(": " + f.Detail)
	}
	if f.Err != nil {
		b.WriteString(": " + f.Err.Error())
	}
	if f.Inner != nil {
		b.WriteString(": within the tunnel: " + f.Inner.Error())
	}
	if f.Message != "" {
		fmt.Fprintf(&b, " (the server says %q)", f.Message)
	}
	return b.String()
}

func (f *Failure) why() string {
	switch f.Reason {
	case ReasonProtocol:
		return "the other side does not keep to the protocol"
	case ReasonUnknownUser:
		return "there is no such user"
	case ReasonPassword:
		return "the password is wrong"
	case ReasonPasswordExpired:
		return "the password has expired and has to be changed"
	case ReasonLocked:
		return "the account is locked"
	case ReasonPaused:
		if f.Pause == nil {
			return "too many wrong passwords"
		}
		return "not compared: " + f.Pause.String()
	case ReasonSecret:
		return "no secret that this method can use"
	case ReasonIdentity:
		return "the name is not the one that was given before, or none"
	case ReasonNak:
		return fmt.Sprintf("no method in common: the server has offered %s, the client wants %s", list(f.Offered), list(f.Wanted))
	case ReasonUnsafe:
		configured := f.Wanted
		if len(configured) == 0 {
			configured = f.Offered
		}
		return fmt.Sprintf("nothing else authenticates the server here, and %s must not be used then", list(configured))
	case ReasonEarlySuccess:
		return "the server says Success before the method has come to its end"
	case ReasonServer:
		return "the server has not proved that it knows the password"
	case ReasonRefused:
		return "the server refuses"
	case ReasonTooLong:
		return "it takes more messages than any method needs"
	case ReasonTLS:
		return "TLS failed"
	case ReasonCertificate:
		return "the certificate of the other side is not accepted"
	case ReasonBinding:
		return "the method is not bound to the tunnel around it"
	case ReasonClosed:
		return "the conversation was closed"
	}
	return f.Reason.String()
}

// Came is what the other side has done that it must not, as the object of a sentence: "a Success with 3 bytes of data".
func (f *Failure) Came() string {
	switch f.Reason {
	case ReasonProtocol:
		return f.Detail
	case ReasonIdentity:
		return "a name that is none, or not the one that was given before: " + f.Detail
	case ReasonEarlySuccess:
		return "Success before the method has come to its end"
	case ReasonServer:
		return "no proof that it knows the password"
	case ReasonTooLong:
		return "more messages than any method needs"
	default:
		return f.why()
	}
}

func list(types []Type) string {
	if len(types) == 0 {
		return "nothing"
	}
	var s []string
	for _, t := range types {
		if n := t.String(); !slices.Contains(s, n) {
			s = append(s, n)
		}
	}
	if len(s) > maxListed {
		s = append(s[:maxListed], "and others")
	}
	return strings.Join(s, ", ")
}

const (
	// maxListed is how many methods of a Nak are shown.
	maxListed = 8
	// maxMessage is how many bytes of a text of the server are kept.
	maxMessage = 200
)

// printable is a text of the other side as it may be shown: without control characters, and not too long.
func printable(b []byte) string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(b[:min(len(b), maxMessage)]), "?"))
	return strings.TrimSpace(s)
}

func protocolError(format string, args ...any) *Failure {
	return &Failure{Reason: ReasonProtocol, Detail: fmt.Sprintf(format, args...)}
}
