package dataplane

import (
	"encoding/binary"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// gsoStrikes is how many runs in a row the kernel may refuse, while it takes their packets one by one, before
	// UDP_SEGMENT is given up.
	gsoStrikes = 16
	// sentinelMin is the shortest run that is sent as one on kernels that need the sentinel.
	sentinelMin = 8
)

// mmsgSender sends batches with sendmmsg. Each run of packets is one message with one buffer.
type mmsgSender struct {
	w      *mmsgSockets
	conns  []*mmsgSocket // this worker's, by group
	wait   bool          // wait while the socket's buffer is full
	runs   *sendHeaders
	single *sendHeaders // for the packets of a run that the kernel has refused, while runs are on their way
	strike int
	whole  bool // within mayFragment

	// What putBatch sends, and what came of it.
	next  []mmsghdr
	sent  int
	errno syscall.Errno
	put   func(fd uintptr) bool
}

// sendHeaders is headers for sendmmsg that are made once.
type sendHeaders struct {
	hdrs []mmsghdr
	iovs []unix.Iovec
	oobs [][controlRoom]byte
}

func newSendHeaders(n int) *sendHeaders {
	s := &sendHeaders{hdrs: make([]mmsghdr, n), iovs: make([]unix.Iovec, n), oobs: make([][controlRoom]byte, n)}
	for i := range s.hdrs {
		s.hdrs[i].hdr.Iov = &s.iovs[i]
		s.hdrs[i].hdr.SetIovlen(1)
	}
	return s
}

func (w *mmsgSockets) sender(worker int) sender {
	s := &mmsgSender{w: w, wait: true, runs: newSendHeaders(txMessages), single: newSendHeaders(plainMessages)}
	for _, g := range w.set.groups {
		s.conns = append(s.conns, w.conn(g[worker%len(g)]))
	}
	s.put = s.putBatch
	return s
}

func (s *mmsgSender) send(b *txBatch) {
	for i := 0; i < len(b.msgs); {
		g, j := b.msgs[i].route.socket, i+1
		for j < len(b.msgs) && b.msgs[j].route.socket == g {
			j++
		}
		s.run(b, g, b.msgs[i:j])
		i = j
	}
}

// run sends messages through one socket, in order.
func (s *mmsgSender) run(b *txBatch, group int, msgs []txMessage) {
	off := s.w.gsoOff.Load() != nil
	for i := 0; i < len(msgs); {
		// As many as can be sent with one call.
		j := i
		for ; j < len(msgs); j++ {
			m := &msgs[j]
			if m.n > 1 && (off || b.limit.sentinel && m.n < sentinelMin) || m.tooLong() {
				break
			}
			s.prepare(j-i, b, m)
		}
		done := s.flush(group, s.runs.hdrs[:j-i], func(k int) *txMessage { return &msgs[i+k] }, func(k int, e syscall.Errno) {
			m := &msgs[i+k]
			if m.n > 1 && s.refusedRun(m, e) {
				s.singles(b, group, m)
				return
			}
			s.fail(b, m, m.n, e)
		})
		if !done {
			for ; i < len(msgs); i++ {
				b.fail(&msgs[i], msgs[i].n, errEndClosed)
			}
			return
		}
		if i = j; i < len(msgs) {
			s.singles(b, group, &msgs[i])
			i++
		}
	}
}

// prepare makes the k-th header for a message.
func (s *mmsgSender) prepare(k int, b *txBatch, m *txMessage) {
	data, seg := b.bytes(m), 0
	if m.n > 1 {
		seg = m.seg
		if b.limit.sentinel && !m.closed {
			// A NAT-keepalive is the one octet that every peer drops: RFC 3948 section 2.3.
			b.arena[m.end] = natKeepalive
			data = b.arena[m.start : m.end+1]
		}
	}
	s.runs.set(k, m, data, seg)
}

// set makes the k-th header for data, which goes where m goes; seg is the length of its packets, 0 if it is one.
func (s *sendHeaders) set(k int, m *txMessage, data []byte, seg int) {
	h := &s.hdrs[k].hdr
	s.iovs[k].Base = &data[0]
	s.iovs[k].SetLen(len(data))
	h.Name = &m.route.sock[0]
	h.Namelen = uint32(m.route.sockLen)
	oob := append(s.oobs[k][:0], m.route.oob...)
	if m.tos != 0 {
		oob = appendTOS(oob, m.route.path.Remote.Addr().Is6(), m.tos)
	}
	if seg > 0 {
		var v [2]byte
		binary.NativeEndian.PutUint16(v[:], uint16(seg))
		oob = appendControl(oob, unix.IPPROTO_UDP, unix.UDP_SEGMENT, v[:])
	}
	h.Control = nil
	if len(oob) > 0 {
		h.Control = &oob[0]
	}
	h.SetControllen(len(oob))
}

