package dataplane

import "testing"

// So many extension headers are looked through and no more: a datagram has room for 8,000 of them, and each packet would cost as much.
func TestExtensionHeadersAreBounded(t *testing.T) {
	for n, want := range map[int]bool{0: true, 1: true, maxExtensions - 1: true, maxExtensions: false, 1000: false} {
		var ext []byte
		for i := range n {
			h := make([]byte, 8)
			h[0] = protoDestOpts
			if i == n-1 {
				h[0] = protoUDP
			}
			ext = append(ext, h...)
		}
		s := v6
		b := s.build(protoDestOpts, append(ext, udpPacket(v6, 1, 2, nil)[ipv6Header:]...))
		if n == 0 {
			b = udpPacket(v6, 1, 2, nil)
		}
		var h innerHeader
		if got := h.parse(b); got != want {
			t.Errorf("%d extension headers: %v", n, got)
		}
		if want && h.protocol != protoUDP {
			t.Errorf("%d extension headers: protocol %d", n, h.protocol)
		}
	}
}
