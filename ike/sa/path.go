package sa

import (
	"fmt"
	"net/netip"
)

// Path is the pair of outer UDP addresses an IKE message travels between, seen from this gateway.
//
// A Path whose local port is the daemon's NAT traversal port (4500) carries messages behind the non-ESP marker of
// RFC 3948 section 2.2; the data plane adds and removes the marker, so that this package never sees it.
type Path struct {
	Local, Remote netip.AddrPort
}

// Reversed is the path as the peer sees it when there is no NAT in between.
func (p Path) Reversed() Path { return Path{Local: p.Remote, Remote: p.Local} }

// String gives "local -> remote".
func (p Path) String() string { return fmt.Sprintf("%s -> %s", p.Local, p.Remote) }
