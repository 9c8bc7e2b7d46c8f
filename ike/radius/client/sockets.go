package client

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/radius"
)

// datagram is what a socket has received.
type datagram struct {
	orders bool
	at     radius.Socket
	from   netip.AddrPort
	b      []byte
}

// family is a socket with the family of addresses that it is for.
type family struct {
	radius.Socket
	v6 bool
}

// sockets belong to the client's goroutine, but for their readers.
type sockets struct {
	c       *Client
	of      map[family]*net.UDPConn
	orders  *net.UDPConn
	listen  netip.AddrPort
	drained chan struct{} // closed when no record waits; nil: nobody waits for that
}

func (s *sockets) init(c *Client) { s.c, s.of = c, map[family]*net.UDPConn{} }

// configure closes what is of servers that are gone, and opens the socket for orders.
func (s *sockets) configure(setup Setup) {
	for k, conn := range s.of {
		there := slices.ContainsFunc(setup.Radius.Servers, func(r radius.Server) bool {
			return r.Name == k.Server && k.N < r.Sockets && r.Addrs[k.Service].IsValid() && r.Addrs[k.Service].Addr().Is6() == k.v6
		})
		if !there {
			conn.Close()
			delete(s.of, k)
		}
	}
	if setup.Listen == s.listen && s.orders != nil {
		return
	}
	if s.orders != nil {
		s.orders.Close()
		s.orders = nil
	}
	if s.listen = setup.Listen; !s.listen.IsValid() {
		return
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(s.listen))
	if err != nil {
		s.c.log.listen(s.listen, err)
		return
	}
	s.orders = conn
	s.c.working.Go(func() { s.c.read(conn, datagram{orders: true}) })
}

// send sends a datagram to a server. One that can't be sent is one that is lost: it is sent again.
func (s *sockets) send(o radius.Send) {
	k := family{o.Socket, o.To.Addr().Is6()}
	conn := s.of[k]
	if conn == nil {
		network := "udp4"
		if k.v6 {
			network = "udp6"
		}
		var err error
		if conn, err = net.ListenUDP(network, nil); err != nil {
			s.c.log.send(time.Now(), o, err)
			return
		}
		s.of[k] = conn
		s.c.working.Go(func() { s.c.read(conn, datagram{at: o.Socket}) })
	}
	if _, err := conn.WriteToUDPAddrPort(o.Datagram, o.To); err != nil {
		s.c.log.send(time.Now(), o, err)
	}
}

// reply sends the answer to an order.
func (s *sockets) reply(o radius.Reply) {
	if s.orders != nil {
		s.orders.WriteToUDPAddrPort(o.Datagram, o.To) // one that is lost is asked for again
	}
}

func (s *sockets) close() {
	for _, conn := range s.of {
		conn.Close()
	}
	if s.orders != nil {
		s.orders.Close()
	}
}

// readPause is how long a reader waits after an error that is not the end of its socket.
const readPause = 100 * time.Millisecond

// read passes on what a socket receives, until it is closed.
func (c *Client) read(conn *net.UDPConn, d datagram) {
	b := make([]byte, radius.MaxLength)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		switch {
		case err == nil:
			d.from, d.b = from, slices.Clone(b[:n])
			select {
			case c.received <- d:
			case <-c.closing:
				return
			}
		case isClosed(err):
			return
		default:
			select {
			case <-time.After(readPause):
			case <-c.closing:
				return
			}
		}
	}
}
