package ipsecconf

import (
	"net/netip"
	"slices"
	"strings"
)

// sides are the prefixes of the keywords of this host and of its peer: "left" and "right", or the other way round.
type sides struct {
	here, there string
	// guessed says that nothing in the file tells which of the two is this host.
	guessed bool
}

var (
	leftIsHere  = sides{here: "left", there: "right"}
	rightIsHere = sides{here: "right", there: "left"}
)

// orient finds out which side of a conn is this host.
//
// For strongSwan it is the left, unless the right is an address of this host; there is nothing more to it. For libreswan it is the one with an
// address of this host, the one that is %defaultroute, or the one that has an address where the other can be anybody. Otherwise the left is taken.
func orient(d Dialect, c *conn, here []string) sides {
	left, right := hosts(c, "left"), hosts(c, "right")
	open := leftIsHere // as far as nothing says otherwise
	open.guessed = len(here) == 0 && !anybody(left) && !anybody(right)
	if d == StrongSwan {
		switch {
		case anyOf(right, here):
			return rightIsHere
		case slices.Contains(left, "%defaultroute") || slices.Contains(right, "%defaultroute"): // anybody, for strongSwan
			return leftIsHere
		}
		return open
	}
	switch {
	case anyOf(right, here) && !anyOf(left, here):
		return rightIsHere
	case anyOf(left, here) || slices.Contains(left, "%defaultroute"):
		return leftIsHere
	case slices.Contains(right, "%defaultroute"):
		return rightIsHere
	case anybody(right):
		return leftIsHere
	case anybody(left):
		return rightIsHere
	}
	return open
}

// hosts are the addresses of a side.
func hosts(c *conn, side string) []string {
	var list []string
	if s := c.get(side); s != nil {
		list = words(s.value)
	}
	return list
}

// anyOf reports whether one of the addresses is one of this host.
func anyOf(list, here []string) bool {
	return slices.ContainsFunc(list, func(s string) bool {
		return slices.ContainsFunc(here, func(h string) bool { return sameHost(strings.TrimPrefix(s, "%"), h) })
	})
}

// sameHost compares two addresses or two names.
func sameHost(a, b string) bool {
	x, err1 := netip.ParseAddr(a)
	y, err2 := netip.ParseAddr(b)
	if err1 == nil && err2 == nil {
		return x == y
	}
	return strings.EqualFold(a, b)
}

// anybody reports whether a side is every host.
func anybody(list []string) bool { return len(list) == 0 || isAnybody(list[0]) }

// isAnybody reports whether an address is one for every host.
func isAnybody(s string) bool {
	switch s {
	case "", "%any", "%any4", "%any6", "0.0.0.0", "::", "%group", "%opportunistic", "%opportunisticgroup":
		return true
	}
	return strings.HasSuffix(s, "/0")
}

// callable reports whether one of the addresses of a peer is a single one, or a name, so that it can be called.
func callable(list []string) bool {
	return slices.ContainsFunc(list, func(s string) bool {
		return !isAnybody(s) && s != "%defaultroute" && !strings.ContainsAny(s, "/-") || isName(s)
	})
}

// isName reports whether an address is the name of a host, which may have hyphens.
func isName(s string) bool {
	from, _, _ := strings.Cut(s, "-")
	_, err := netip.ParseAddr(from)
	return err != nil && !strings.Contains(s, "/") && !strings.HasPrefix(s, "%") && s != ""
}
