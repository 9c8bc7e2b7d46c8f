package socktest

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// Conn is a socket of a [Network]. It is a net.PacketConn; deadlines are not supported.
type Conn struct {
	n      *Network
	local  netip.AddrPort
	queue  chan datagram
	closed chan struct{}
	once   sync.Once
}

var _ net.PacketConn = (*Conn)(nil)

// ReadFromUDPAddrPort waits for a datagram. What does not fit into b is lost.
func (c *Conn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case d := <-c.queue:
		return copy(b, d.data), d.from, nil
	case <-c.closed:
		return 0, netip.AddrPort{}, &net.OpError{Op: "read", Net: "udp", Err: net.ErrClosed}
	}
}

// ReadFrom is ReadFromUDPAddrPort for users of net.PacketConn.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, a, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(a), nil
}

// WriteToUDPAddrPort sends a copy of b.
func (c *Conn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-c.closed:
		return 0, &net.OpError{Op: "write", Net: "udp", Err: net.ErrClosed}
	default:
	}
	c.n.send(datagram{c.local, to, slices.Clone(b)})
	return len(b), nil
}

// WriteTo is WriteToUDPAddrPort for users of net.PacketConn.
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) {
	a, err := netip.ParseAddrPort(to.String())
	if err != nil {
		return 0, &net.OpError{Op: "write", Net: "udp", Addr: to, Err: err}
	}
	return c.WriteToUDPAddrPort(b, a)
}

// Close closes the socket; its address can be used again.
func (c *Conn) Close() error {
	c.once.Do(func() {
		c.n.mu.Lock()
		defer c.n.mu.Unlock()
		delete(c.n.conns, c.local)
		close(c.closed)
	})
	return nil
}

// LocalAddr is the *net.UDPAddr the socket is bound to.
func (c *Conn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.local) }

// SetDeadline reports that there are no deadlines.
func (c *Conn) SetDeadline(time.Time) error { return os.ErrNoDeadline }

// SetReadDeadline reports that there are no deadlines.
func (c *Conn) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline reports that there are no deadlines.
func (c *Conn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
