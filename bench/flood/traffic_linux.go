package flood

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

const (
	// packetEvery is how often a packet goes through the tunnel.
	packetEvery = 20 * time.Millisecond
	// lastAnswer is how long the last packets have.
	lastAnswer = 5 * time.Second
	echoPort   = 7
)

// traffic sends packets through the tunnel as long as the flood lasts, and counts those that come back.
func (st *stage) traffic(over <-chan struct{}) (sent, back int, err error) {
	to := netip.AddrPortFrom(st.Lab.B.Inner4, echoPort)
	server, err := st.Lab.B.ListenUDP(to)
	if err != nil {
		return 0, 0, err
	}
	client, err := st.Lab.A.ListenUDP(netip.AddrPortFrom(st.Lab.A.Inner4, 0))
	if err != nil {
		return 0, 0, errors.Join(err, server.Close())
	}
	var all sync.WaitGroup
	all.Go(func() { echo(server) })
	seen := map[uint32]bool{}
	all.Go(func() {
		var b [4]byte
		for {
			n, err := client.Read(b[:])
			switch {
			case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
				return
			case err == nil && n == len(b):
				seen[binary.BigEndian.Uint32(b[:])] = true
			}
		}
	})
	tick := time.NewTicker(packetEvery)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-over:
			done = true
		case <-tick.C:
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], uint32(sent))
			sent++
			_, _ = client.WriteToUDPAddrPort(b[:], to) // what is not sent does not come back
		}
	}
	err = client.SetReadDeadline(time.Now().Add(lastAnswer))
	if err != nil {
		client.Close()
	}
	// The reader ends at its deadline, the echo with its socket.
	time.AfterFunc(lastAnswer, func() { server.Close() })
	all.Wait()
	client.Close()
	return sent, len(seen), err
}

// echo sends everything back.
func echo(c *net.UDPConn) {
	b := make([]byte, 64)
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil:
			_, _ = c.WriteToUDPAddrPort(b[:n], from)
		}
	}
}
