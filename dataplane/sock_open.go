package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
)

// boundSocket is one open socket.
type boundSocket struct {
	kind     SocketKind
	v6       bool
	wildcard bool
	local    netip.AddrPort // as bound; the port is known
	group    int            // sockets of the same address and port are of one group
	worker   int            // in the group
	conn     net.PacketConn
	udp      *net.UDPConn // nil if conn is not one
}

// socketSet is all sockets of an engine.
type socketSet struct {
	all    []*boundSocket
	groups [][]*boundSocket // by group, then by worker
	notes  []Feature        // what is not as asked for
	overflow
}

// portTries is how often another port is chosen when one is free for one address family but not for the other.
const portTries = 16

// openSockets opens the UDP sockets of c; share is the number of sockets of each NAT-T address.
func openSockets(c Config, share int) (*socketSet, error) {
	s := new(socketSet)
	for _, l := range []struct {
		kind  SocketKind
		l     *Listen
		share int
	}{{SocketIKE, c.Sockets.IKE, 1}, {SocketNATT, c.Sockets.NATT, share}} {
		if l.l == nil {
			continue
		}
		var err error
		for range portTries {
			if err = s.listen(c, l.kind, *l.l, l.share); err == nil || l.l.Port != 0 || !errors.Is(err, syscall.EADDRINUSE) {
				break
			}
		}
		if err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// listen opens the sockets of one port. On error it closes them.
func (s *socketSet) listen(c Config, kind SocketKind, l Listen, share int) (err error) {
	from, groups := len(s.all), len(s.groups)
	defer func() {
		if err != nil {
			for _, b := range s.all[from:] {
				_ = b.conn.Close()
			}
			s.all, s.groups = s.all[:from], s.groups[:groups]
		}
	}()
	addrs, wildcard := l.Addrs, false
	if len(addrs) == 0 {
		addrs, wildcard = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, true
	}
	port := l.Port
	for _, a := range addrs {
		at := netip.AddrPortFrom(a, port)
		if err := s.bind(c, kind, at, share); err != nil {
			// A system without one of the address families is no error.
			if wildcard && familyMissing(err) && (len(s.all) > from || !a.Is6()) {
				s.notes = append(s.notes, off(fmt.Sprintf("%s on %s", kind, networkOf(a)), "the system does not have the address family"))
				continue
			}
			return fmt.Errorf("dataplane: %s socket on %s: %w", kind, at, err)
		}
		if port == 0 {
			port = s.all[len(s.all)-1].local.Port()
		}
	}
	if len(s.all) == from {
		return fmt.Errorf("dataplane: %s socket: the system has neither IPv4 nor IPv6", kind)
	}
	return nil
}

// familyMissing reports whether the system does not have the address family.
func familyMissing(err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EPROTONOSUPPORT)
}

func networkOf(a netip.Addr) string {
	if a.Is6() {
		return "udp6"
	}
	return "udp4"
}

// bind opens a group of sockets of one address and port.
func (s *socketSet) bind(c Config, kind SocketKind, at netip.AddrPort, share int) error {
	var group []*boundSocket
	fail := func(err error) error {
		for _, b := range group {
			_ = b.conn.Close()
		}
		return err
	}
	for w := range share {
		conn, err := listenPacket(c, at, share > 1)
		if err != nil {
			return fail(err)
		}
		b := &boundSocket{kind: kind, v6: at.Addr().Is6(), wildcard: at.Addr().IsUnspecified(),
			group: len(s.groups), worker: w, conn: conn}
		b.udp, _ = conn.(*net.UDPConn)
		group = append(group, b)
		local, err := netip.ParseAddrPort(conn.LocalAddr().String())
		if err != nil {
			return fail(fmt.Errorf("the socket's address: %w", err))
		}
		b.local = netip.AddrPortFrom(at.Addr(), local.Port())
		at = b.local
		if b.udp != nil {
			s.notes = append(s.notes, setBuffers(b.udp, c.Sockets)...)
		}
	}
	s.groups = append(s.groups, group)
	s.all = append(s.all, group...)
	return nil
}

func listenPacket(c Config, at netip.AddrPort, share bool) (net.PacketConn, error) {
	ctx := context.Background()
	if f := c.Sockets.ListenPacket; f != nil {
		return f(ctx, networkOf(at.Addr()), at)
	}
	lc := net.ListenConfig{Control: func(network, _ string, rc syscall.RawConn) error {
		var err error
		if e := rc.Control(func(fd uintptr) { err = prepareSocket(int(fd), at.Addr().Is6(), c.Sockets.Mark, share) }); e != nil {
			return e
		}
		return err
	}}
	return lc.ListenPacket(ctx, networkOf(at.Addr()), at.String())
}

// find gives the group of sockets for a local address: of the port, and bound to the address or to all of them. An
// invalid or unspecified address takes any; v6 says of which family. With port 0 any port of the kind will do. Of a
// link-local address one side may not say on which interface it is.
func (s *socketSet) find(local netip.AddrPort, v6 bool, ok func(*boundSocket) bool) *boundSocket {
	var best *boundSocket
	for _, g := range s.groups {
		b := g[0]
		if b.v6 != v6 || !ok(b) || local.Port() != 0 && b.local.Port() != local.Port() {
			continue
		}
		switch a, want := b.local.Addr(), local.Addr(); {
		case a == want:
			return b
		case a.WithZone("") == want.WithZone("") && (a.Zone() == "" || want.Zone() == ""):
			return b
		}
		if best == nil && (b.wildcard || !local.Addr().IsValid() || local.Addr().IsUnspecified()) {
			best = b
		}
	}
	return best
}

// list gives one entry for each group.
func (s *socketSet) list() []Socket {
	var l []Socket
	for _, g := range s.groups {
		l = append(l, Socket{g[0].kind, g[0].local})
	}
	return l
}

// describe gives what is not as asked for, each once.
func (s *socketSet) describe() []Feature {
	notes := slices.Clone(s.notes)
	slices.SortFunc(notes, func(a, b Feature) int { return strings.Compare(a.Name+a.Detail, b.Name+b.Detail) })
	return slices.Compact(notes)
}

func (s *socketSet) close() error {
	var errs []error
	for _, b := range s.all {
		if err := b.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// setBuffers asks for the socket buffers and says what came of it.
func setBuffers(u *net.UDPConn, c SocketConfig) (notes []Feature) {
	if n := c.ReceiveBuffer; n > 0 {
		if got, err := setReceiveBuffer(u, n); err != nil || got < n {
			notes = append(notes, on("receive_buffer", fmt.Sprintf("%d octets of %d asked for", got, n)))
		}
	}
	if n := c.SendBuffer; n > 0 {
		if got, err := setSendBuffer(u, n); err != nil || got < n {
			notes = append(notes, on("send_buffer", fmt.Sprintf("%d octets of %d asked for", got, n)))
		}
	}
	return notes
}

// ikePacket is the datagram that carries an IKE message or a keepalive from socket b.
func ikePacket(b *boundSocket, datagram []byte) []byte {
	if b.kind != SocketNATT || len(datagram) == 1 && datagram[0] == natKeepalive {
		return datagram
	}
	return append(make([]byte, nonESPMarker, nonESPMarker+len(datagram)), datagram...)
}
