package dataplane

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// Segments of a run that UDP_SEGMENT takes: UDP_MAX_SEGMENTS is 64 before Linux 6.9 and 128 since, and some older kernels
// count the UDP header as if it were payload. Distributors carry the newer limit to older kernels, so it is tried.
const (
	oldSegments = 63
	newSegments = 127
)

// enableGSO finds out whether and how many packets UDP_SEGMENT takes.
func (w *mmsgSockets) enableGSO() {
	if w.config.Features.NoUDPGSO {
		w.gsoOff.Store(new(turnedOff))
		return
	}
	for _, b := range w.conns {
		if b.kind != SocketNATT {
			continue
		}
		// Setting the socket's default to "none" works exactly where UDP_SEGMENT does.
		if err := b.control(func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 0) }); err != nil {
			w.gsoOff.Store(new(fmt.Sprintf("this kernel does not have it (%v)", err)))
			return
		}
	}
	w.segments = oldSegments
	if takesRun(newSegments) {
		w.segments = newSegments
	}
	if !w.kernel.equalTailBug() {
		return
	}
	if w.config.Features.NoSentinel {
		w.note(off(featureSentinel, turnedOff+", although Linux of this version corrupts runs of equal length"))
		return
	}
	w.sentinel = true
	w.note(on(featureSentinel, "Linux of this version corrupts runs of equal length: an octet is added behind each"))
}

// takesRun finds out whether a run of n segments can be sent, on a socket that sends it to itself.
func takesRun(n int) bool {
	const segment = 500
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}) != nil {
		return false
	}
	to, err := unix.Getsockname(fd)
	if err != nil {
		return false
	}
	oob := appendControl(nil, unix.IPPROTO_UDP, unix.UDP_SEGMENT, binary.NativeEndian.AppendUint16(nil, segment))
	return unix.Sendmsg(fd, make([]byte, n*segment), oob, to, 0) == nil
}

// disableGSO makes senders send packets one by one, after the kernel has shown that it has to be so.
func (w *mmsgSockets) disableGSO(why string) {
	if w.gsoOff.CompareAndSwap(nil, &why) {
		w.config.Logger.Warn("UDP segmentation offload is off", "why", why)
	}
}

func (w *mmsgSockets) gso() gsoLimits { return gsoLimits{segments: w.segments, sentinel: w.sentinel} }

// enableGRO lets the kernel give runs of datagrams as one message.
func (w *mmsgSockets) enableGRO() {
	if w.config.Features.NoUDPGRO {
		w.note(off(featureGRO, turnedOff))
		return
	}
	// Before 5.12, a message that was not merged could be given out as if it were (wireguard-go has the same limit).
	if !w.kernel.atLeast(5, 12, 0) {
		w.note(off(featureGRO, "not used before Linux 5.12"))
		return
	}
	for _, b := range w.conns {
		if b.kind != SocketNATT {
			continue
		}
		if err := b.control(func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1) }); err != nil {
			w.note(off(featureGRO, err.Error()))
			return
		}
		b.gro = true
	}
	w.note(on(featureGRO, "UDP_GRO"))
}

// describe says of each feature of the sockets whether it is used.
func (w *mmsgSockets) describe() []Feature {
	gso := on(featureGSO, fmt.Sprintf("UDP_SEGMENT, runs of up to %d packets", w.segments))
	if why := w.gsoOff.Load(); why != nil {
		gso = off(featureGSO, *why)
	}
	return append(append(w.set.describe(), gso), w.features...)
}
