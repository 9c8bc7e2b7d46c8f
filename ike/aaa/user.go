package aaa

import (
	"net/netip"
	"slices"
	"time"
)

// User is an authenticated user, and what it was given. Whoever has one must not change it: it is shared.
type User struct {
	// Name is as EAP has proved it: the identity within the tunnel where there is one.
	Name string
	// Foreign is what vouches for the name, where it is none of this gateway's users: another user of the same name is not the same one. It is only compared. "":
	// one of this gateway's, or of Server.
	Foreign string
	// Method is what has proved it, for people: "eap-mschapv2", "eap-peap (mschapv2)", "radius".
	Method string
	// Groups are those of the users file, or of the attributes Class and Filter-Id of RADIUS.
	Groups []string
	// Addresses are to be assigned to the user: at most one of each family.
	Addresses []netip.Addr
	// Pools are the names of those that addresses come from; none: those of the connection.
	Pools []string
	// DNS are servers for the user; none: those of the connection.
	DNS []netip.Addr
	// Session is how long the session may last without another authentication; 0: no limit. Interim is how often accounting is told of it;
	// 0: as configured.
	Session, Interim time.Duration
	// Class are octets that go into accounting as they are (RFC 2865 section 5.25).
	Class [][]byte
	// Server is the name of the RADIUS server that has said so; empty for a user of the users file.
	Server string
}

// In reports whether the user is in a group.
func (u *User) In(group string) bool { return u != nil && slices.Contains(u.Groups, group) }

// Address is the address of one family that is to be assigned to the user. ok is false if there is none.
func (u *User) Address(v6 bool) (a netip.Addr, ok bool) {
	if u == nil {
		return netip.Addr{}, false
	}
	for _, a := range u.Addresses {
		if a.Is6() == v6 {
			return a, true
		}
	}
	return netip.Addr{}, false
}
