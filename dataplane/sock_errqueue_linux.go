package dataplane

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socketError is one ICMP or local error that a socket's error queue tells about.
type socketError struct {
	remote netip.AddrPort // where the packet was sent
	local  netip.Addr     // where it was sent from, if known
	errno  syscall.Errno
	mtu    int // with EMSGSIZE: what fits
	// icmp is the ICMP message behind it, nil for an error of this system alone.
	icmp *ICMPMessage
	host bool // this host found it: no ICMP message has come
}

// drainErrors takes all errors out of a socket's error queue (IP_RECVERR, see ip(7)).
func drainErrors(fd int, report func(socketError)) {
	var buf [64]byte // the start of the packet is of no interest
	var oob [512]byte
	for {
		_, n, flags, from, err := unix.Recvmsg(fd, buf[:], oob[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return
		}
		if flags&unix.MSG_ERRQUEUE == 0 {
			return
		}
		e := socketError{remote: addrPortOf(from)}
		if parseSocketError(oob[:n], &e) {
			report(e)
		}
	}
}

// parseSocketError reads struct sock_extended_err from the control messages.
func parseSocketError(oob []byte, e *socketError) bool {
	found := false
	for len(oob) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
		n := int(h.Len)
		if n < unix.SizeofCmsghdr || n > len(oob) {
			break
		}
		data := oob[unix.CmsgLen(0):n]
		switch {
		case (h.Level == unix.IPPROTO_IP && h.Type == unix.IP_RECVERR ||
			h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_RECVERR) && len(data) >= 16:
			// ee_errno(4), ee_origin, ee_type, ee_code, pad, ee_info(4), ee_data(4)
			e.errno = syscall.Errno(binary.NativeEndian.Uint32(data))
			if e.errno == unix.EMSGSIZE {
				e.mtu = int(binary.NativeEndian.Uint32(data[8:]))
			}
			e.host = data[4] == unix.SO_EE_ORIGIN_LOCAL
			e.icmp = icmpOf(e.errno, data)
			found = true
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			e.local = netip.AddrFrom4([4]byte(data[8:12]))
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			e.local = netip.AddrFrom16([16]byte(data[:16])).Unmap()
		}
		next := unix.CmsgSpace(n - unix.CmsgLen(0))
		if next > len(oob) {
			break
		}
		oob = oob[next:]
	}
	return found
}

// icmpOf is the ICMP message that a struct sock_extended_err tells of, with its sender behind it (SO_EE_OFFENDER), if it is one.
func icmpOf(errno syscall.Errno, data []byte) *ICMPMessage {
	origin := data[4]
	if origin != unix.SO_EE_ORIGIN_ICMP && origin != unix.SO_EE_ORIGIN_ICMP6 {
		return nil
	}
	m := &ICMPMessage{Errno: errno, V6: origin == unix.SO_EE_ORIGIN_ICMP6, Type: data[5], Code: data[6]}
	if len(data) < 18 {
		return m
	}
	switch family := binary.NativeEndian.Uint16(data[16:]); {
	case family == unix.AF_INET && len(data) >= 24: // sin_family, sin_port, sin_addr
		m.From = netip.AddrFrom4([4]byte(data[20:24]))
	case family == unix.AF_INET6 && len(data) >= 40: // sin6_family, sin6_port, sin6_flowinfo, sin6_addr
		m.From = netip.AddrFrom16([16]byte(data[24:40])).Unmap()
	}
	return m
}

func addrPortOf(sa unix.Sockaddr) netip.AddrPort {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// reportErrors passes on what the error queue of b has.
func (b *boundSocket) reportErrors(fd int, ev socketEvents) {
	drainErrors(fd, func(e socketError) {
		if e.errno == unix.EMSGSIZE {
			if e.host {
				e.mtu = 0 // the system is asked; what is passed on here is what an ICMP message has said
			}
			ev.mtuChanged(e.remote.Addr(), e.mtu)
			return
		}
		if e.icmp != nil {
			ev.unreachable(b.local, e.remote, e.icmp)
			return
		}
		ev.unreachable(b.local, e.remote, e.errno)
	})
}

// pollErrors is reportErrors for a socket whose descriptor is not at hand.
func (b *boundSocket) pollErrors(ev socketEvents) {
	if b.udp == nil {
		return
	}
	if rc, err := b.udp.SyscallConn(); err == nil {
		_ = rc.Control(func(fd uintptr) { b.reportErrors(int(fd), ev) }) // a closed socket has nothing to tell
	}
}
