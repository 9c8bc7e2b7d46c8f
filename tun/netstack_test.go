package tun

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"net/netip"
	"os"
	"sync"
	"testing"
	"time"
)

// wire carries packets from one device to the other until one of them is closed.
func wire(t *testing.T, wg *sync.WaitGroup, from, to Device) {
	wg.Go(func() {
		bufs, sizes := make([][]byte, from.BatchSize()), make([]int, from.BatchSize())
		for i := range bufs {
			bufs[i] = make([]byte, Headroom+2000)
		}
		out := make([][]byte, 0, len(bufs))
		for {
			n, err := from.Read(bufs, sizes, Headroom)
			if err != nil {
				if !errors.Is(err, os.ErrClosed) {
					t.Errorf("read: %v", err)
				}
				return
			}
			out = out[:0]
			for i := range n {
				out = append(out, bufs[i][:Headroom+sizes[i]])
			}
			if _, err := to.Write(out, Headroom); err != nil && !errors.Is(err, os.ErrClosed) {
				t.Errorf("write: %v", err)
			}
		}
	})
}

func TestNetstackCarriesTCP(t *testing.T) {
	for _, c := range []struct{ client, server string }{{"10.1.0.1", "10.2.0.1"}, {"fd00:1::1", "fd00:2::1"}} {
		devC, netC, err := NewNetstack([]netip.Addr{netip.MustParseAddr(c.client)}, 1400)
		mustNot(t, err)
		devS, netS, err := NewNetstack([]netip.Addr{netip.MustParseAddr(c.server)}, 1400)
		mustNot(t, err)
		var wg sync.WaitGroup
		wire(t, &wg, devC, devS)
		wire(t, &wg, devS, devC)
		to := netip.AddrPortFrom(netip.MustParseAddr(c.server), 7)
		ln, err := netS.ListenTCPAddrPort(to)
		mustNot(t, err)
		wg.Go(func() {
			conn, err := ln.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			io.Copy(conn, conn)
			conn.Close()
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		conn, err := netC.DialContextTCPAddrPort(ctx, to)
		mustNot(t, err)
		data := bytes.Repeat([]byte("0123456789abcdef"), 1<<15) // 512 KiB, there and back
		wg.Go(func() {
			if _, err := conn.Write(data); err != nil {
				t.Error(err)
			}
			conn.CloseWrite()
		})
		got, err := io.ReadAll(conn)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d octets came back, %v; want %d", c.client, len(got), err, len(data))
		}
		conn.Close()
		ln.Close()
		cancel()
		mustNot(t, devC.Close())
		mustNot(t, devS.Close())
		mustNot(t, devC.Close())
		wg.Wait()
	}
}

// The stack answers from within Write. One goroutine that writes and only then reads must not lock up, however many
// answers there are; what does not fit is dropped and counted.
func TestNetstackWriteDoesNotWaitForRead(t *testing.T) {
	local := netip.MustParseAddr("10.1.0.1")
	d, _, err := NewNetstack([]netip.Addr{local}, 1400)
	mustNot(t, err)
	defer d.Close()
	ping := make([]byte, Headroom+28)
	p := ping[Headroom:]
	p[0], p[3], p[8], p[9] = 0x45, 28, 64, 1
	copy(p[12:], []byte{10, 2, 0, 1, 10, 1, 0, 1})
	binary.BigEndian.PutUint16(p[10:], ^testSum(p[:20]))
	p[20] = 8 // echo request
	binary.BigEndian.PutUint16(p[22:], ^testSum(p[20:]))
	const sent = netstackQueue + 500
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range sent {
			if _, err := d.Write([][]byte{ping}, Headroom); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("Write waits for Read")
	}
	ns := d.(*netstackDevice)
	bufs, sizes := make([][]byte, d.BatchSize()), make([]int, d.BatchSize())
	for i := range bufs {
		bufs[i] = make([]byte, 2000)
	}
	read, most := 0, 0
	for read+int(ns.Dropped()) < sent {
		n, err := d.Read(bufs, sizes, 0)
		mustNot(t, err)
		if sizes[0] != 28 || bufs[0][20] != 0 {
			t.Fatalf("read % x, want an echo reply", bufs[0][:sizes[0]])
		}
		read, most = read+n, max(most, n)
	}
	if ns.Dropped() == 0 || most < 2 {
		t.Errorf("%d read, at most %d at once, %d dropped; want batches and drops", read, most, ns.Dropped())
	}
}

func testSum(b []byte) uint16 {
	var sum uint32
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

func TestNetstackClose(t *testing.T) {
	d, n, err := NewNetstack([]netip.Addr{netip.MustParseAddr("10.1.0.1")}, 1400)
	mustNot(t, err)
	if name, err := d.Name(); name != "netstack" || err != nil {
		t.Errorf("name %q, %v", name, err)
	}
	if mtu, err := d.MTU(); mtu != 1400 || err != nil {
		t.Errorf("mtu %d, %v", mtu, err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := d.Read([][]byte{make([]byte, 2000)}, make([]int, 1), 0)
		ended <- err
	}()
	mustNot(t, d.Close())
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("Read ends with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Close does not end Read")
	}
	if _, err := d.Write([][]byte{make([]byte, 20)}, 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	_ = n
}

func TestNetstackShortBuffer(t *testing.T) {
	d, n, err := NewNetstack([]netip.Addr{netip.MustParseAddr("10.1.0.1")}, 1400)
	mustNot(t, err)
	defer d.Close()
	c, err := n.DialUDPAddrPort(netip.MustParseAddrPort("10.2.0.1:7"))
	mustNot(t, err)
	defer c.Close()
	_, err = c.Write([]byte("hello"))
	mustNot(t, err)
	if _, err := d.Read([][]byte{make([]byte, 20)}, make([]int, 1), 0); !errors.Is(err, errShortBuffer) {
		t.Errorf("33 octets into 20: %v", err)
	}
}

// TestNetstackSuperPackets: the stack gives runs of segments as one packet once it is asked to, with a header that is right, and data
// arrives as it was sent.
func TestNetstackSuperPackets(t *testing.T) {
	for _, c := range []struct {
		client, server string
		kind           uint8
	}{{"10.1.0.1", "10.2.0.1", GSOTCPv4}, {"fd00:1::1", "fd00:2::1", GSOTCPv6}} {
		const mtu = 1400
		devC, netC, err := NewNetstack([]netip.Addr{netip.MustParseAddr(c.client)}, mtu)
		mustNot(t, err)
		devS, netS, err := NewNetstack([]netip.Addr{netip.MustParseAddr(c.server)}, mtu)
		mustNot(t, err)
		super := devC.(SuperDevice)
		super.UseSuperPackets()
		var wg sync.WaitGroup
		wire(t, &wg, devS, devC)
		runs := 0 // of several segments
		wg.Go(func() {
			bufs, sizes, headers := make([][]byte, 8), make([]int, 8), make([]VNetHdr, 8)
			for i := range bufs {
				bufs[i] = make([]byte, Headroom+65535)
			}
			for {
				n, err := super.ReadSuper(bufs, sizes, headers, Headroom)
				if err != nil {
					return
				}
				for i := range n {
					p, h := bufs[i][Headroom:Headroom+sizes[i]], headers[i]
					if _, err := h.Check(p); err != nil {
						t.Errorf("%+v: %v", h, err)
					}
					if h.GSOType != GSONone {
						runs++
						if h.GSOType != c.kind || len(p) <= mtu || int(h.HdrLen)+int(h.GSOSize) > mtu {
							t.Errorf("%d bytes with %+v", len(p), h)
						}
					} else if len(p) > mtu {
						t.Errorf("%d bytes in one packet", len(p))
					}
					if h.Flags&VNetNeedsCsum != 0 {
						sum := p[h.CsumStart:]
						if len(sum)%2 != 0 {
							sum = append(bytes.Clone(sum), 0)
						}
						binary.BigEndian.PutUint16(p[h.CsumStart+h.CsumOffset:], ^testSum(sum))
					}
					if _, err := devS.Write([][]byte{bufs[i][:Headroom+sizes[i]]}, Headroom); err != nil && !errors.Is(err, os.ErrClosed) {
						t.Error(err)
					}
				}
			}
		})
		to := netip.AddrPortFrom(netip.MustParseAddr(c.server), 7)
		ln, err := netS.ListenTCPAddrPort(to)
		mustNot(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		conn, err := netC.DialContextTCPAddrPort(ctx, to)
		mustNot(t, err)
		far, err := ln.Accept()
		mustNot(t, err)
		data := bytes.Repeat([]byte("0123456789abcdef"), 1<<15)
		wg.Go(func() {
			if _, err := conn.Write(data); err != nil {
				t.Error(err)
			}
			conn.CloseWrite()
		})
		got, err := io.ReadAll(far)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes arrived, %v; want %d", c.client, len(got), err, len(data))
		}
		conn.Close()
		far.Close()
		ln.Close()
		cancel()
		mustNot(t, devC.Close())
		mustNot(t, devS.Close())
		wg.Wait()
		if runs == 0 {
			t.Errorf("%s: no super-packet in %d bytes", c.client, len(data))
		}
	}
}

func TestNetstackRefuses(t *testing.T) {
	for what, call := range map[string]func() error{
		"mtu":     func() error { _, _, err := NewNetstack(nil, 100); return err },
		"address": func() error { _, _, err := NewNetstack([]netip.Addr{{}}, 1400); return err },
		"zone": func() error {
			_, _, err := NewNetstack([]netip.Addr{netip.MustParseAddr("fe80::1%x")}, 1400)
			return err
		},
		"twice": func() error {
			a := netip.MustParseAddr("10.1.0.1")
			_, _, err := NewNetstack([]netip.Addr{a, netip.MustParseAddr("::ffff:10.1.0.1")}, 1400)
			return err
		},
	} {
		var e *DeviceError
		if err := call(); !errors.As(err, &e) || e.Fix == "" {
			t.Errorf("%s: %v, want a DeviceError with a fix", what, err)
		}
	}
}
