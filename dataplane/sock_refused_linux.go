package dataplane

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// remedy is what is done about a message that the kernel has refused.
type remedy uint8

const (
	remedyAgain    remedy = iota // it is sent again: the error is that of an earlier packet
	remedyFragment               // it is sent without Don't Fragment: it is larger than the path
	remedyApart                  // it is a run, and its packets are sent one by one
	remedyNone                   // it is lost
)

// remedyFor decides what is done about a message of n packets that the kernel has refused with e. fragments says that it may
// be fragmented, and retried that it was sent again once already.
func (s *mmsgSender) remedyFor(n int, e syscall.Errno, fragments, retried bool) remedy {
	switch {
	case e == unix.EBADF: // the socket is closed
		return remedyNone
	case !retried && (isICMP(e) || e == unix.EMSGSIZE && n == 1 && fragments):
		// An ICMP error, about a packet that was sent before: the kernel reports it with the next call. A packet that may be
		// fragmented is never too large itself.
		return remedyAgain
	case e == unix.EMSGSIZE && n == 1 && !fragments:
		return remedyFragment
	case n > 1 && e == unix.EIO:
		// No checksum offload on the way (before Linux 6.11), or an xfrm policy on the route.
		s.w.disableGSO("the route can't do it (EIO)")
		return remedyApart
	case n > 1 && (e == unix.EINVAL || e == unix.EMSGSIZE):
		// The packets are larger than the path: there is no IP fragmentation with segmentation.
		return remedyApart
	}
	return remedyNone
}

// transmit sends the first n messages of h, and does what has to be done about those that the kernel refuses. fragments says
// that they may be fragmented. It returns how many packets are lost; they are counted.
func (s *mmsgSender) transmit(b *txBatch, c *mmsgSocket, h *sendHeaders, n int, fragments bool) (lost int) {
	retried := false
	for k := 0; k < n; {
		sent, e := s.sendmmsg(c, h.hdrs[k:n])
		if sent > 0 {
			s.taken(h, k, sent)
			retried = false
		}
		if k += sent; k == n {
			break
		}
		m, packets := h.of[k], h.packets(k)
		what := s.remedyFor(packets, e, fragments, retried)
		if what != remedyAgain && (e == unix.EMSGSIZE || e == unix.EINVAL && packets > 1) {
			s.w.events.mtuChanged(m.route.path.Remote.Addr(), 0) // the path may be narrower than is known
		}
		switch what {
		case remedyAgain:
			c.pollErrors(s.w.events)
			retried = true
			continue
		case remedyFragment:
			c.pollErrors(s.w.events)
			c.allowFragments()
			if _, e := s.sendmmsg(c, h.hdrs[k:k+1]); e != 0 {
				s.fail(b, m, 1, e)
				lost++
			}
			c.forbidFragments()
		case remedyApart:
			l := s.sendApart(b, c, m)
			s.refused(m, l)
			lost += l
		case remedyNone:
			s.fail(b, m, packets, e)
			lost += packets
		}
		k++
		retried = false
	}
	return lost
}

// taken notes that the kernel has taken messages: if there was a run, UDP_SEGMENT works.
func (s *mmsgSender) taken(h *sendHeaders, from, n int) {
	for k := from; s.strike > 0 && k < from+n; k++ {
		if h.packets(k) > 1 {
			s.strike = 0
		}
	}
}

// refused notes that a run was refused, of whose packets so many are lost. When the kernel takes packets that it refuses as
// a run, and the path is as wide as they need, UDP_SEGMENT is of no use here if that goes on.
func (s *mmsgSender) refused(m *txMessage, lost int) {
	if s.w.gsoOff.Load() != nil {
		return
	}
	if s.strike++; lost > 0 || int(m.route.mtu.Load()) < m.seg+m.route.outerHeader() {
		s.strike = 0
	}
	if s.strike >= gsoStrikes {
		s.w.disableGSO("the kernel refuses runs of packets and takes the packets")
	}
}
