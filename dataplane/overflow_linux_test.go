package dataplane

import (
	"net"
	"net/netip"
	"testing"
)

// TestReceiveBufferOverflowIsCounted: every datagram that was sent to a socket is either seen or counted as dropped by its
// full receive buffer.
func TestReceiveBufferOverflowIsCounted(t *testing.T) {
	for _, f := range []Features{{}, {NoRawIO: true}} {
		e, err := New(Config{Device: newQueueFake(t, 1, true), Handler: newRecorder(), Workers: 1, Features: f,
			Sockets: SocketConfig{NATT: &Listen{Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}, ReceiveBuffer: 4096}})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(e.LocalAddr(SocketNATT, false)))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		const sent = 1000
		for range sent { // nobody receives yet
			if _, err := c.Write([]byte{1, 2, 3}); err != nil {
				t.Fatal(err)
			}
		}
		lost := e.Drops()[DropInReceiveBuffer]
		if lost == 0 || lost >= sent {
			t.Errorf("%d of %d datagrams are counted as dropped", lost, sent)
		}
		if f.NoRawIO {
			continue // the portable device does not run on queues
		}
		run(t, e)
		waitFor(t, "all datagrams", func() bool {
			d := e.Drops()
			return d[DropInShort]+d[DropInReceiveBuffer] == sent
		})
		if d := e.Drops(); d[DropInReceiveBuffer] != lost {
			t.Errorf("%d datagrams are counted as dropped after there is room again, %d before", d[DropInReceiveBuffer], lost)
		}
	}
}
