//go:build !linux

package dataplane

import (
	"net/netip"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// controlRoom is enough for all control messages of a received or sent datagram.
const controlRoom = 256

// received is what control messages tell about a received message.
type received struct {
	dst netip.Addr // the address it came to
	tos uint8      // traffic class; the TOS of IPv4 is not known
	seg int        // always 0
}

// parseControl reads the control messages of a received message.
func parseControl(oob []byte, v6 bool) (r received) {
	if v6 {
		var cm ipv6.ControlMessage
		if cm.Parse(oob) == nil {
			r.dst, _ = netip.AddrFromSlice(cm.Dst)
			r.tos = uint8(max(0, cm.TrafficClass))
		}
		return r
	}
	var cm ipv4.ControlMessage
	if cm.Parse(oob) == nil {
		a, _ := netip.AddrFromSlice(cm.Dst)
		r.dst = a.Unmap()
	}
	return r
}

// sourceControl is the control message that makes a datagram leave from the address a.
func sourceControl(a netip.Addr) []byte {
	if a.Is6() {
		return (&ipv6.ControlMessage{Src: a.AsSlice()}).Marshal()
	}
	return sourceControl4(a)
}

// appendTOS appends the control message that sets the traffic class. The TOS of IPv4 stays 0: without ECN on the outer
// header, which is RFC 6040's compatibility mode.
func appendTOS(oob []byte, v6 bool, tos uint8) []byte {
	if !v6 || tos == 0 {
		return oob
	}
	return append(oob, (&ipv6.ControlMessage{TrafficClass: int(tos)}).Marshal()...)
}
