package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"esplanade/dataplane/socktest"
	"esplanade/esp"
	"esplanade/ike/selector"
	"esplanade/tun"
	"esplanade/tun/tuntest"
)

// inMemory makes a running engine between a device in memory and a network in memory.
func inMemory(t *testing.T, n *socktest.Network, host string) (*Engine, *tuntest.Device, *recorder) {
	t.Helper()
	dev := tuntest.NewChannel("mem-"+host, 1400)
	r := newRecorder()
	addr := []netip.Addr{netip.MustParseAddr(host)}
	e := start(t, Config{Device: dev, Handler: r, Sockets: SocketConfig{
		IKE: &Listen{Port: 500, Addrs: addr}, NATT: &Listen{Port: 4500, Addrs: addr}, ListenPacket: n.Listen}})
	return e, dev, r
}

func at(host string, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(host), port)
}

func next(t *testing.T, d *tuntest.Device) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	b, err := d.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func inject(t *testing.T, d *tuntest.Device, p []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if err := d.Inject(ctx, p); err != nil {
		t.Fatal(err)
	}
}

func TestTwoEnginesInMemory(t *testing.T) {
	n := socktest.New(1)
	a, da, ra := inMemory(t, n, "192.0.2.1")
	b, db, rb := inMemory(t, n, "192.0.2.2")
	ts := pair(t, ts4Local, ts4Remote)

	// A packet that waits, negotiation over both ports, the packet.
	a.SetPolicy(policyA, selector.Policy{Pair: ts})
	waiting := udpPacket(v4, 1, 2, fill(10, 1))
	inject(t, da, waiting)
	ra.wait(t, "Acquire", func() bool { return len(ra.policies) == 1 })
	if err := a.SendIKE(at("192.0.2.1", 500), at("192.0.2.2", 500), []byte("IKE_SA_INIT")); err != nil {
		t.Fatal(err)
	}
	rb.wait(t, "IKE on 500", func() bool { return len(rb.ike) == 1 })
	if err := b.SendIKE(at("192.0.2.2", 4500), at("192.0.2.1", 4500), []byte("IKE_AUTH")); err != nil {
		t.Fatal(err)
	}
	ra.wait(t, "IKE on 4500", func() bool { return len(ra.ike) == 1 })
	if got := rb.ike[0]; got != (ikeMessage{at("192.0.2.2", 500), at("192.0.2.1", 500), "IKE_SA_INIT"}) {
		t.Errorf("%+v", got)
	}
	if got := ra.ike[0]; got != (ikeMessage{at("192.0.2.1", 4500), at("192.0.2.2", 4500), "IKE_AUTH"}) {
		t.Errorf("%+v", got)
	}
	connect(t, a, b, childA, policyA, ts, gcm128(), at("192.0.2.1", 4500), at("192.0.2.2", 4500))
	if got := next(t, db); string(got) != string(waiting) {
		t.Errorf("came out: % x", got)
	}
	// A keepalive is sent as it is and seen by nobody.
	seen := make(chan string, 1)
	n.Tap(func(_, _ netip.AddrPort, d []byte) bool {
		seen <- string(d)
		return true
	})
	if err := a.SendIKE(at("192.0.2.1", 4500), at("192.0.2.2", 4500), []byte{0xff}); err != nil {
		t.Fatal(err)
	}
	if s := <-seen; s != "\xff" {
		t.Errorf("keepalive: % x", s)
	}
	n.Tap(nil)
	// NAT gives the peer another port.
	moved := at("198.51.100.1", 7777)
	n.Rebind(at("192.0.2.1", 4500), moved)
	inject(t, da, waiting)
	next(t, db)
	rb.wait(t, "PeerMoved", func() bool { return len(rb.moved) == 1 })
	b.UpdatePath(childA, esp.Path{Local: at("192.0.2.2", 4500), Remote: moved, UDP: true})
	back := udpPacket(ipSpec{src: v4.dst, dst: v4.src}, 2, 1, nil)
	inject(t, db, back)
	if got := next(t, da); string(got) != string(back) {
		t.Errorf("came back: % x", got)
	}
	if d := fmt.Sprint(dropsOf(a), dropsOf(b)); d != "map[] map[]" {
		t.Error("drops:", d)
	}
}

