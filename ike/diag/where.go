package diag

import (
	"fmt"
	"net/netip"
	"time"
)

// Where is what every constructor needs to know about the circumstances. All of it is optional; what is missing is
// rendered as unknown. It is a value: its methods return changed copies, so that a call site reads
// diag.Malformed(m.where(x).Answering(wire.NotifyInvalidSyntax), err).
type Where struct {
	// Connection and Child are names in the configuration. Lone: the child stands in the table of the connection itself.
	Connection, Child string
	Lone              bool
	// Exchange is the IANA name of the exchange.
	Exchange string
	// Local and Remote are the outer addresses and ports.
	Local, Remote netip.AddrPort
	// PeerID is the identity that the peer has shown, as text; empty while it has shown none.
	PeerID string
	// User is the name of the user that the peer says it is, or has proved to be; empty where there is no EAP.
	User string
	// ConfigLine is where the value concerned is configured, as "gw.toml:14".
	ConfigLine string
	// Answer is the IANA name of the notification that this side answers with; empty if it sends none.
	Answer string
	// Time is now.
	Time time.Time
}

// At is w with another line of the configuration.
func (w Where) At(line string) Where {
	w.ConfigLine = line
	return w
}

// Of is w for a child and a line of its configuration.
func (w Where) Of(child, line string) Where {
	w.Child, w.ConfigLine = child, line
	return w
}

// Showing is w with the identity that the peer shows.
func (w Where) Showing(id string) Where {
	w.PeerID = id
	return w
}

// As is w with the name of the user that the peer says it is.
func (w Where) As(user string) Where {
	w.User = user
	return w
}

// Answering is w for a failure that this side answers with a notification, whose name is that of t.
func (w Where) Answering(t fmt.Stringer) Where {
	w.Answer = t.String()
	return w
}

// failure starts a Failure at w that this side has found. What is empty of the sides is rendered with the default of the code.
func (w Where) failure(code Code, ours, theirs string) *Failure {
	return &Failure{
		Code: code, Connection: w.Connection, Child: w.Child, Exchange: w.Exchange,
		Local: w.Local, Remote: w.Remote, PeerID: w.PeerID, User: w.User, ConfigLine: w.ConfigLine, Time: w.Time,
		Notify: w.Answer, Ours: ours, Theirs: theirs,
	}
}

// because starts a Failure at w with the error underneath.
func (w Where) because(code Code, cause error, ours, theirs string) *Failure {
	f := w.failure(code, ours, theirs)
	f.Cause = cause
	return f
}

// refused starts a Failure at w that the peer has reported with the notification named notify.
func (w Where) refused(code Code, notify, ours string) *Failure {
	f := w.failure(code, ours, "")
	f.ByPeer, f.Notify = true, notify
	return f
}

// connection is the path of the connection's table in the configuration.
func (w Where) connection() string {
	if w.Connection == "" {
		return "the connection"
	}
	return "connections." + w.Connection
}

// child is the path of the child's table in the configuration.
func (w Where) child() string {
	switch {
	case w.Child == "":
		return "the child"
	case w.Lone:
		return w.connection()
	}
	return w.connection() + ".children." + w.Child
}
