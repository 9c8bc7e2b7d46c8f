package flood

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	// sendBatch is how many requests one system call sends.
	sendBatch = 64
	// catchUp bounds what is sent at once after the sender did not run for a while: a flood is steady.
	catchUp = 20 * time.Millisecond
	// marker is the non-ESP marker of port 4500.
	marker = 4
)

// sender sends IKE_SA_INIT requests that nobody means, each from another address of 127.0.0.0/8 and with another SPI. All
// other bytes are those of a request that this responder would accept.
type sender struct {
	conn *ipv4.PacketConn
	msgs []ipv4.Message
	spi  uint64
	sent uint64
}

// newSender makes a sender that takes turns between the responder's two ports: what comes to the one that carries ESP has to
// pass the packet loop.
func newSender(request []byte, to [2]netip.AddrPort) (*sender, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{})
	if err != nil {
		return nil, err
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	// The answers go to 127.x.y.z, where this socket has its port too. Nobody reads them.
	if e := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1) }); err == nil {
		err = e
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	s := &sender{conn: ipv4.NewPacketConn(c), msgs: make([]ipv4.Message, sendBatch)}
	for i := range s.msgs {
		b, dst := request, to[i%2]
		if i%2 == 1 {
			b = append(make([]byte, marker), request...)
		}
		s.msgs[i] = ipv4.Message{Buffers: [][]byte{append([]byte(nil), b...)}, Addr: net.UDPAddrFromAddrPort(dst)}
	}
	var start [8]byte
	rand.Read(start[:]) // never fails, since Go 1.24
	s.spi = binary.BigEndian.Uint64(start[:])
	return s, nil
}

// send sends n requests, at most sendBatch.
func (s *sender) send(n int) error {
	for i := range s.msgs[:n] {
		s.spi++
		b := s.msgs[i].Buffers[0]
		binary.BigEndian.PutUint64(b[(i%2)*marker:], max(s.spi, 1))
		// 127.x.y.z with none of them 0: the source address goes with the packet.
		from := net.IPv4(127, byte(1+s.spi>>14&127), byte(1+s.spi>>7&127), byte(1+s.spi&127))
		s.msgs[i].OOB = (&ipv4.ControlMessage{Src: from}).Marshal()
	}
	for at := 0; at < n; {
		done, err := s.conn.WriteBatch(s.msgs[at:n], 0)
		if err != nil {
			if errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ECONNREFUSED) {
				at++ // not sent
				continue
			}
			return fmt.Errorf("flood: send: %w", err)
		}
		s.sent += uint64(done)
		at += done
	}
	return nil
}

// run sends so many requests a second for so long, or fewer if the machine can't.
func (s *sender) run(ctx context.Context, rate int, d time.Duration) error {
	began := time.Now()
	next := began
	for ctx.Err() == nil {
		now := time.Now()
		if now.Sub(began) >= d {
			return nil
		}
		if now.Sub(next) > catchUp {
			next = now.Add(-catchUp)
		}
		if n := int(now.Sub(next) * time.Duration(rate) / time.Second); n >= sendBatch {
			if err := s.send(sendBatch); err != nil {
				return err
			}
			next = next.Add(sendBatch * time.Second / time.Duration(rate))
			continue
		}
		time.Sleep(time.Millisecond)
	}
	return ctx.Err()
}

func (s *sender) close() { s.conn.Close() }
