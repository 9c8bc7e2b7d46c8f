package diag

import (
	"fmt"
	"net/netip"
	"strings"
)

// PoolState is how full a pool is.
type PoolState struct {
	Name   string
	Size   uint64
	Online int
}

func (p PoolState) String() string {
	return fmt.Sprintf("%s (%d of %d online)", oneLine(p.Name), p.Online, p.Size)
}

// PoolEmpty is the failure of a responder that has no address left for a peer: pools are those that were tried, none if the connection has
// none of that IP version. six: an IPv6 address was asked for.
func PoolEmpty(w Where, pools []PoolState, six bool) *Failure {
	family := "IPv4"
	if six {
		family = "IPv6"
	}
	var texts, names []string
	for _, p := range pools {
		texts, names = append(texts, p.String()), append(names, "pools."+oneLine(p.Name))
	}
	f := w.failure(CodePoolEmpty, list(texts, maxListed), "an "+family+" address")
	if len(pools) == 0 {
		f.Ours = "no pool with " + family + " addresses"
		f.Fix = "add a pool of " + family + " addresses to " + w.connection() + ".pools, or have the client ask for the other IP version."
		return f
	}
	f.Fix = fmt.Sprintf("make %s larger, or add another pool to %s.pools; `swanctl --list-pools --leases` shows who has its addresses.",
		strings.Join(names, " or "), w.connection())
	return f
}

// AddressTaken is the failure of a responder whose peer has an address of its own, which another one uses.
func AddressTaken(w Where, a netip.Addr, by string) *Failure {
	f := w.failure(CodePoolAddress, fmt.Sprintf("%s in use by %s", a, quote(by)), fmt.Sprintf("its own address %s", a))
	f.Fix = fmt.Sprintf("give only one of %s and %s the address %s, in the users file or at the RADIUS server.", quote(w.PeerID), quote(by), a)
	return f
}

// PoolUnknown is the failure of a responder whose peer is to have an address of a pool that is not configured; known are those that are.
func PoolUnknown(w Where, name string, known []string) *Failure {
	f := w.failure(CodePoolAddress, "the pools "+orUnknown(list(known, maxListed), "(none)"), "an address of the pool "+quote(name))
	f.Fix = fmt.Sprintf("add [pools.%s], or correct the name in the users file or at the RADIUS server (Framed-Pool).", oneLine(name))
	return f
}

// LeaseNotKept is the failure of a responder that can't write a lease to where it survives a restart, so that it does not give it.
func LeaseNotKept(w Where, err error) *Failure {
	return w.because(CodePoolStore, err, "", "")
}

// AddressNotAsked is the failure of a responder whose peer asks for a CHILD SA with the address that it was given, and has not asked for one.
func AddressNotAsked(w Where) *Failure {
	return w.failure(CodeCPRequired, "", "")
}
