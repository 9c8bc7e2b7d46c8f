package diag

import (
	"fmt"
	"strings"
	"time"
)

// EAP is what is known of a user whom EAP has not let in. Anybody may have given the name.
type EAP struct {
	// User is the name that was given, "" for none.
	User string
	// Method is the method under way, such as "eap-mschapv2"; "" if none was.
	Method string
	// Server is who the users are checked by: "" for this gateway, or the name of a RADIUS server.
	Server string
	// Said is what has happened, as a sentence without a full stop: "the password is wrong".
	Said string
	// Expired: the password is right, and has to be changed before it counts again.
	Expired bool
	// Client: this side is the user, and the peer the gateway.
	Client bool
}

// user is "user 'ann'".
func (e EAP) user() string {
	if e.User == "" {
		return "a user who has given no name"
	}
	return "user " + quote(e.User)
}

// as is "user 'ann' by eap-mschapv2".
func (e EAP) as() string {
	if e.Method == "" {
		return e.user()
	}
	return e.user() + " by " + oneLine(e.Method)
}

// EAPUnknownUser is the failure that nobody of the name is known.
func EAPUnknownUser(w Where, e EAP) *Failure {
	f := w.failure(CodeEAPUser, "no user of that name", e.as())
	f.Fix = fmt.Sprintf("add the user %s to [secrets.eap] or to the users file, in the very spelling of the client (with its domain, if it shows one); or let the client use another name.", quote(e.User))
	return f
}

// EAPPassword is the failure that a user exists and has not proved it: what is said in e.
func EAPPassword(w Where, e EAP) *Failure {
	f := w.failure(CodeEAPPassword, "another secret of the user", e.as()+": "+oneLine(e.Said))
	f.Fix = fmt.Sprintf("have the password typed again; if it is right, set it again for %s here. Look for a space or a newline behind it, and at the keyboard's layout.", e.user())
	return f
}

// EAPAccount is the failure that a user has shown the right password, which does not count now: it has expired, or the user is locked out.
func EAPAccount(w Where, e EAP) *Failure {
	f := w.failure(CodeEAPPassword, "the user as one that is locked out", e.as()+": "+oneLine(e.Said))
	f.Fix = fmt.Sprintf("if %s is to come in again, take disabled = true away from it in the users file.", e.user())
	if e.Expired {
		f.Ours = "the user with a password that has expired"
		f.Fix = fmt.Sprintf("set another password for %s here, without expired = true, and have it typed at the client: no client can change it from there.", e.user())
	}
	return f
}

// Pause is why the password of a user was not compared.
type Pause struct {
	// What are the wrong ones, as the object of a sentence: "5 wrong passwords of this user from there".
	What string
	// Everywhere: those of one name count, wherever they come from. Everybody: those of one source count, whoever they are for.
	Everywhere, Everybody bool
}

// EAPPaused is the failure that a password was not compared, since too many wrong ones had come.
func EAPPaused(w Where, e EAP, p Pause) *Failure {
	f := w.failure(CodeEAPPaused, "a pause for "+e.user()+" after "+oneLine(p.What), e.as()+", with a password that was not compared")
	switch {
	case p.Everywhere:
		f.Fix = fmt.Sprintf("somebody tries passwords of %s from many places. The user gets in from networks that it has come in from before; give it a long password, or a certificate (eap-tls), if it has to from others.", e.user())
	case p.Everybody:
		f.Fix = fmt.Sprintf("somebody tries names and passwords from %s: block that address if it is none of yours. Users who have come in from there before get in.", w.Remote.Addr())
	default:
		f.Fix = fmt.Sprintf("if it is the user, set the right password at its client, which may try an old one by itself, and try once a minute later; else somebody guesses: block %s.", w.Remote.Addr())
	}
	return f
}

// EAPMethod is the failure that the sides have no method in common, or none that may be used.
func EAPMethod(w Where, e EAP, ours, theirs string) *Failure {
	f := w.failure(CodeEAPMethod, ours, theirs)
	f.Fix = "set auth in the remote table of " + w.connection() + " to a method that the client has, or \"eap\" for all of them; or set the client to one of this gateway's."
	if e.Client {
		f.Fix = "set auth in the local table of " + w.connection() + " to a method that the gateway asks for, or \"eap\" for all that there is a secret for."
	}
	return f
}

// EAPRefused is the failure that the gateway has refused this side with EAP-Failure. It does not say why.
func EAPRefused(w Where, e EAP) *Failure {
	f := w.refused(CodeEAPRefused, "EAP-Failure", e.as())
	f.Theirs = orUnknown(oneLine(e.Said), "no more than EAP-Failure")
	f.Fix = "look into the gateway's log, or that of its RADIUS server: it knows the reason. Compare the name " + quote(e.User) + ", with or without a domain, and the secret in [secrets.eap.NAME]."
	if e.Expired {
		f.Fix = "change the password of " + e.user() + " where the gateway has its users, and then in [secrets.eap.NAME]: it can't be changed from here."
	}
	return f
}

