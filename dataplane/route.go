package dataplane

import (
	"sync/atomic"

	"esplanade/esp"
)

// route is a resolved path. It is immutable but for mtu.
type route struct {
	path   esp.Path
	socket int // index of the socket group at the socket end
	// mtu is the outer MTU that is believed of the path.
	mtu atomic.Int32

	addr    any    // the remote address in the end's form
	oob     []byte // control messages that pin the local address; the sender appends the TOS to a copy
	sockLen int    // octets of sockaddr in use
	sock    [28]byte
}

// outerHeader is the number of octets of IP and UDP header on the route.
func (r *route) outerHeader() int {
	n := 20
	if r.path.Remote.Addr().Is6() {
		n = 40
	}
	if r.path.UDP {
		n += 8
	}
	return n
}

// maxPayload is the largest UDP or IP payload of one message.
func (r *route) maxPayload() int {
	if r.path.Remote.Addr().Is6() {
		return 65535 - 8
	}
	return 65535 - 20 - 8
}
