package dataplane

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// controlRoom is enough for all control messages of a received or sent datagram.
const controlRoom = 128

// received is what control messages tell about a received message.
type received struct {
	dst netip.Addr // the address it came to
	tos uint8      // TOS or traffic class
	seg int        // UDP_GRO: the octets of each datagram but the last; 0: a single one
}

// parseControl reads the control messages of a received message. What is malformed is left out: it comes from the
// kernel, and only its absence has a meaning.
func parseControl(oob []byte, v6 bool) (r received) {
	for len(oob) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
		n := int(h.Len)
		if n < unix.SizeofCmsghdr || n > len(oob) {
			return r
		}
		data := oob[unix.CmsgLen(0):n]
		switch {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			// struct in_pktinfo: index, ipi_spec_dst, ipi_addr. The middle one is the local address, also for broadcasts.
			r.dst = netip.AddrFrom4([4]byte(data[4:8]))
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			r.dst = netip.AddrFrom16([16]byte(data[:16]))
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_TOS && len(data) >= 1:
			r.tos = data[0]
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_TCLASS && len(data) >= 4:
			r.tos = uint8(binary.NativeEndian.Uint32(data))
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			r.seg = int(binary.NativeEndian.Uint32(data))
		}
		next := unix.CmsgSpace(n - unix.CmsgLen(0))
		if next > len(oob) {
			return r
		}
		oob = oob[next:]
	}
	return r
}

// appendControl appends one control message.
func appendControl(oob []byte, level, typ int32, data []byte) []byte {
	at := len(oob)
	space := unix.CmsgSpace(len(data))
	for range space {
		oob = append(oob, 0)
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[at]))
	h.Level, h.Type = level, typ
	h.SetLen(unix.CmsgLen(len(data)))
	copy(oob[at+unix.CmsgLen(0):], data)
	return oob
}

// sourceControl is the control message that makes a datagram leave from the address a.
func sourceControl(a netip.Addr) []byte {
	if a.Is6() {
		var pi [unix.SizeofInet6Pktinfo]byte
		b := a.As16()
		copy(pi[:], b[:])
		return appendControl(nil, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, pi[:])
	}
	var pi [unix.SizeofInet4Pktinfo]byte
	b := a.As4()
	copy(pi[4:], b[:])
	return appendControl(nil, unix.IPPROTO_IP, unix.IP_PKTINFO, pi[:])
}

// appendTOS appends the control message that sets the TOS or traffic class.
func appendTOS(oob []byte, v6 bool, tos uint8) []byte {
	var v [4]byte
	binary.NativeEndian.PutUint32(v[:], uint32(tos))
	if v6 {
		return appendControl(oob, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, v[:])
	}
	return appendControl(oob, unix.IPPROTO_IP, unix.IP_TOS, v[:])
}