// EAPTLS is the failure of a handshake of TLS within EAP, or of a certificate in it.
func EAPTLS(w Where, e EAP, cause error) *Failure {
	f := w.because(CodeEAPTLS, cause, "", e.as()+": "+oneLine(e.Said))
	f.Fix = "compare what the client trusts with the certificate of this gateway's local table, and what cacerts of " + w.connection() + ".remote trusts with the client's certificate."
	if e.Client {
		f.Ours, f.Theirs = e.as(), "the server of EAP: "+oneLine(e.Said)
		f.Fix = "let cacerts of " + w.connection() + ".remote have the CA of the gateway's EAP server, and aaa_id the name in its certificate where that is not the gateway's."
	}
	return f
}

// EAPServerNone is the failure that no RADIUS server could be asked for the user.
func EAPServerNone(w Where, e EAP, cause error) *Failure {
	f := w.because(CodeEAPServer, cause, "", e.user()+", about whom no server was asked")
	f.Fix = "look at [radius.servers] of the configuration, and at what `esplanade status` says of each server: a server that is silent makes users wait."
	return f
}

// Tried is a connection that was tried for a user, and why it is not for it: "groups are staff".
type Tried struct{ Connection, Why string }

// maxTried is how many are named.
const maxTried = 8

// EAPNotAllowed is the failure that EAP has proved who a user is, and no connection is for it. groups are those of the user.
func EAPNotAllowed(w Where, e EAP, groups []string, tried []Tried) *Failure {
	var each, names []string
	for _, t := range tried {
		each = append(each, oneLine(t.Connection)+": "+oneLine(t.Why))
		names = append(names, "connections."+oneLine(t.Connection))
	}
	in := "in no group"
	if len(groups) > 0 {
		in = "in " + oneLine(list(groups, maxTried))
	}
	f := w.failure(CodeEAPAllowed, list(each, maxTried), e.as()+", "+in)
	f.Fix = fmt.Sprintf("if %s is to come in, put it into a group that is allowed, or change eap_id or groups of the remote table of %s.", e.user(), orUnknown(list(names, maxTried), "the connection"))
	return f
}

// GroupsOnly is the failure that something is for users of some groups, and the peer is in none of them. groups are those of the user; e
// without a name is a peer that is no user.
func GroupsOnly(w Where, e EAP, groups []string, what string, only []string) *Failure {
	theirs := "no user"
	if e.User != "" {
		theirs = e.as() + ", in " + orUnknown(oneLine(list(groups, maxTried)), "no group")
	}
	f := w.failure(CodeEAPAllowed, what+" for users in "+oneLine(list(only, maxTried)), theirs)
	f.Fix = "if the peer is to have it, put the user into one of these groups, or change groups of " + what + "."
	return f
}

// EAPBroken is the failure that one side does not keep to EAP: what it did is said in e, and ours is what was to come.
func EAPBroken(w Where, e EAP, ours string) *Failure {
	f := w.failure(CodeEAPProtocol, ours, strings.TrimSpace(oneLine(e.Said)))
	f.Fix = "nothing of the configuration causes this; if the peer is what you think it is, report it to its vendor."
	return f
}

// EAPOtherKey is the failure that EAP has come to an end, and the sides have different keys of it.
func EAPOtherKey(w Where, e EAP) *Failure {
	f := w.failure(CodeEAPProtocol, "AUTH with the key of EAP as it is here", "AUTH with another one, as "+e.as())
	f.Fix = "if a RADIUS server is asked, compare its secret on both sides, with which it hides the key; else somebody is between the two sides."
	return f
}

// EAPNotMutual is the failure that EAP is all that proves the gateway, and its method does not.
func EAPNotMutual(w Where, e EAP) *Failure {
	f := w.failure(CodeEAPMethod, "to use eap-tls, eap-ttls or eap-peap where nothing else proves the gateway", orUnknown(oneLine(e.Method), "another method")+" for "+e.user())
	f.Fix = "set auth = \"pubkey\" in the local table of the gateway, with a certificate, and in the remote table of the client; or use eap-tls on both sides."
	return f
}

// EAPOnlyNotOffered is the failure that the peer wants a certificate of this gateway, which proves itself by EAP alone.
func EAPOnlyNotOffered(w Where) *Failure {
	f := w.failure(CodeEAPMethod, "no other proof of this gateway than EAP", "a certificate of the gateway: it does not say that it can do without (EAP_ONLY_AUTHENTICATION)")
	f.Fix = "set auth = \"pubkey\" in the local table of " + w.connection() + ", with a certificate: few clients do without."
	return f
}

// EAPUnfinished is the failure that a user began and did not go on, for so long.
func EAPUnfinished(w Where, e EAP, waited time.Duration) *Failure {
	f := w.failure(CodeHalfOpen, seconds(waited)+" for its next message of EAP", "what begins EAP as "+e.as()+", then no more")
	f.Fix = "nothing, if the person has given up, or its client has asked for another password; else read the client's log, and let UDP 4500 pass both ways."
	return f
}

// EAPNothing is the failure that there is nothing to check users with, or for this side to be one.
func EAPNothing(w Where, client bool) *Failure {
	f := w.failure(CodeNoSecret, "users to compare it with", "a user of EAP")
	f.Fix = "add users: [secrets.eap.NAME] with id and secret, a users file, or [radius.servers.NAME] with auth = \"eap-radius\"."
	if client {
		f.Ours, f.Theirs = "a secret of this side's user", "a gateway that asks for one"
		f.Fix = "add [secrets.eap.NAME] with the name of the user as id, and its secret; eap_id of the local table of " + w.connection() + " names the user."
	}
	return f
}
