package dataplane

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"esplanade/esp"
	"esplanade/ike/selector"
	"esplanade/tun"
)

// linuxEnds are two running engines on the fast ends of Linux: queues that a test holds the far end of, sockets of the
// loopback with UDP_SEGMENT and UDP_GRO, and a socket of the test in the middle of the wire.
type linuxEnds struct {
	t      testing.TB
	a, b   *Engine
	da, db *queueFake
	ra, rb *recorder
	mid    *net.UDPConn
	fd     int
	v6     bool
	toB    netip.AddrPort
	buf    []byte
	seen   uint64 // datagrams that b has accounted for
}

// linuxOptions are what the ends may have differently.
type linuxOptions struct {
	features Features
	noVNet   bool
	queues   int
	v6       bool // outside
	ring     int
	prepare  func(e *Engine) // is called for each engine before it runs
}

// newLinuxEnds makes the two engines, without any SA.
func newLinuxEnds(t testing.TB, o linuxOptions) *linuxEnds {
	t.Helper()
	r := &linuxEnds{t: t, v6: o.v6, buf: make([]byte, 1<<16), ra: newRecorder(), rb: newRecorder()}
	queues := max(1, o.queues)
	r.da, r.db = newQueueFake(t, queues, !o.noVNet), newQueueFake(t, queues, !o.noVNet)
	host := net.IPv4(127, 0, 0, 1)
	if o.v6 {
		host = net.IPv6loopback
	}
	var err error
	if r.mid, err = net.ListenUDP("udp", &net.UDPAddr{IP: host}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.mid.Close() })
	_ = r.mid.SetReadBuffer(4 << 20)
	rc, err := r.mid.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := rc.Control(func(fd uintptr) { r.fd = int(fd) }); err != nil {
		t.Fatal(err)
	}
	c := Config{Workers: queues, MSSClamp: -1, PathMTU: 1500, Features: o.features, WaitRing: o.ring, CopyDSCP: true,
		Sockets: SocketConfig{NATT: &Listen{}, ReceiveBuffer: 8 << 20, SendBuffer: 8 << 20}}
	make1 := func(d *queueFake, h Handler) *Engine {
		c.Device, c.Handler = d, h
		e, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		if o.prepare != nil {
			o.prepare(e)
		}
		run(t, e)
		return e
	}
	r.a, r.b = make1(r.da, r.ra), make1(r.db, r.rb)
	r.toB = natt(r.b, o.v6)
	return r
}

func (r *linuxEnds) midAddr() netip.AddrPort {
	return unmap(r.mid.LocalAddr().(*net.UDPAddr).AddrPort())
}

// connect installs SAs in both directions, with the test's socket in the middle.
func (r *linuxEnds) connect(id, policy uint64, local, remote string) {
	r.t.Helper()
	ts := pair(r.t, local, remote)
	pa := esp.Path{Local: natt(r.a, r.v6), Remote: r.midAddr(), UDP: true}
	pb := esp.Path{Local: natt(r.b, r.v6), Remote: r.midAddr(), UDP: true}
	onPaths(r.t, r.a, r.b, id, policy, ts, gcm128(), pa, pb)
	onPaths(r.t, r.b, r.a, id, policy, ts.Swap(), gcm128(), pb, pa)
}

// wire reads a datagram in the middle.
func (r *linuxEnds) wire() []byte {
	r.t.Helper()
	for {
		n, err := unix.Read(r.fd, r.buf)
		switch err {
		case nil:
			return append([]byte(nil), r.buf[:n]...)
		case unix.EAGAIN:
			if err := waitFD(r.fd, unix.POLLIN); err != nil {
				r.t.Fatalf("nothing on the wire: %v; drops %v", err, dropsOf(r.a))
			}
		case unix.EINTR:
		default:
			r.t.Fatal(err)
		}
	}
}

// forward sends a message from the middle to b: one datagram, or a run with UDP_SEGMENT.
func (r *linuxEnds) forward(m sent) {
	r.t.Helper()
	var oob []byte
	if m.tos != 0 {
		oob = appendTOS(oob, r.v6, m.tos)
	}
	if m.n > 1 {
		oob = appendControl(oob, unix.IPPROTO_UDP, unix.UDP_SEGMENT, []byte{byte(m.seg), byte(m.seg >> 8)})
	}
	for {
		err := unix.Sendmsg(r.fd, m.data, oob, sockaddr(r.toB), 0)
		if err == nil {
			return
		}
		if err == unix.EAGAIN {
			err = waitFD(r.fd, unix.POLLOUT)
		}
		if err != nil {
			r.t.Fatalf("run of %d of %d octets: %v", m.n, m.seg, err)
		}
	}
}

// accounted is how many datagrams b has carried or dropped.
func (r *linuxEnds) accounted() uint64 {
	n := uint64(0)
	for _, d := range dropsOf(r.b) {
		n += d
	}
	for _, id := range []uint64{1, 2} {
		c, _ := r.b.Counters(id)
		n += c.InPackets
	}
	return n
}

func (r *linuxEnds) engines() (a, b *Engine) { return r.a, r.b }

