package dataplane

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"esplanade/esp"
)

// portableBatch is how many messages are read and written at a time where the system can do that.
const portableBatch = 64

// batchConn is x/net's batches of either address family. (On systems without recvmmsg a batch has one message.)
type batchConn interface {
	ReadBatch(ms []ipv4.Message, flags int) (int, error)
	WriteBatch(ms []ipv4.Message, flags int) (int, error)
}

// portableSockets is the socket end over x/net's ReadBatch and WriteBatch: any OS, and any net.PacketConn.
type portableSockets struct {
	set    *socketSet
	batch  []batchConn // by group; nil for connections that are not of the system
	memory *memory
	mark   uint32
	events socketEvents
	rcvs   []receiver
}

func newPortableSockets(c Config, m *memory, ev socketEvents) (*portableSockets, error) {
	set, err := openSockets(c, 1)
	if err != nil {
		return nil, err
	}
	w := &portableSockets{set: set, memory: m, mark: c.Sockets.Mark, events: ev}
	for _, g := range set.groups {
		b := g[0]
		var bc batchConn
		if b.udp != nil {
			if bc, err = newBatchConn(b); err != nil {
				return nil, errors.Join(err, set.close())
			}
		}
		w.batch = append(w.batch, bc)
		w.rcvs = append(w.rcvs, newPortableReceiver(w, b, bc))
	}
	return w, nil
}

func newBatchConn(b *boundSocket) (batchConn, error) {
	if b.v6 {
		p := ipv6.NewPacketConn(b.udp)
		return p, wantControl(p.SetControlMessage(ipv6.FlagDst|ipv6.FlagTrafficClass, true))
	}
	p := ipv4.NewPacketConn(b.udp)
	return p, wantControl(p.SetControlMessage(ipv4.FlagDst, true))
}

// wantControl is no error on systems that don't know control messages: there, answers leave from the address that the
// system chooses.
func wantControl(err error) error {
	if err == nil || runtime.GOOS == "windows" {
		return nil
	}
	return fmt.Errorf("dataplane: control messages: %w", err)
}

func (w *portableSockets) receivers() []receiver { return w.rcvs }
func (w *portableSockets) bound() []Socket       { return w.set.list() }
func (w *portableSockets) lost() uint64          { return w.set.lost() }
func (w *portableSockets) gso() gsoLimits        { return gsoLimits{segments: 1} }
func (w *portableSockets) close() error          { return w.set.close() }
func (w *portableSockets) describe() []Feature {
	return append(w.set.describe(), on("wire", "batches of single datagrams"))
}

func (w *portableSockets) pathMTU(r *route) int { return probeMTU(r, w.mark) }

func (w *portableSockets) route(p esp.Path) (*route, error) { return udpRoute(w.set, p) }

// udpRoute resolves a path over the NAT-T sockets of a set.
func udpRoute(set *socketSet, p esp.Path) (*route, error) {
	remote := p.Remote
	if !remote.IsValid() || remote.Port() == 0 || remote.Addr().IsUnspecified() {
		return nil, fmt.Errorf("%w: remote address %s", ErrPath, remote)
	}
	if !p.UDP {
		return nil, fmt.Errorf("%w: no IP protocol 50 socket", ErrPath)
	}
	b := set.find(p.Local, remote.Addr().Is6(), func(b *boundSocket) bool { return b.kind == SocketNATT })
	if b == nil {
		return nil, fmt.Errorf("%w: %s to %s", ErrPath, p.Local, remote)
	}
	r := &route{path: p, socket: b.group, addr: net.UDPAddrFromAddrPort(remote)}
	if a := p.Local.Addr(); b.wildcard && b.udp != nil && a.IsValid() && !a.IsUnspecified() {
		r.oob = sourceControl(a.WithZone(""))
	}
	return r, nil
}

func (w *portableSockets) sendIKE(local, remote netip.AddrPort, datagram []byte) error {
	return sendUDP(w.set, local, remote, datagram)
}

// ikeSocket is the socket of a set that local names; nil if there is none.
func ikeSocket(set *socketSet, local, remote netip.AddrPort) *boundSocket {
	return set.find(local, remote.Addr().Is6(), func(b *boundSocket) bool {
		return b.kind == SocketIKE || b.kind == SocketNATT
	})
}

// sendUDP sends one datagram from the socket of a set that local names.
func sendUDP(set *socketSet, local, remote netip.AddrPort, datagram []byte) error {
	b := ikeSocket(set, local, remote)
	if b == nil {
		return fmt.Errorf("%w: %s to %s", ErrPath, local, remote)
	}
	p := ikePacket(b, datagram)
	if b.udp == nil {
		return writeTo(b.conn, p, remote)
	}
	var oob []byte
	if a := local.Addr(); b.wildcard && a.IsValid() && !a.IsUnspecified() {
		oob = sourceControl(a.WithZone(""))
	}
	return b.sendNow(p, oob, remote)
}

// addrPortWriter and addrPortReader are the methods of net.UDPConn that don't allocate.
type addrPortWriter interface {
	WriteToUDPAddrPort(b []byte, addr netip.AddrPort) (int, error)
}

type addrPortReader interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
}

func writeTo(c net.PacketConn, p []byte, remote netip.AddrPort) error {
	if w, ok := c.(addrPortWriter); ok {
		_, err := w.WriteToUDPAddrPort(p, remote)
		return err
	}
	_, err := c.WriteTo(p, net.UDPAddrFromAddrPort(remote))
	return err
}

