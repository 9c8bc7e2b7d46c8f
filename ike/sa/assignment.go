package sa

import (
	"net/netip"
	"slices"
)

// Assignment is what a gateway has given this side as its client, with the Configuration payload of its last IKE_AUTH answer
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.15). Whatever is in it has been checked: it is neither nonsense nor more than this side
// takes. It is never changed.
type Assignment struct {
	// Addresses are this side's in the networks of the gateway: as many of a family at most as were asked for.
	Addresses []netip.Addr
	// DNS are the servers there, at most maxServers, and Domains the names that they are for (RFC 8598), in lower case and without a dot at
	// the end; none: all names.
	DNS     []netip.Addr
	Domains []string
	// Subnets are the networks behind the gateway, as it says.
	Subnets []netip.Prefix
	// Ignored says what of the answer is of no use, for an operator: at most maxIgnored texts.
	Ignored []string
}

// Assigned reports what a gateway has given this side. It comes before the CHILD SAs that need it. The IKE SA that replaces this one has the
// same, and does not say so again: see [Machine.Assignment].
type Assigned struct{ Assignment *Assignment }

func (Assigned) output() {}

// Placement is what of an [Assignment] is to be put in place on this host. It is not changed once it is made.
type Placement struct {
	// Connection is the name of the connection, for people.
	Connection string
	// Addresses are for the tunnel's device.
	Addresses []netip.Addr
	// DNS are servers that this host is to ask, the best first; none: its resolver stays as it is. Domains are the names that they are for,
	// with all below them; none: all names.
	DNS     []netip.Addr
	Domains []string
}

// Equal reports whether two are the same.
func (a Placement) Equal(b Placement) bool {
	return a.Connection == b.Connection && slices.Equal(a.Addresses, b.Addresses) && slices.Equal(a.DNS, b.DNS) && slices.Equal(a.Domains, b.Domains)
}

// client is what a machine knows as the client of a gateway.
type client struct {
	// asked are the addresses that were asked for; an unspecified one stands for any of its family.
	asked []netip.Addr
	// given is what came of it; nil for nothing.
	given *Assignment
}

// waits reports whether this side has asked for an address, or is about to, and has none.
func (c *client) waits() bool { return len(c.asked) > 0 && c.given == nil }

// Assignment is what the peer has given this side in this IKE SA, or in one that it has replaced; nil for nothing.
func (m *Machine) Assignment() *Assignment { return m.client.given }
