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
	tos uint8      // TOS or traffic class
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
	r.tos = tos4(oob)
	return r
}

// sourceControl is the control message that makes a datagram leave from the address a.
func sourceControl(a netip.Addr) []byte {
	if a.Is6() {
		return (&ipv6.ControlMessage{Src: a.AsSlice()}).Marshal()
	}
	return sourceControl4(a)
}

// appendTOS appends the control message that sets the TOS or traffic class.
func appendTOS(oob []byte, v6 bool, tos uint8) []byte {
	if tos == 0 {
		return oob
	}
	if !v6 {
		return appendTOS4(oob, tos)
	}
	return append(oob, (&ipv6.ControlMessage{TrafficClass: int(tos)}).Marshal()...)
}