// TestRekeyLosesNothing replaces the SAs in both directions while packets flow.
func TestRekeyLosesNothing(t *testing.T) {
	n := socktest.New(1)
	a, da, _ := inMemory(t, n, "192.0.2.1")
	b, db, _ := inMemory(t, n, "192.0.2.2")
	ts := pair(t, ts4Local, ts4Remote)
	pa, pb := at("192.0.2.1", 4500), at("192.0.2.2", 4500)
	connect(t, a, b, 1, policyA, ts, gcm128(), pa, pb)
	const packets, rekeys, window = 3000, 20, 200
	done, room := make(chan bool), make(chan bool, window) // the devices' queues are bounded
	go func() {
		defer close(done)
		for i := range packets {
			room <- true
			if err := da.Inject(context.Background(), udpPacket(v4, uint16(i), 2, fill(10, 1))); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	got := 0
	for id := uint64(2); id < 2+rekeys; id++ {
		for range packets / rekeys / 2 {
			next(t, db)
			<-room
			got++
		}
		connect(t, a, b, id, policyA, ts, gcm128(), pa, pb)
		a.RemoveOutbound(id - 1)
		b.RemoveOutbound(id - 1)
		// Old inbound SAs stay for what is on its way.
		if id > 2 {
			a.RemoveInbound(id - 2)
		}
	}
	for ; got < packets; got++ {
		p := next(t, db)
		<-room
		if i := int(be.Uint16(p[20:])); i != got {
			t.Fatalf("packet %d came as number %d", i, got)
		}
	}
	<-done
	if d := fmt.Sprint(dropsOf(a), dropsOf(b)); d != "map[] map[]" {
		t.Error("drops:", d)
	}
	if _, ok := a.Counters(1); ok {
		t.Error("counters of a child that is gone")
	}
	if c, ok := b.Counters(1); !ok || c.InPackets == 0 {
		t.Error("counters of a child that has its inbound SA")
	}
}

// TestTCPOverFaultyWire: everything arrives, though the wire loses, duplicates, reorders and corrupts.
func TestTCPOverFaultyWire(t *testing.T) {
	for name, c := range map[string]struct{ outer, inner, ts [2]string }{
		"v4 in v4": {[2]string{"192.0.2.1", "192.0.2.2"}, [2]string{"10.1.0.1", "10.2.0.1"}, [2]string{ts4Local, ts4Remote}},
		"v6 in v4": {[2]string{"192.0.2.1", "192.0.2.2"}, [2]string{"fd01::1", "fd02::1"}, [2]string{ts6Local, ts6Remote}},
		"v4 in v6": {[2]string{"2001:db8::1", "2001:db8::2"}, [2]string{"10.1.0.1", "10.2.0.1"}, [2]string{ts4Local, ts4Remote}},
		"v6 in v6": {[2]string{"2001:db8::1", "2001:db8::2"}, [2]string{"fd01::1", "fd02::1"}, [2]string{ts6Local, ts6Remote}},
	} {
		t.Run(name, func(t *testing.T) {
			n := socktest.New(7)
			n.SetFaults(socktest.Faults{Drop: 0.005, Duplicate: 0.01, Reorder: 0.02, Corrupt: 0.01})
			end := func(host, inner string) *netstackEnd {
				dev, net, err := tun.NewNetstack([]netip.Addr{netip.MustParseAddr(inner)}, 1400)
				if err != nil {
					t.Fatal(err)
				}
				r := newRecorder()
				e := start(t, Config{Device: dev, Handler: r, Sockets: SocketConfig{
					NATT: &Listen{Port: 4500, Addrs: []netip.Addr{netip.MustParseAddr(host)}}, ListenPacket: n.Listen}})
				return &netstackEnd{e, net, r}
			}
			a, b := end(c.outer[0], c.inner[0]), end(c.outer[1], c.inner[1])
			connect(t, a.e, b.e, childA, policyA, pair(t, c.ts[0], c.ts[1]), gcm128(), at(c.outer[0], 4500), at(c.outer[1], 4500))
			bulk(t, a, b, netip.MustParseAddr(c.inner[1]), 1<<20)
			s, drops := n.Stats(), dropsOf(b.e)
			for reason, packets := range dropsOf(a.e) { // a fault may hit an acknowledgement as well
				drops[reason] += packets
			}
			if s.Duplicated == 0 || s.Corrupted == 0 || drops["in replay"] == 0 || drops["in icv"]+drops["in unknown_spi"]+drops["in short"] == 0 {
				t.Errorf("the faults did not happen: %+v, drops %v", s, drops)
			}
		})
	}
}

func TestSocketsOfTheSystem(t *testing.T) {
	for _, raw := range []bool{true, false} {
		t.Run(fmt.Sprintf("raw=%v", raw), func(t *testing.T) {
			make1 := func(c SocketConfig) (*Engine, *recorder) {
				r := newRecorder()
				return start(t, Config{Device: tuntest.NewChannel("x", 1400), Handler: r, Sockets: c,
					Features: Features{NoRawIO: !raw}}), r
			}
			a, ra := make1(loopback())
			one := netip.MustParseAddr("127.0.0.1")
			b, rb := make1(SocketConfig{NATT: &Listen{Addrs: []netip.Addr{one}}, ReceiveBuffer: -1, SendBuffer: -1})
			if l := b.LocalAddrs(); len(l) < 1 || l[0].Kind != SocketNATT || l[0].Local.Port() == 0 || l[0].Local.Addr() != one {
				t.Fatalf("LocalAddrs: %v", l)
			}
			to := b.LocalAddrs()[0].Local
			// Each message leaves from the port, and from the address, that it is told to.
			for _, local := range []netip.AddrPort{natt(a, false), at("127.0.0.3", a.LocalAddr(SocketNATT, false).Port())} {
				if runtime.GOOS != "linux" && local.Addr() != one {
					continue // only Linux has all of 127.0.0.0/8
				}
				if err := a.SendIKE(local, to, []byte("hello")); err != nil {
					t.Fatal(err)
				}
				rb.wait(t, "IKE", func() bool { return len(rb.ike) > 0 })
				if got := rb.ike[0]; got != (ikeMessage{to, local, "hello"}) {
					t.Errorf("got %+v", got)
				}
				// The answer to the request's source arrives at the address that it left from.
				if err := b.SendIKE(to, local, []byte("answer")); err != nil {
					t.Fatal(err)
				}
				ra.wait(t, "answer", func() bool { return len(ra.ike) > 0 })
				if got := ra.ike[0]; got != (ikeMessage{local, to, "answer"}) {
					t.Errorf("got %+v", got)
				}
				ra.note(func() { ra.ike = nil })
				rb.note(func() { rb.ike = nil })
			}
			// From the IKE port there is no marker: the peer's NAT-T port takes it for ESP.
			if err := a.SendIKE(at("0.0.0.0", a.LocalAddr(SocketIKE, false).Port()), to, []byte("no marker")); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "unknown SPI", func() bool { return b.Drops()[DropInUnknownSPI] == 1 })
			if v6 := natt(a, true); v6.Port() != 0 {
				if err := a.SendIKE(netip.AddrPort{}, v6, []byte("\x00\x00\x00\x00six")); err != nil {
					t.Fatal(err)
				}
				ra.wait(t, "IPv6", func() bool { return len(ra.ike) == 1 })
				if got := ra.ike[0]; got.local != v6 || got.data != "six" {
					t.Errorf("got %+v", got)
				}
			}
			if err := b.SendIKE(netip.AddrPort{}, at("::1", 9), []byte("x")); !errors.Is(err, ErrPath) {
				t.Errorf("no IPv6 socket: %v", err)
			}
			if err := b.SendIKE(at("127.0.0.1", 1), to, []byte("x")); !errors.Is(err, ErrPath) {
				t.Errorf("no such local port: %v", err)
			}
		})
	}
}

// waitFor polls for something that no event tells about.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(testTimeout); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("timeout: %s", what)
		}
		runtime.Gosched()
	}
}

