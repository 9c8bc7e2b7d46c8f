package tun

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The filter refuses the tunnel's own routes, and nothing else.
func TestOwnRoutesFilter(t *testing.T) {
	vm, err := bpf.NewVM(ownRoutes())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		kind     uint16
		protocol byte
		takes    bool
	}{
		{unix.RTM_NEWROUTE, RouteProtocol, false}, {unix.RTM_DELROUTE, RouteProtocol, false},
		{unix.RTM_NEWROUTE, unix.RTPROT_STATIC, true}, {unix.RTM_DELROUTE, unix.RTPROT_KERNEL, true},
		{unix.RTM_NEWLINK, RouteProtocol, true}, {unix.RTM_DELLINK, 0, true},
	} {
		b := make([]byte, unix.NLMSG_HDRLEN+unix.SizeofRtMsg)
		binary.NativeEndian.PutUint32(b, uint32(len(b)))
		binary.NativeEndian.PutUint16(b[4:], x.kind)
		b[unix.NLMSG_HDRLEN+5] = x.protocol // struct rtmsg: family, lengths, TOS and table are an octet each
		n, err := vm.Run(b)
		if err != nil || (n > 0) != x.takes {
			t.Errorf("message %d, protocol %d: %d, %v", x.kind, x.protocol, n, err)
		}
	}
}
