package socktest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
)

func listen(t *testing.T, n *Network, addr string) *Conn {
	t.Helper()
	c, err := n.Listen(context.Background(), "udp4", netip.MustParseAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*Conn)
}

func send(t *testing.T, from *Conn, to netip.AddrPort, s string) {
	t.Helper()
	if n, err := from.WriteToUDPAddrPort([]byte(s), to); err != nil || n != len(s) {
		t.Fatalf("write: %d, %v", n, err)
	}
}

func want(t *testing.T, c *Conn, s string, from netip.AddrPort) {
	t.Helper()
	if len(c.queue) == 0 {
		t.Fatalf("nothing came; want %q", s)
	}
	b := make([]byte, 100)
	n, a, err := c.ReadFromUDPAddrPort(b)
	if err != nil || string(b[:n]) != s || a != from {
		t.Fatalf("got %q from %v, %v; want %q from %v", b[:n], a, err, s, from)
	}
}

func TestDelivery(t *testing.T) {
	n := New(1)
	a, b := listen(t, n, "192.0.2.1:500"), listen(t, n, "192.0.2.2:0")
	send(t, a, b.local, "one")
	want(t, b, "one", a.local)
	if _, err := b.WriteTo([]byte("two"), a.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	want(t, a, "two", b.local)
	send(t, a, netip.MustParseAddrPort("192.0.2.9:1"), "nobody")
	if s := n.Stats(); s.Sent != 3 || s.Delivered != 2 || s.Unreachable != 1 {
		t.Errorf("%+v", s)
	}
	if _, err := n.Listen(context.Background(), "udp4", a.local); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second socket: %v", err)
	}
	if _, err := n.Listen(context.Background(), "udp4", netip.MustParseAddrPort("0.0.0.0:1")); err == nil {
		t.Error("a wildcard was accepted")
	}
}

func TestFaults(t *testing.T) {
	n := New(1)
	a, b := listen(t, n, "192.0.2.1:500"), listen(t, n, "192.0.2.2:500")
	n.SetFaults(Faults{Drop: 1})
	send(t, a, b.local, "lost")
	n.SetFaults(Faults{Duplicate: 1})
	send(t, a, b.local, "twice")
	want(t, b, "twice", a.local)
	want(t, b, "twice", a.local)
	n.SetFaults(Faults{Reorder: 1})
	send(t, a, b.local, "first")
	n.faults = Faults{} // SetFaults would release it
	send(t, a, b.local, "second")
	want(t, b, "second", a.local)
	want(t, b, "first", a.local)
	n.SetFaults(Faults{Corrupt: 1})
	send(t, a, b.local, "x")
	if len(b.queue) != 1 || string((<-b.queue).data) == "x" {
		t.Error("not corrupted")
	}
	n.SetFaults(Faults{})
	n.Cut(b.local.Addr(), true)
	send(t, a, b.local, "cut")
	n.Cut(b.local.Addr(), false)
	n.Tap(func(_, _ netip.AddrPort, d []byte) bool { return string(d) != "tapped" })
	send(t, a, b.local, "tapped")
	send(t, a, b.local, "here")
	want(t, b, "here", a.local)
}

func TestRebind(t *testing.T) {
	n := New(1)
	a, b := listen(t, n, "10.0.0.1:4500"), listen(t, n, "192.0.2.2:4500")
	seen := netip.MustParseAddrPort("198.51.100.1:1024")
	n.Rebind(a.local, seen)
	send(t, a, b.local, "out")
	want(t, b, "out", seen)
	send(t, b, seen, "back")
	want(t, a, "back", b.local)
	forged := netip.MustParseAddrPort("203.0.113.1:1")
	n.Inject(forged, b.local, []byte("forged"))
	want(t, b, "forged", forged)
}

func TestClose(t *testing.T) {
	n := New(1)
	c, err := n.Listen(context.Background(), "udp4", netip.MustParseAddrPort("192.0.2.1:500"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, _, err := c.ReadFrom(make([]byte, 1))
		done <- err
	}()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	if _, err := c.WriteTo(nil, c.LocalAddr()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
	listen(t, n, "192.0.2.1:500")
}
