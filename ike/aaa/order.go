package aaa

import (
	"net/netip"
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
	// Remote is the address of the user's end of the IKE SA, with or without its port.
	Remote netip.AddrPort
}

// Empty reports whether nothing is set. Such an order is for no session, never for all.
func (w Which) Empty() bool {
	return w.User == "" && w.SessionID == "" && len(w.Addresses) == 0 && !w.Remote.Addr().IsValid()
}
