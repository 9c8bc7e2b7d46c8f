package tun

import (
	"net"
	"testing"
)

// TestDropped: packets that nobody reads are counted as soon as the device's queue is full.
func TestDropped(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	d := s.openQueues(allFeatures("ipsec0", testMTU, 1))
	l := s.configure(d, LinkOptions{})
	s.must(l.SetUp(testMTU))
	s.address("ipsec0", "10.9.0.1/24")
	count := func() uint64 {
		n, err := d.(DropCounter).Dropped()
		s.must(err)
		return n
	}
	before := count()
	const sent = 5000 // a queue has 500 places
	s.do(func() error {
		c, err := net.Dial("udp", "10.9.0.2:9")
		if err != nil {
			return err
		}
		defer c.Close()
		for range sent {
			if _, err := c.Write([]byte("x")); err != nil {
				return err
			}
		}
		return nil
	})
	if n := count() - before; n == 0 || n >= sent {
		t.Errorf("%d of %d packets are counted as dropped", n, sent)
	}
}
