package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"esplanade/esp"
)

// rawWire is the wire end of Linux: recvmmsg and sendmmsg with headers that are made once, UDP_SEGMENT, UDP_GRO, a
// NAT-T socket for each worker with packets steered to it by SPI, and IP protocol 50 where that is allowed.
type rawWire struct {
	config Config
	memory *memory
	events wireEvents
	set    *socketSet
	conns  []*rawConn // in the order of set.all
	rcvs   []receiver
	kernel kernelVersion

	gro      bool
	segments int // 1 without UDP_SEGMENT
	gsoOff   atomic.Bool
	gsoNote  atomic.Pointer[string]
}

// rawConn is a socket with its descriptor at hand.
type rawConn struct {
	*boundSocket
	rc  syscall.RawConn
	gro bool
}

// newRawWire opens the sockets. It reports false if they are not ones that raw system calls work on.
func newRawWire(c Config, m *memory, ev wireEvents) (wireEnd, bool, error) {
	share := c.Workers
	if c.Features.NoReusePort {
		share = 1
	}
	set, err := openSockets(c, share)
	if err != nil {
		return nil, false, err
	}
	w := &rawWire{config: c, memory: m, events: ev, set: set, kernel: readKernelVersion(), segments: 1}
	if !c.Features.NoRawESP {
		w.openESP()
	}
	for _, b := range set.all {
		rc, err := b.conn.(syscall.Conn).SyscallConn()
		if err != nil {
			return nil, false, errors.Join(err, set.close())
		}
		w.conns = append(w.conns, &rawConn{boundSocket: b, rc: rc})
	}
	w.steer()
	w.enableGSO()
	w.enableGRO()
	for _, b := range w.conns {
		w.rcvs = append(w.rcvs, newRawReceiver(w, b))
	}
	return w, true, nil
}

// control runs f on the socket's descriptor.
func (b *rawConn) control(f func(fd int) error) error {
	var err error
	if e := b.rc.Control(func(fd uintptr) { err = f(int(fd)) }); e != nil {
		return e
	}
	return err
}

// steer makes the kernel give each packet to the worker that the SPI names: the SPI's index modulo the number of
// sockets. IKE messages, which begin with four zero octets, go to the first. Without it, the kernel spreads packets by
// their addresses and ports, which puts a tunnel on one worker.
func (w *rawWire) steer() {
	for _, g := range w.set.groups {
		if len(g) < 2 {
			continue
		}
		prog, err := bpf.Assemble([]bpf.Instruction{
			bpf.LoadAbsolute{Off: 0, Size: 4}, // the UDP payload; a shorter one ends with 0
			bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: uint32(len(g))},
			bpf.RetA{},
		})
		if err == nil {
			filter := make([]unix.SockFilter, len(prog))
			for i, p := range prog {
				filter[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
			}
			fprog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
			err = w.conn(g[0]).control(func(fd int) error {
				return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &fprog)
			})
		}
		if err != nil {
			w.note("SPI steering: %v", err)
		}
	}
}

func (w *rawWire) conn(b *boundSocket) *rawConn {
	for _, c := range w.conns {
		if c.boundSocket == b {
			return c
		}
	}
	return nil
}

func (w *rawWire) note(format string, args ...any) {
	w.set.notes = append(w.set.notes, fmt.Sprintf(format, args...))
}

// enableGSO finds out whether and how many packets UDP_SEGMENT takes.
func (w *rawWire) enableGSO() {
	if w.config.Features.NoUDPGSO {
		w.note("udp_gso: turned off")
		return
	}
	for _, b := range w.conns {
		if b.kind != SocketNATT {
			continue
		}
		// Setting the socket's default to "none" works exactly where UDP_SEGMENT does.
		if err := b.control(func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 0) }); err != nil {
			w.note("udp_gso: this kernel does not have it (%v)", err)
			return
		}
	}
	// UDP_MAX_SEGMENTS is 64 before Linux 6.9 and 128 since; older kernels count the UDP header too.
	w.segments = 63
	if w.kernel.atLeast(6, 9, 0) {
		w.segments = 127
	}
	if w.kernel.equalTailBug() {
		w.note("udp_gso: this kernel corrupts runs of equal length; an octet is added behind each")
	}
}

// enableGRO lets the kernel give runs of datagrams as one message.
func (w *rawWire) enableGRO() {
	if w.config.Features.NoUDPGRO {
		w.note("udp_gro: turned off")
		return
	}
	// Before 5.12, a message that was not merged could be given out as if it were (wireguard-go has the same limit).
	if !w.kernel.atLeast(5, 12, 0) {
		w.note("udp_gro: not used before Linux 5.12")
		return
	}
	for _, b := range w.conns {
		if b.kind != SocketNATT {
			continue
		}
		if err := b.control(func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1) }); err != nil {
			w.note("udp_gro: %v", err)
			continue
		}
		b.gro, w.gro = true, true
	}
}

// disableGSO makes senders send packets one by one, after the kernel has shown that it has to be so.
func (w *rawWire) disableGSO(why string) {
	if w.gsoOff.CompareAndSwap(false, true) {
		w.gsoNote.Store(&why)
		w.config.Logger.Warn("UDP segmentation offload is switched off", "why", why)
	}
}

// openESP opens sockets for IP protocol 50, one for each address that NAT-T is bound to. It takes CAP_NET_RAW; without,
// all ESP is in UDP.
func (w *rawWire) openESP() {
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
				w.note("esp: no IP protocol 50 on %s: %v", a, err)
			}
			continue
		}
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

func (w *rawWire) receivers() []receiver { return w.rcvs }
func (w *rawWire) sockets() []Socket     { return w.set.list() }
func (w *rawWire) close() error          { return w.set.close() }

func (w *rawWire) gso() gsoLimits {
	return gsoLimits{segments: w.segments, sentinel: w.kernel.equalTailBug()}
}

func (w *rawWire) describe() []string {
	line := "wire: recvmmsg/sendmmsg"
	if w.segments > 1 && !w.gsoOff.Load() {
		line += fmt.Sprintf(", udp_gso of %d", w.segments)
	}
	if w.gro {
		line += ", udp_gro"
	}
	lines := append(w.set.describe(), line)
	if why := w.gsoNote.Load(); why != nil {
		lines = append(lines, "udp_gso: "+*why)
	}
	return lines
}

func (w *rawWire) pathMTU(r *route) int { return probeMTU(r, w.config.Sockets.Mark) }

func (w *rawWire) route(p esp.Path) (*route, error) {
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

func (w *rawWire) sendIKE(local, remote netip.AddrPort, datagram []byte) error {
	err := sendUDP(w.set, local, remote, datagram)
	if err != nil && isICMP(err) {
		// It is about an earlier packet: that one is reported from the error queue, this one is sent again.
		err = sendUDP(w.set, local, remote, datagram)
	}
	return err
}

// isICMP says whether an error of a system call may be that of an ICMP message about an earlier packet.
func isICMP(err error) bool {
	for _, e := range []syscall.Errno{unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EPROTO, unix.ENOPROTOOPT, unix.EACCES} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
