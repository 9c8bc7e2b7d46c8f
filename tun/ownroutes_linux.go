package tun

import (
	"encoding/binary"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Offsets in what the kernel says about a route: a struct nlmsghdr and a struct rtmsg.
const (
	newsType     = 4
	newsProtocol = unix.NLMSG_HDRLEN + 5
)

// ownRoutes is a filter that refuses news about routes that have RouteProtocol and takes all else.
func ownRoutes() []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: newsType, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: asLoaded(unix.RTM_NEWROUTE), SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: asLoaded(unix.RTM_DELROUTE), SkipTrue: 3},
		bpf.LoadAbsolute{Off: newsProtocol, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: RouteProtocol, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: 1 << 18}, // the whole message
	}
}

// asLoaded is a number of the message, which is in host order, as a filter's load sees it, which is in network order.
func asLoaded(n uint16) uint32 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], n)
	return uint32(binary.BigEndian.Uint16(b[:]))
}

// IgnoreOwnRoutes makes the kernel keep the tunnel's own routes out of what it reports on a netlink socket: they lead no
// packet of a peer anywhere, and each CHILD SA brings one, so that a gateway whose peers all come back would do little else
// than look at them. Without that, all else is reported just the same.
func IgnoreOwnRoutes(fd int) error {
	raw, err := bpf.Assemble(ownRoutes())
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, p := range raw {
		filter[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}