// TestUnreachable: the daemon learns that nobody listens.
func TestUnreachable(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells unconnected sockets about ICMP errors")
	}
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	closed := c.LocalAddr().(*net.UDPAddr).AddrPort()
	_ = c.Close()
	for _, raw := range []bool{true, false} {
		t.Run(fmt.Sprintf("raw=%v", raw), func(t *testing.T) {
			r := newRecorder()
			e := start(t, Config{Device: tuntest.NewChannel("x", 1400), Handler: r, Sockets: loopback(), Features: Features{NoRawIO: !raw}})
			if err := e.SendIKE(natt(e, false), closed, []byte("is anybody there?")); err != nil {
				t.Fatal(err)
			}
			r.wait(t, "HandleUnreachable", func() bool { return len(r.unreachable) > 0 })
			if !errors.Is(r.unreachable[0], syscall.ECONNREFUSED) {
				t.Errorf("%v", r.unreachable[0])
			}
			// It is the peer itself that says so.
			if m, ok := r.unreachable[0].(*ICMPMessage); !ok || m.Sender() != closed.Addr() || m.Prohibited() || m.Type != icmpUnreachable || m.Code != 3 {
				t.Errorf("%+v", r.unreachable[0])
			}
			// The socket goes on.
			if err := e.SendIKE(netip.AddrPort{}, natt(e, false), []byte("\x00\x00\x00\x00still here")); err != nil {
				t.Fatal(err)
			}
			r.wait(t, "IKE after the error", func() bool { return len(r.ike) > 0 })
		})
	}
}

