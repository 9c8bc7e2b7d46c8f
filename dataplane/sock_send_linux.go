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

// mmsgSender sends batches with sendmmsg. Each run of packets is one message with one buffer. It waits while the socket's
// buffer is full. What the kernel refuses is dealt with in sock_refused_linux.go.
type mmsgSender struct {
	w      *mmsgSockets
	conns  []*mmsgSocket // this worker's, by group
	runs   *sendHeaders
	single *sendHeaders // for the packets of a message that has to go packet by packet
	strike int

	// What put sends, and what came of it.
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
	of   []*txMessage // what each header is of: the message, or one of its packets
}

func newSendHeaders(n int) *sendHeaders {
	s := &sendHeaders{hdrs: make([]mmsghdr, n), iovs: make([]unix.Iovec, n), oobs: make([][controlRoom]byte, n),
		of: make([]*txMessage, n)}
	for i := range s.hdrs {
		s.hdrs[i].hdr.Iov = &s.iovs[i]
		s.hdrs[i].hdr.SetIovlen(1)
	}
	return s
}

func (w *mmsgSockets) sender(worker int) sender {
	s := &mmsgSender{w: w, runs: newSendHeaders(txMessages), single: newSendHeaders(plainMessages)}
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
		s.sendMessages(b, s.conns[g], b.msgs[i:j])
		i = j
	}
}

// sendMessages sends messages through one socket, in order.
func (s *mmsgSender) sendMessages(b *txBatch, c *mmsgSocket, msgs []txMessage) {
	for len(msgs) > 0 {
		n := s.prepare(b, msgs)
		if n > 0 {
			s.transmit(b, c, s.runs, n, !c.df)
		} else {
			n = 1
			s.sendApart(b, c, &msgs[0])
		}
		msgs = msgs[n:]
	}
}

// prepare makes headers for as many messages as can be sent with one call, each as a whole, and returns how many.
func (s *mmsgSender) prepare(b *txBatch, msgs []txMessage) int {
	off := s.w.gsoOff.Load() != nil
	for k := range msgs {
		m := &msgs[k]
		if m.n > 1 && (off || b.limit.sentinel && m.n < sentinelMin) || m.mayFragment() {
			return k
		}
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
	return len(msgs)
}

// sendApart sends the packets of a message one by one. It returns how many are lost.
func (s *mmsgSender) sendApart(b *txBatch, c *mmsgSocket, m *txMessage) (lost int) {
	fragments := !c.df || m.mayFragment()
	if fragments {
		c.allowFragments()
		defer c.forbidFragments()
	}
	for i := 0; i < m.n; {
		k := 0
		for ; i < m.n && k < len(s.single.hdrs); k++ {
			s.single.set(k, m, b.packet(m, i), 0)
			i++
		}
		lost += s.transmit(b, c, s.single, k, fragments)
	}
	return lost
}

// set makes the k-th header for data, which goes where m goes; seg is the length of its packets, 0 if it is one.
func (s *sendHeaders) set(k int, m *txMessage, data []byte, seg int) {
	h := &s.hdrs[k].hdr
	s.of[k] = m
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

// packets is how many packets the k-th header carries.
func (s *sendHeaders) packets(k int) int {
	if m := s.of[k]; int(s.hdrs[k].hdr.Iov.Len) > m.seg {
		return m.n
	}
	return 1
}

// sendmmsg sends what headers say, in order, until the kernel refuses one. It returns how many it has sent and why the
// next one was refused: 0 if there is none left, EBADF if the socket is closed.
func (s *mmsgSender) sendmmsg(c *mmsgSocket, hdrs []mmsghdr) (sent int, refused syscall.Errno) {
	for sent < len(hdrs) {
		s.next, s.sent, s.errno = hdrs[sent:], 0, 0
		if c.rc.Write(s.put) != nil {
			return sent, unix.EBADF
		}
		if s.sent == 0 {
			return sent, s.errno
		}
		sent += s.sent
	}
	return sent, 0
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
			return false
		}
		s.errno = e
		return true
	}
}

// fail counts packets that are lost.
func (s *mmsgSender) fail(b *txBatch, m *txMessage, n int, e syscall.Errno) {
	switch e {
	case unix.EBADF:
		b.fail(m, n, errEndClosed)
	case unix.ENOBUFS:
		b.fail(m, n, errSendBuffer)
	default:
		b.fail(m, n, os.NewSyscallError("sendmmsg", e))
	}
}
