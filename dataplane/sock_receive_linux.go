package dataplane

import (
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// groMessages is the number of messages in a batch when each may be a run of 64 KiB: more would not stay in the
	// second-level cache. plainMessages is the number when each is one datagram.
	groMessages   = 8
	plainMessages = 64
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// mmsgReceiver reads one socket with recvmmsg, without blocking, and waits only when it is empty.
type mmsgReceiver struct {
	w     *mmsgSockets
	b     *mmsgSocket
	slots [][]byte
	hdrs  []mmsghdr
	iovs  []unix.Iovec
	names [][unix.SizeofSockaddrInet6]byte
	oobs  [][controlRoom]byte
	out   []datagrams
	n     int
	errno syscall.Errno
	waits int // how often the current call found nothing
	fill  func(fd uintptr) bool
	fault int // errors in a row
	zones zoneCache
}

func newMmsgReceiver(w *mmsgSockets, b *mmsgSocket) *mmsgReceiver {
	n := plainMessages
	if b.gro || b.kind == SocketIKE {
		n = groMessages
	}
	r := &mmsgReceiver{w: w, b: b, slots: w.memory.slots(n), hdrs: make([]mmsghdr, n), iovs: make([]unix.Iovec, n),
		names: make([][unix.SizeofSockaddrInet6]byte, n), oobs: make([][controlRoom]byte, n), out: make([]datagrams, 0, n)}
	for i := range r.hdrs {
		r.iovs[i].Base = &r.slots[i][headroom]
		r.iovs[i].SetLen(maxPacket)
		h := &r.hdrs[i].hdr
		h.Iov = &r.iovs[i]
		h.SetIovlen(1)
		h.Name = &r.names[i][0]
		h.Control = &r.oobs[i][0]
	}
	r.fill = r.fillBatch
	return r
}

func (r *mmsgReceiver) worker() int { return r.b.worker }
func (r *mmsgReceiver) receive() ([]datagrams, error) {
	for {
		r.n, r.errno, r.waits = 0, 0, 0
		if err := r.b.rc.Read(r.fill); err != nil {
			return nil, errEndClosed // the poller's only error is that the socket is closed
		}
		if r.errno != 0 {
			// An ICMP error that something sent has caused, or a shortage of memory: the socket goes on.
			if r.fault++; r.fault > maxFaults {
				return nil, os.NewSyscallError("recvmmsg", r.errno)
			}
			continue
		}
		r.fault = 0
		r.out = r.out[:0]
		for i := range r.n {
			r.decode(i)
		}
		if len(r.out) > 0 {
			return r.out, nil
		}
	}
}

// fillBatch receives what is there. It reports false if that is nothing.
func (r *mmsgReceiver) fillBatch(fd uintptr) bool {
	for i := range r.hdrs {
		h := &r.hdrs[i].hdr
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(controlRoom)
	}
	for {
		n, _, e := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.hdrs[0])), uintptr(len(r.hdrs)),
			unix.MSG_DONTWAIT, 0, 0)
		switch e {
		case 0:
			r.n = int(n)
			return true
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			// Woken up for nothing: there may be an error that a send has taken the notice of.
			if r.waits++; r.waits > 1 {
				r.b.reportErrors(int(fd), r.w.events)
			}
			return false
		}
		r.errno = e
		r.b.reportErrors(int(fd), r.w.events)
		return true
	}
}

// decode makes datagrams of the i-th message.
func (r *mmsgReceiver) decode(i int) {
	h := &r.hdrs[i]
	if h.n == 0 && r.b.kind == SocketRaw {
		return
	}
	d := datagrams{buf: r.slots[i], start: headroom, end: headroom + int(h.n), remote: getSockaddr(r.names[i][:], &r.zones),
		local: r.b.local, kind: r.b.kind}
	c := parseControl(r.oobs[i][:h.hdr.Controllen], r.b.v6)
	if r.b.wildcard && c.dst.IsValid() {
		d.local = netip.AddrPortFrom(c.dst, r.b.local.Port())
	}
	d.tos, d.seg = c.tos, c.seg
	if d.seg >= int(h.n) {
		d.seg = 0
	}
	if r.b.kind == SocketRaw {
		d.seg = 0
		if !r.b.v6 && !stripIPv4(&d) {
			return
		}
		d.remote = netip.AddrPortFrom(d.remote.Addr(), 0)
	}
	r.out = append(r.out, d)
}

// stripIPv4 takes off the IP header that a raw IPv4 socket gives (raw(7)).
func stripIPv4(d *datagrams) bool {
	b := d.buf[d.start:d.end]
	if len(b) < ipv4MinHeader || b[0]>>4 != 4 || int(b[0]&15)*4 > len(b) {
		return false
	}
	d.tos = b[1]
	d.local = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[16:20])), 0)
	d.start += int(b[0]&15) * 4
	return true
}
