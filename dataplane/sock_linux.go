package dataplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"esplanade/esp"
)

// mmsgSockets is the socket end of Linux: recvmmsg and sendmmsg with headers that are made once, UDP_SEGMENT, UDP_GRO, a
// NAT-T socket for each worker with packets steered to it by SPI, and IP protocol 50 where that is allowed.
type mmsgSockets struct {
	config Config
	memory *memory
	events socketEvents
	set    *socketSet
	conns  []*mmsgSocket // in the order of set.all
	links  io.Closer     // nil if the system doesn't tell when interfaces change
	rcvs   []receiver
	kernel kernelVersion
	probes prober

	features []Feature // but for gso, which may be switched off while packets flow
	segments int       // of a run; 1 without UDP_SEGMENT
	sentinel bool
	gsoOff   atomic.Pointer[string] // why UDP_SEGMENT is not used
}

// mmsgSocket is a socket with its descriptor at hand.
type mmsgSocket struct {
	*boundSocket
	rc  syscall.RawConn
	gro bool
	// df says that packets have the bit Don't Fragment, except while there are users that want them without it.
	df    bool
	whole sync.Mutex
	users int // under whole
}

// newMmsgSockets opens the sockets. It reports false if they are not ones that raw system calls work on.
func newMmsgSockets(c Config, m *memory, ev socketEvents) (socketEnd, bool, error) {
	share := c.Workers
	if c.Features.NoReusePort {
		share = 1
	}
	set, err := openSockets(c, share)
	if err != nil {
		return nil, false, err
	}
	w := &mmsgSockets{config: c, memory: m, events: ev, set: set, kernel: kernelOf(c), segments: 1, probes: prober{mark: c.Sockets.Mark}}
	w.note(on(featureRawIO, "recvmmsg/sendmmsg"))
	if c.Features.NoRawESP {
		w.note(off(featureRawESP, "turned off"))
	} else {
		w.openESP()
	}
	for _, b := range set.all {
		rc, err := b.conn.(syscall.Conn).SyscallConn()
		if err != nil {
			return nil, false, errors.Join(err, set.close())
		}
		w.conns = append(w.conns, &mmsgSocket{boundSocket: b, rc: rc})
	}
	for _, b := range w.conns {
		if err := b.dontFragment(); err != nil {
			return nil, false, errors.Join(err, set.close())
		}
	}
	w.steer(share)
	w.enableGSO()
	w.enableGRO()
	for _, b := range w.conns {
		w.rcvs = append(w.rcvs, newMmsgReceiver(w, b))
	}
	w.links = watchLinks(ev)
	return w, true, nil
}

// control runs f on the socket's descriptor.
func (b *mmsgSocket) control(f func(fd int) error) error {
	var err error
	if e := b.rc.Control(func(fd uintptr) { err = f(int(fd)) }); e != nil {
		return e
	}
	return err
}

func (w *mmsgSockets) conn(b *boundSocket) *mmsgSocket {
	for _, c := range w.conns {
		if c.boundSocket == b {
			return c
		}
	}
	return nil
}

// note tells status about a feature.
func (w *mmsgSockets) note(f Feature) { w.features = append(w.features, f) }

// openESP opens sockets for IP protocol 50, one for each address that NAT-T is bound to. It takes CAP_NET_RAW; without,
// all ESP is in UDP.
func (w *mmsgSockets) openESP() {
	var addrs []netip.Addr
	l := w.config.Sockets.NATT
	if l == nil {
		l = w.config.Sockets.IKE
	}
	if addrs = l.Addrs; len(addrs) == 0 {
		addrs = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	}
	for _, a := range addrs {
		b, err := listenESP(w.config, a, len(w.set.groups))
		if err != nil {
			if !errors.Is(err, syscall.EAFNOSUPPORT) {
				w.note(off(featureRawESP, fmt.Sprintf("%s: %v", a, err)))
			}
			continue
		}
		w.note(on(featureRawESP, "IP protocol 50 on "+a.String()))
		w.set.groups = append(w.set.groups, []*boundSocket{b})
		w.set.all = append(w.set.all, b)
	}
}

func listenESP(c Config, a netip.Addr, group int) (*boundSocket, error) {
	network := "ip4:50"
	if a.Is6() {
		network = "ip6:50"
	}
	lc := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) error {
		var err error
		e := rc.Control(func(fd uintptr) {
			if err = prepareSocket(int(fd), a.Is6(), c.Sockets.Mark, false); err == nil {
				err = setRawBuffers(int(fd), c.Sockets)
			}
		})
		return errors.Join(e, err)
	}}
	conn, err := lc.ListenPacket(context.Background(), network, a.String())
	if err != nil {
		return nil, err
	}
	return &boundSocket{kind: SocketRaw, v6: a.Is6(), wildcard: a.IsUnspecified(), local: netip.AddrPortFrom(a, 0),
		group: group, conn: conn}, nil
}

func (w *mmsgSockets) receivers() []receiver { return w.rcvs }
func (w *mmsgSockets) bound() []Socket       { return w.set.list() }
func (w *mmsgSockets) lost() uint64          { return w.set.lost() }

func (w *mmsgSockets) close() error {
	if w.links != nil {
		_ = w.links.Close() // there is nothing to lose
	}
	w.probes.close()
	return w.set.close()
}

func (w *mmsgSockets) pathMTU(r *route) int { return w.probes.ask(r) }

func (w *mmsgSockets) route(p esp.Path) (*route, error) {
	var r *route
	if p.UDP {
		var err error
		if r, err = udpRoute(w.set, p); err != nil {
			return nil, err
		}
	} else {
		remote := p.Remote.Addr()
		if !remote.IsValid() || remote.IsUnspecified() {
			return nil, fmt.Errorf("%w: remote address %s", ErrPath, remote)
		}
		local := netip.AddrPortFrom(p.Local.Addr(), 0)
		b := w.set.find(local, remote.Is6(), func(b *boundSocket) bool { return b.kind == SocketRaw })
		if b == nil {
			return nil, fmt.Errorf("%w: no IP protocol 50 socket for %s (it takes CAP_NET_RAW)", ErrPath, p.Local.Addr())
		}
		r = &route{path: p, socket: b.group}
		if a := local.Addr(); b.wildcard && a.IsValid() && !a.IsUnspecified() {
			r.oob = sourceControl(a.WithZone(""))
		}
	}
	to := p.Remote
	if !p.UDP {
		to = netip.AddrPortFrom(to.Addr(), 0) // a port would be taken for a protocol number
	}
	r.sockLen = putSockaddr(r.sock[:], to)
	return r, nil
}

func (w *mmsgSockets) sendIKE(local, remote netip.AddrPort, datagram []byte) error {
	err := sendUDP(w.set, local, remote, datagram)
	if err != nil && isICMP(err) {
		// It is about an earlier packet: that one is reported from the error queue, this one is sent again.
		err = sendUDP(w.set, local, remote, datagram)
	}
	if errors.Is(err, unix.EMSGSIZE) {
		if b := ikeSocket(w.set, local, remote); b != nil {
			c := w.conn(b)
			c.allowFragments()
			err = sendUDP(w.set, local, remote, datagram)
			c.forbidFragments()
		}
	}
	return err
}

// isICMP reports whether an error of a system call may be that of an ICMP message about an earlier packet.
func isICMP(err error) bool {
	for _, e := range []syscall.Errno{unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EPROTO, unix.ENOPROTOOPT, unix.EACCES} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
