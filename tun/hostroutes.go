package tun

import "net/netip"

// HostRoute is a route that this host has without the tunnel, other than a default route.
type HostRoute struct {
	Dst       netip.Prefix
	Device    string // several of them, with "and", where it has several next hops
	Connected bool   // it is a network that the host is directly connected to
}