func (r *linuxEnds) out(supers []superPacket, n int) (wire [][]byte) {
	for _, s := range supers {
		if r.da.vnet {
			r.da.inject(0, s)
			continue
		}
		// Without virtio headers the kernel cuts super-packets and finishes checksums itself.
		if v := s.vnet; v.GSOType == tun.GSONone && v.Flags&tun.VNetNeedsCsum != 0 && !finishChecksum(s.bytes(), &v) {
			r.t.Fatal("a checksum that can't be finished")
		}
		for _, p := range referenceSegments(s.bytes(), s.vnet) {
			r.da.inject(0, super(p, tun.VNetHdr{}))
		}
	}
	for range n {
		wire = append(wire, r.wire())
	}
	return wire
}

func (r *linuxEnds) in(msgs []sent, n int) (out []written) {
	for _, m := range msgs {
		r.forward(m)
		for at := 0; at < len(m.data) || at == 0; at += max(1, m.seg) {
			if p := m.data[at:min(at+m.seg, len(m.data))]; len(p) != 1 || p[0] != natKeepalive {
				r.seen++
			}
		}
	}
	for got := 0; got < n; {
		w := r.db.take(0)
		out = append(out, w)
		got += w.segments
	}
	waitFor(r.t.(*testing.T), "the last datagram", func() bool { return r.accounted() >= r.seen })
	if w, ok, err := r.db.tryTake(0, false); ok || err != nil {
		r.t.Errorf("more than what went in: % x %v", w.data[:min(len(w.data), 60)], err)
	}
	return out
}

// batchRoom is how many octets of packets may be under way without being lost: without privileges the buffers of
// sockets are small.
func batchRoom() int {
	if os.Geteuid() == 0 {
		return 1 << 20
	}
	return 60 << 10
}

// TestLinuxEndsAgainstReference runs the differential test over system calls, with each way that the ends can work.
func TestLinuxEndsAgainstReference(t *testing.T) {
	seeds := uint64(25)
	if testing.Short() || raceEnabled {
		seeds = 4
	}
	for name, o := range linuxWays {
		t.Run(name, func(t *testing.T) {
			ends := func(t *testing.T) twoEnds {
				r := newLinuxEnds(t, o)
				r.connect(1, 1, ts4Local, ts4Remote)
				r.connect(2, 2, ts6Local, ts6Remote)
				return r
			}
			merged := 0
			for seed := range seeds {
				seed += 1000
				t.Run(fmt.Sprint(seed), func(t *testing.T) { merged += runDifferential(t, seed, batchRoom(), ends(t)) })
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
			if on := !o.features.NoTUNMerge && !o.noVNet; on != (merged > 0) {
				t.Errorf("merging is %v, and %d super-packets were merged", on, merged)
			}
		})
	}
}

// linuxWays are the ways that the ends of Linux can work.
var linuxWays = map[string]linuxOptions{
	"all":        {},
	"v6":         {v6: true},
	"no udp_gso": {features: Features{NoUDPGSO: true}},
	"no udp_gro": {features: Features{NoUDPGRO: true}},
	"no merging": {features: Features{NoTUNMerge: true}},
	"no vnet":    {noVNet: true},
	"nothing":    {features: Features{NoUDPGSO: true, NoUDPGRO: true, NoTUNMerge: true, NoReusePort: true, NoRawESP: true}},
}

// TestTrapOnLinuxEnds: the packet that brings a tunnel up is delivered, as it is or as the packets of a super-packet.
func TestTrapOnLinuxEnds(t *testing.T) {
	for name, o := range linuxWays {
		t.Run(name, func(t *testing.T) {
			r := newLinuxEnds(t, o)
			r.a.SetPolicy(policyA, selector.Policy{Pair: pair(t, ts4Local, ts4Remote)})
			first := udpPacket(v4, 1, 2, fill(10, 1))
			supers := []superPacket{super(first, tun.VNetHdr{})}
			want := [][]byte{first}
			big := tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(v4, fill(5000, 1))
			v := vnetFor(big, 1300)
			want = append(want, referenceSegments(big, v)...)
			if o.noVNet {
				for _, p := range want[1:] {
					supers = append(supers, super(p, tun.VNetHdr{}))
				}
			} else {
				supers = append(supers, super(big, v))
			}
			for _, s := range supers {
				r.da.inject(0, s)
			}
			r.ra.wait(t, "Acquire", func() bool { return len(r.ra.policies) == 1 })
			waitFor(t, "all packets wait", func() bool { return r.waiting(policyA) == len(supers) })
			r.connect(1, policyA, ts4Local, ts4Remote)
			var wire [][]byte
			for range want {
				wire = append(wire, r.wire())
			}
			checkSealed(t, wire, want)
			// Another child of the same policy has nothing left to send, and the next packet goes at once.
			r.da.inject(0, super(first, tun.VNetHdr{}))
			checkSealed(t, append(wire, r.wire()), append(want, first))
			if d := dropsOf(r.a); len(d) != 0 {
				t.Errorf("drops: %v", d)
			}
		})
	}
}

// waiting is how many packets wait for a policy of a.
func (r *linuxEnds) waiting(policy uint64) int {
	r.a.mu.Lock()
	defer r.a.mu.Unlock()
	return int(r.a.entries[policy].p.trap.waiting.Load())
}
