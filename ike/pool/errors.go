package pool

import (
	"fmt"
	"net/netip"
	"strings"
)

// EmptyError says that pools have no address left for a client.
type EmptyError struct {
	Owner string // for people
	// Six: an IPv6 address is wanted.
	Six bool
	// Pools are those that were tried.
	Pools []Stats
}

func (e *EmptyError) Error() string {
	if len(e.Pools) == 0 {
		return "no pool with " + family(e.Six) + " addresses"
	}
	var list []string
	for _, p := range e.Pools {
		list = append(list, fmt.Sprintf("%s: %d of %d online", p.Name, p.Online, p.Size))
	}
	return "no " + family(e.Six) + " address is left (" + strings.Join(list, ", ") + ")"
}

func family(six bool) string {
	if six {
		return "IPv6"
	}
	return "IPv4"
}

// TakenError says that the address which is one client's own is in use by another.
type TakenError struct {
	Owner string // for people
	Addr  netip.Addr
	By    string // for people
}

func (e *TakenError) Error() string { return fmt.Sprintf("%s is in use by %s", e.Addr, e.By) }

// UnknownError says that a client is to have an address of a pool that there is not.
type UnknownError struct {
	Owner string // for people
	Pool  string
	Known []string
}

func (e *UnknownError) Error() string { return fmt.Sprintf("there is no pool %q", e.Pool) }

// GroupsError says that the pools of a connection are for users of other groups.
type GroupsError struct {
	Owner string // for people
	// Pool is the first of them, Groups whom it is for, Has the groups of the user.
	Pool        string
	Groups, Has []string
}

func (e *GroupsError) Error() string {
	return fmt.Sprintf("the pool %q is for the groups %s", e.Pool, strings.Join(e.Groups, ", "))
}

// StoreError says that a lease could not be written to where leases are kept, so that it was not given.
type StoreError struct {
	Owner string // for people
	Err   error
}

func (e *StoreError) Error() string { return "the lease could not be kept: " + e.Err.Error() }

func (e *StoreError) Unwrap() error { return e.Err }
