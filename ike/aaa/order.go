package aaa

import (
	"net/netip"
	"slices"
	"time"
)

// Order is what a server wants done with sessions that are there (RFC 5176).
type Order struct {
	// Which are the sessions.
	Which Which
	// Disconnect ends them. It comes alone.
	Disconnect bool
	// Session is how much longer they may last without another authentication. Not set: it stays as it is.
	Session    time.Duration
	HasSession bool
	// From is the name of the server.
	From string
}

// Which says what sessions are meant: those that have all of what is set.
type Which struct {
	// User is the name that was proved, SessionID that of a [Session].
	User, SessionID string
	// Addresses are all among those of the user.
	Addresses []netip.Addr
	// Remote is the address of the user's end of the IKE SA. A port of 0 is any. Local is this gateway's, any of them if it is not valid.
	Remote netip.AddrPort
	Local  netip.Addr
	// Connection is the name of one.
	Connection string
}

// Empty reports whether nothing says whose session is meant. Such an order is for no session, never for all.
func (w Which) Empty() bool {
	return w.User == "" && w.SessionID == "" && len(w.Addresses) == 0 && !w.Remote.Addr().IsValid()
}

// Matches reports whether a session is meant, by what it is at present.
func (w Which) Matches(r *Record) bool {
	user := ""
	if r.Session.User != nil {
		user = r.Session.User.Name
	}
	for _, a := range w.Addresses {
		if !slices.Contains(r.Addresses, a) {
			return false
		}
	}
	switch {
	case w.Empty():
		return false
	case w.User != "" && w.User != user, w.SessionID != "" && w.SessionID != r.Session.ID:
		return false
	case w.Connection != "" && w.Connection != r.Session.Connection:
		return false
	case w.Local.IsValid() && w.Local != r.Local.Addr().Unmap():
		return false
	case w.Remote.Addr().IsValid() && w.Remote.Addr() != r.Remote.Addr().Unmap():
		return false
	case w.Remote.Port() != 0 && w.Remote.Port() != r.Remote.Port():
		return false
	}
	return true
}