func readFrom(c net.PacketConn, p []byte) (int, netip.AddrPort, error) {
	if r, ok := c.(addrPortReader); ok {
		n, a, err := r.ReadFromUDPAddrPort(p)
		return n, unmap(a), err
	}
	n, a, err := c.ReadFrom(p)
	if err != nil {
		return n, netip.AddrPort{}, err
	}
	if u, ok := a.(*net.UDPAddr); ok {
		return n, unmap(u.AddrPort()), nil
	}
	ap, err := netip.ParseAddrPort(a.String())
	return n, unmap(ap), err
}

// unmap makes an IPv4 address of an IPv4-mapped one.
func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// portableReceiver reads one socket.
type portableReceiver struct {
	b      *boundSocket
	events socketEvents
	batch  batchConn
	slots  [][]byte
	ms     []ipv4.Message
	out    []datagrams
	faults int
}

func newPortableReceiver(w *portableSockets, b *boundSocket, bc batchConn) *portableReceiver {
	n := 1
	if bc != nil && runtime.GOOS == "linux" {
		n = portableBatch
	}
	r := &portableReceiver{b: b, events: w.events, batch: bc, slots: w.memory.slots(n), out: make([]datagrams, 0, n)}
	for _, s := range r.slots {
		r.ms = append(r.ms, ipv4.Message{Buffers: [][]byte{s[headroom : headroom+maxPacket]}, OOB: make([]byte, controlRoom)})
	}
	return r
}

func (r *portableReceiver) worker() int { return r.b.worker }

// maxFaults bounds the errors in a row that a socket may return before it counts as broken.
const maxFaults = 1000

func (r *portableReceiver) receive() ([]datagrams, error) {
	for {
		n, err := r.fill()
		if err == nil && n > 0 {
			r.faults = 0
			return r.out, nil
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, errEndClosed
		}
		// An ICMP error that something sent has caused, or a shortage of memory: the socket goes on.
		r.b.pollErrors(r.events)
		if r.faults++; r.faults > maxFaults && err != nil {
			return nil, err
		}
	}
}

// fill reads a batch into out.
func (r *portableReceiver) fill() (int, error) {
	r.out = r.out[:0]
	if r.batch == nil {
		n, remote, err := readFrom(r.b.conn, r.slots[0][headroom:headroom+maxPacket])
		if err != nil {
			return 0, err
		}
		r.out = append(r.out, datagrams{buf: r.slots[0], start: headroom, end: headroom + n,
			local: r.b.local, remote: remote, kind: r.b.kind})
		return 1, nil
	}
	n, err := r.batch.ReadBatch(r.ms, 0)
	if err != nil {
		return 0, err
	}
	for i := range r.ms[:n] {
		m := &r.ms[i]
		u, ok := m.Addr.(*net.UDPAddr)
		if !ok {
			continue
		}
		d := datagrams{buf: r.slots[i], start: headroom, end: headroom + m.N, local: r.b.local,
			remote: unmap(u.AddrPort()), kind: r.b.kind}
		c := parseControl(m.OOB[:m.NN], r.b.v6)
		if r.b.wildcard && c.dst.IsValid() {
			d.local = netip.AddrPortFrom(c.dst, r.b.local.Port())
		}
		d.tos = c.tos
		r.out = append(r.out, d)
	}
	return len(r.out), nil
}

func (w *portableSockets) sender(int) sender {
	s := &portableSender{w: w, ms: make([]ipv4.Message, portableBatch)}
	for i := range s.ms {
		s.ms[i].Buffers = make([][]byte, 1)
		s.oob = append(s.oob, make([]byte, 0, controlRoom))
	}
	return s
}

// portableSender writes batches.
type portableSender struct {
	w   *portableSockets
	ms  []ipv4.Message
	oob [][]byte
}

func (s *portableSender) send(b *txBatch) {
	for i := 0; i < len(b.msgs); {
		// A run of messages for one socket.
		g, j := b.msgs[i].route.socket, i+1
		for j < len(b.msgs) && j-i < len(s.ms) && b.msgs[j].route.socket == g {
			j++
		}
		if bc := s.w.batch[g]; bc != nil {
			s.write(bc, b, b.msgs[i:j])
		} else {
			for k := i; k < j; k++ {
				m := &b.msgs[k]
				if err := writeTo(s.w.set.groups[g][0].conn, b.bytes(m), m.route.path.Remote); err != nil {
					b.fail(m, m.n, err)
				}
			}
		}
		i = j
	}
}

// write sends messages through one socket. One that is refused does not keep back those behind it.
func (s *portableSender) write(bc batchConn, b *txBatch, msgs []txMessage) {
	for i := range msgs {
		m := &msgs[i]
		s.oob[i] = append(s.oob[i][:0], m.route.oob...)
		if m.tos != 0 {
			s.oob[i] = appendTOS(s.oob[i], m.route.path.Remote.Addr().Is6(), m.tos)
		}
		s.ms[i].Buffers[0] = b.bytes(m)
		s.ms[i].OOB = s.oob[i]
		s.ms[i].Addr = m.route.addr.(net.Addr)
	}
	rest, retried := s.ms[:len(msgs)], false
	for len(rest) > 0 {
		n, err := bc.WriteBatch(rest, 0)
		n = max(n, 0)
		if n > 0 {
			rest, retried = rest[n:], false
			continue
		}
		if err != nil && !retried && !errors.Is(err, net.ErrClosed) {
			// The error may be that of an ICMP message about an earlier packet.
			retried = true
			s.w.set.groups[msgs[0].route.socket][0].pollErrors(s.w.events)
			continue
		}
		m := &msgs[len(msgs)-len(rest)]
		if isTooBig(err) {
			s.w.events.mtuChanged(m.route.path.Remote.Addr(), 0)
		}
		b.fail(m, m.n, sendError(err))
		rest, retried = rest[1:], false
	}
}
