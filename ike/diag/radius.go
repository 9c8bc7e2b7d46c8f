package diag

import (
	"fmt"
	"strings"
)

// RADIUS is what is known of servers that have not let a user in.
type RADIUS struct {
	// Servers are those that were asked, each with its address: "one (10.0.0.5:1812)".
	Servers []string
	// Said is what has happened, in words that go behind a colon; "" if there is no more to say.
	Said string
	// Message is what the server says to people (Reply-Message).
	Message string
}

func (r RADIUS) servers() string {
	s := "the RADIUS server"
	if len(r.Servers) > 1 {
		s += "s"
	}
	return s + " " + oneLine(list(r.Servers, maxTried))
}

// because appends what is said.
func (r RADIUS) because(s string) string {
	if r.Said == "" {
		return s
	}
	return s + ": " + oneLine(r.Said)
}

// RADIUSSilent is the failure that no server has answered in time.
func RADIUSSilent(w Where, e EAP, r RADIUS) *Failure {
	f := w.failure(CodeRADIUSSilent, r.because("nothing from "+r.servers()), e.as())
	f.Fix = "compare address and auth_port of [radius.servers] with those of the server; let the server know this gateway's address as that of a client, and look into its log: " +
		"a server does not answer those that it does not know."
	return f
}

// RADIUSLying is the failure that what was answered does not prove who it is from.
func RADIUSLying(w Where, e EAP, r RADIUS) *Failure {
	f := w.failure(CodeRADIUSLying, r.because("no answer that can be believed from "+r.servers()), e.as())
	f.Fix = "set the same secret at the server and in [radius.servers]; if it is the same, have the server send a Message-Authenticator, without which anybody between could let anybody in."
	return f
}

// RADIUSReject is the failure that a server says no.
func RADIUSReject(w Where, e EAP, r RADIUS) *Failure {
	said := "Access-Reject from " + r.servers()
	if r.Message != "" {
		said += ": " + quote(r.Message)
	}
	f := w.failure(CodeRADIUSReject, said, e.as())
	f.Fix = fmt.Sprintf("look into the log of the server for %s: it knows the reason. To this gateway, a wrong password and a user who may not come in look the same.", e.user())
	return f
}

// RADIUSAnswer is the failure that a server has answered what nothing can be done with.
func RADIUSAnswer(w Where, e EAP, r RADIUS) *Failure {
	f := w.failure(CodeRADIUSAnswer, strings.TrimSpace(r.because("an answer that makes no sense from "+r.servers())), e.as())
	f.Fix = "correct what the server answers for the user: EAP-Success and the MS-MPPE keys belong into an Access-Accept, and an address into Framed-IP-Address."
	return f
}
