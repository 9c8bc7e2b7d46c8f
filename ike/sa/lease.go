package sa

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/pool"
)

// virtual are the addresses within the tunnel that the two sides have been given (RFC 7296 section 2.19). "The requested address is valid as
// long as this IKE SA (or its rekeyed successors) requesting the address is valid."
// https://www.rfc-editor.org/rfc/rfc7296#section-3.15.1
type virtual struct {
	own, peer []netip.Addr
}

// Virtual are the addresses that the peer has given to this side, and those that this side has given to the peer. The lists are not changed.
func (m *Machine) Virtual() (own, peer []netip.Addr) { return m.virtual.own, m.virtual.peer }

// Lease wants addresses for a peer that has proved itself, and has asked for some. [Leased] fulfils it. Where no address can be had it is
// answered with [Unfulfilled] and one of the errors of package pool.
type Lease struct {
	Connection string
	// User is whom the peer has turned out to be by EAP; nil without.
	User *aaa.User
	// Asked are the addresses that the peer has asked for, in its order, 0.0.0.0 or :: where it takes any.
	Asked []netip.Addr
	// Remote is where the peer is. Contact: it says that it has no other IKE SA (INITIAL_CONTACT). Resumes: it goes on with one that it
	// had.
	Remote           netip.AddrPort
	Contact, Resumes bool
}

// Leased is the result of a [Lease].
type Leased struct {
	// Addresses are for the peer, at most as many of each family as it has asked for.
	Addresses  []netip.Addr
	Attributes pool.Attributes
}

func (Leased) result() {}

// leaseTime is how long a machine waits for addresses: what they are written to may be slow. Peers repeat a request for longer than that.
const leaseTime = 10 * time.Second

func (Lease) patience() time.Duration { return leaseTime }

func (l Lease) same(other Want) bool {
	o, ok := other.(Lease)
	return ok && l.Connection == o.Connection && l.User == o.User && l.Remote == o.Remote && l.Contact == o.Contact && l.Resumes == o.Resumes &&
		slices.Equal(l.Asked, o.Asked)
}

func (l Lease) String() string { return "an address for the peer" }
