package dataplane

import (
	"os"

	"golang.org/x/sys/unix"
)

// Don't Fragment, over IPv4. Linux sets it by itself (IP_PMTUDISC_WANT) on packets that fit the path as far as is known,
// but not on runs of UDP_SEGMENT: routers would cut each of their packets in two, and nobody would ever learn that the
// path has become narrow. So the sockets of ESP always have it (IP_PMTUDISC_DO). What is larger than the path and has to
// go all the same, such as IPv6 packets of 1280 octets through a path that takes less, goes without it: allowFragments.
//
// IPv6 has no such bit: only the sender fragments, and it does for what is larger than the path as far as it is known.

// dontFragment sets the bit on everything that the socket sends.
func (b *mmsgSocket) dontFragment() error {
	if b.v6 || b.kind == SocketIKE {
		return nil
	}
	b.df = true
	return b.discover(unix.IP_PMTUDISC_DO)
}

func (b *mmsgSocket) discover(mode int) error {
	return b.control(func(fd int) error {
		return os.NewSyscallError("IP_MTU_DISCOVER", unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, mode))
	})
}

// allowFragments lets what the socket sends be fragmented, here or by a router, until forbidFragments was called as often.
// Meanwhile another worker's packets may be as well, which does no harm.
func (b *mmsgSocket) allowFragments() {
	if !b.df {
		return
	}
	b.whole.Lock()
	defer b.whole.Unlock()
	if b.users++; b.users == 1 {
		_ = b.discover(unix.IP_PMTUDISC_DONT) // a socket that is closed meanwhile says so to the next send too
	}
}

// forbidFragments takes one allowFragments back.
func (b *mmsgSocket) forbidFragments() {
	if !b.df {
		return
	}
	b.whole.Lock()
	defer b.whole.Unlock()
	if b.users--; b.users == 0 {
		_ = b.discover(unix.IP_PMTUDISC_DO)
	}
}

// pollErrors passes on what the socket's error queue has.
func (b *mmsgSocket) pollErrors(ev socketEvents) {
	_ = b.control(func(fd int) error { b.reportErrors(fd, ev); return nil }) // a closed socket has nothing to tell
}

// mayFragment reports whether the packets of a message may be fragmented. It asks what was known of the path when they were
// sealed, not what is known by now: a packet that made the search for a black hole begin is still to be sent when the MTU is
// lowered. If a router were allowed to fragment it, it would get through, and its acknowledgement would end the search with an
// MTU that does not get anything through.
func (m *txMessage) mayFragment() bool { return m.oversize && !m.route.path.Remote.Addr().Is6() }