// flush sends what the headers say and calls fail for each that the kernel refuses. of gives the message that the k-th
// header is of. It reports false if the socket is closed.
func (s *mmsgSender) flush(group int, hdrs []mmsghdr, of func(k int) *txMessage, fail func(k int, e syscall.Errno)) bool {
	retried := false
	for k := 0; k < len(hdrs); {
		s.next, s.sent, s.errno = hdrs[k:], 0, 0
		if err := s.conns[group].rc.Write(s.put); err != nil {
			return false
		}
		if s.sent > 0 {
			k += s.sent
			retried = false
			continue
		}
		single := int(hdrs[k].hdr.Iov.Len) <= of(k).seg
		if !retried && (isICMP(s.errno) || s.errno == unix.EMSGSIZE && single && (s.whole || !s.conns[group].df)) {
			// It is about an earlier packet: that one is reported, this one is sent again.
			retried = true
			s.conns[group].pollErrors(s.w.events)
			continue
		}
		if s.errno == unix.EMSGSIZE && single && s.anyway(group, hdrs[k:k+1], of(k)) {
			k++
			retried = false
			continue
		}
		fail(k, s.errno)
		k++
		retried = false
	}
	return true
}

// anyway sends a single packet that is larger than the path takes since it was sealed, and reports whether it is sent.
func (s *mmsgSender) anyway(group int, hdr []mmsghdr, m *txMessage) bool {
	c := s.conns[group]
	if s.whole || !c.df {
		return false
	}
	c.pollErrors(s.w.events)
	s.w.events.mtuChanged(m.route.path.Remote.Addr(), 0)
	c.mayFragment(func() {
		s.next, s.sent, s.errno = hdr, 0, 0
		if c.rc.Write(s.put) != nil {
			s.errno = unix.EBADF
		}
	})
	return s.sent > 0
}

// putBatch calls sendmmsg once. It reports false to be called again when the socket's buffer has room.
func (s *mmsgSender) putBatch(fd uintptr) bool {
	for {
		n, _, e := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&s.next[0])), uintptr(len(s.next)),
			unix.MSG_DONTWAIT, 0, 0)
		switch e {
		case 0:
			s.sent = int(n)
			return true
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			if s.wait {
				return false
			}
		}
		s.errno = e
		return true
	}
}

// refusedRun says whether a run that the kernel refused should be sent packet by packet, and notes what is to be learned
// from it.
func (s *mmsgSender) refusedRun(m *txMessage, e syscall.Errno) bool {
	switch e {
	case unix.EIO:
		// No checksum offload on the way (before Linux 6.11), or an xfrm policy on the route.
		s.w.disableGSO("the route can't do it (EIO)")
		return true
	case unix.EINVAL, unix.EMSGSIZE:
		// The packets are larger than the path: there is no IP fragmentation with segmentation.
		s.w.events.mtuChanged(m.route.path.Remote.Addr(), 0)
		return true
	}
	return false
}

// singles sends the packets of a message one by one.
func (s *mmsgSender) singles(b *txBatch, group int, m *txMessage) {
	if m.tooLong() {
		s.whole = true
		s.conns[group].mayFragment(func() { s.oneByOne(b, group, m) })
		s.whole = false
		return
	}
	s.oneByOne(b, group, m)
}

func (s *mmsgSender) oneByOne(b *txBatch, group int, m *txMessage) {
	failed := 0
	for i := 0; i < m.n; {
		k := 0
		for ; i+k < m.n && k < len(s.single.hdrs); k++ {
			s.single.set(k, m, b.packet(m, i+k), 0)
		}
		if !s.flush(group, s.single.hdrs[:k], func(int) *txMessage { return m }, func(_ int, e syscall.Errno) {
			failed++
			s.fail(b, m, 1, e)
		}) {
			b.fail(m, m.n-i, errEndClosed)
			return
		}
		i += k
	}
	if s.w.gsoOff.Load() != nil || b.limit.sentinel && m.n < sentinelMin || m.tooLong() {
		return
	}
	// Refused as a run, taken one by one: if that goes on, UDP_SEGMENT is of no use here.
	if s.strike++; failed > 0 || int(m.route.mtu.Load()) < m.seg+m.route.outerHeader() {
		s.strike = 0
	}
	if s.strike >= gsoStrikes {
		s.w.disableGSO("the kernel refuses runs of packets and takes the packets")
	}
}

// fail reports packets that the kernel refused.
func (s *mmsgSender) fail(b *txBatch, m *txMessage, n int, e syscall.Errno) {
	if e == unix.EMSGSIZE {
		s.w.events.mtuChanged(m.route.path.Remote.Addr(), 0)
	}
	if e == unix.EAGAIN || e == unix.ENOBUFS {
		b.fail(m, n, errSendBuffer)
		return
	}
	b.fail(m, n, os.NewSyscallError("sendmmsg", e))
}