func TestConfig(t *testing.T) {
	dev := tuntest.NewChannel("x", 1400)
	good := Config{Device: dev, Handler: newRecorder(), Sockets: SocketConfig{NATT: &Listen{}}}
	for name, change := range map[string]func(c *Config){
		"no device":       func(c *Config) { c.Device = nil },
		"no handler":      func(c *Config) { c.Handler = nil },
		"no sockets":      func(c *Config) { c.Sockets.NATT = nil },
		"workers":         func(c *Config) { c.Workers = MaxWorkers + 1 },
		"negative":        func(c *Config) { c.Workers = -1 },
		"wait ring":       func(c *Config) { c.WaitRing = MaxWaitRing + 1 },
		"path MTU":        func(c *Config) { c.PathMTU = 100 },
		"MSS":             func(c *Config) { c.MSSClamp = 70000 },
		"address":         func(c *Config) { c.Sockets.NATT = &Listen{Addrs: []netip.Addr{{}}} },
		"mapped address":  func(c *Config) { c.Sockets.NATT = &Listen{Addrs: []netip.Addr{netip.MustParseAddr("::ffff:1.2.3.4")}} },
		"foreign address": func(c *Config) { c.Sockets.NATT = &Listen{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.99")}} },
	} {
		c := good
		change(&c)
		if e, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
			_ = e.Close()
		} else if name != "foreign address" && !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	e, err := New(good)
	if err != nil {
		t.Fatal(err)
	}
	if p := strings.Join(e.Paths(), "\n"); !strings.Contains(p, "device x") || !strings.Contains(p, "nat-t socket") {
		t.Errorf("Paths: %s", p)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := e.Run(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("Run after Close: %v", err)
	}
	if _, err := dev.Read([][]byte{make([]byte, 100)}, []int{0}, 16); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the device is not closed: %v", err)
	}
}

// TestDeviceFails: Run returns the device's error.
func TestDeviceFails(t *testing.T) {
	broken := errors.New("broken")
	e, err := New(Config{Device: &failingDevice{tuntest.NewChannel("x", 1400), broken}, Handler: newRecorder(), Sockets: SocketConfig{NATT: &Listen{}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); !errors.Is(err, broken) {
		t.Errorf("Run: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

type failingDevice struct {
	*tuntest.Device
	err error
}

func (f *failingDevice) Read([][]byte, []int, int) (int, error) { return 0, f.err }

// TestControlWhileRunning calls everything of the control side while packets flow; it is for the race detector.
func TestControlWhileRunning(t *testing.T) {
	n := socktest.New(1)
	a, da, _ := inMemory(t, n, "192.0.2.1")
	b, db, _ := inMemory(t, n, "192.0.2.2")
	ts := pair(t, ts4Local, ts4Remote)
	pa, pb := at("192.0.2.1", 4500), at("192.0.2.2", 4500)
	a.SetPolicy(policyA, selector.Policy{Pair: ts})
	stop, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				if err := da.Inject(context.Background(), udpPacket(v4, uint16(i), 2, fill(10, 1))); err != nil {
					return
				}
				db.TryNext()
			}
		}
	}()
	for id := uint64(1); id < 200; id++ {
		connect(t, a, b, id, policyA, ts, gcm128(), pa, pb)
		a.UpdatePath(id, esp.Path{Local: pa, Remote: pb, UDP: true})
		a.Counters(id)
		a.Drops()
		a.Paths()
		a.mtuChanged(pb.Addr(), 1300+int(id))
		if id%3 == 0 {
			a.RemoveOutbound(id)
			a.SetPolicy(policyA, selector.Policy{Pair: ts})
			a.FailPending(policyA)
		}
		if id%7 == 0 {
			a.ClearPolicy(policyA)
			b.RemoveInbound(id)
		}
	}
	close(stop)
	<-done
}
