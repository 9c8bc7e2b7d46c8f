package dataplane

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"esplanade/esp"
	"esplanade/tun"
)

// TestWorkers sends flows over several queues through SAs that all workers share: packets of one flow stay in order,
// none is lost, and each SA's packets come to the worker that its SPI names.
func TestWorkers(t *testing.T) {
	const workers, children, rounds, burst = 4, 4, 30, 5
	r := newLinuxEnds(t, linuxOptions{queues: workers})
	for c := range children {
		ts := pair(t, fmt.Sprintf("10.1.%d.0/24", c), fmt.Sprintf("10.2.%d.0/24", c))
		out := esp.Path{Local: natt(r.a, false), Remote: r.toB, UDP: true}
		in := esp.Path{Local: r.toB, Remote: natt(r.a, false), UDP: true}
		onPaths(t, r.a, r.b, uint64(c+1), uint64(c+1), ts, gcm128(), out, in)
	}
	packet := func(child, queue, n int) []byte {
		ip := ipSpec{src: fmt.Sprintf("10.1.%d.%d", child, queue), dst: fmt.Sprintf("10.2.%d.1", child), df: true}
		return udpPacket(ip, uint16(n), 2, fill(100+queue, byte(n)))
	}
	var next [children][workers]int
	for round := range rounds {
		var wg sync.WaitGroup
		for q := range workers {
			wg.Go(func() {
				for i := range burst {
					for c := range children {
						if err := writeFrame(r.da.far[q], r.da.frame(packet(c, q, round*burst+i), tun.VNetHdr{})); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		for got := 0; got < workers*children*burst; {
			fd, queue := waitAny(t, r.db.far)
			w, ok, err := r.db.tryTake(queue, false)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				t.Fatalf("descriptor %d has nothing to read", fd)
			}
			for _, p := range referenceSegments(w.data, w.vnet) {
				src, _ := netip.AddrFromSlice(p[12:16])
				c, q := int(src.As4()[2]), int(src.As4()[3])
				if n := int(be.Uint16(p[20:])); n != next[c][q] {
					t.Fatalf("child %d, queue %d: packet %d came as number %d", c, q, n, next[c][q])
				}
				next[c][q]++
				got++
			}
		}
	}
	if d := fmt.Sprint(dropsOf(r.a), dropsOf(r.b)); d != "map[] map[]" {
		t.Error("drops:", d)
	}
	spread := make(map[int]bool)
	for c := range children {
		id := uint64(c + 1)
		if n, _ := r.b.Counters(id); n.InPackets != workers*rounds*burst {
			t.Errorf("child %d: %d packets", id, n.InPackets)
		}
		sa := r.b.children[id].in
		for i, x := range r.b.sockets.receivers() {
			w := x.(*mmsgReceiver)
			if w.b.kind != SocketNATT || w.b.v6 || sa.cells[i].packets.Load() == 0 {
				continue
			}
			if want := int(sa.spi&spiIndexMask) % workers; w.worker() != want {
				t.Errorf("SPI %08x: packets at worker %d, want %d", sa.spi, w.worker(), want)
			}
			spread[w.worker()] = true
		}
		for q := range workers {
			if r.a.children[id].out.cells[q].packets.Load() != rounds*burst {
				t.Errorf("child %d: outbound loop %d has carried %d packets", id, q, r.a.children[id].out.cells[q].packets.Load())
			}
		}
	}
	if len(spread) != min(workers, children) {
		t.Errorf("packets came to workers %v", spread)
	}
}

// waitAny waits until one of the descriptors has something to read.
func waitAny(t *testing.T, fds []int) (fd, i int) {
	t.Helper()
	var p []unix.PollFd
	for _, fd := range fds {
		p = append(p, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	for {
		n, err := unix.Poll(p, int(testTimeout.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			t.Fatalf("nothing came out: %v", err)
		}
		for i := range p {
			if p[i].Revents != 0 {
				return int(p[i].Fd), i
			}
		}
	}
}

// TestNoAllocationsOfLinuxEnds pumps packets by hand through two engines that do not run: from a queue through the socket
// to the far engine's queue, system calls included.
func TestNoAllocationsOfLinuxEnds(t *testing.T) {
	for name, f := range map[string]Features{"all": {}, "no udp_gso": {NoUDPGSO: true}, "no udp_gro": {NoUDPGRO: true}} {
		t.Run(name, func(t *testing.T) {
			da, db := newQueueFake(t, 1, true), newQueueFake(t, 1, true)
			one := SocketConfig{NATT: &Listen{Addrs: []netip.Addr{netip.MustParseAddr(outerLoopback)}}}
			make1 := func(d *queueFake) *Engine {
				e, err := New(Config{Device: d, Handler: newRecorder(), Workers: 1, PathMTU: 1500, Sockets: one, Features: f})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { e.Close() })
				return e
			}
			a, b := make1(da), make1(db)
			connect(t, a, b, childA, policyA, pair(t, ts4Local, ts4Remote), gcm128(), natt(a, false), natt(b, false))
			big := tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(v4, fill(30000, 1))
			v := vnetFor(big, 1300)
			frames := [][]byte{da.frame(big, v), da.frame(udpPacket(v4, 1, 2, fill(100, 1)), tun.VNetHdr{})}
			packets := len(referenceSegments(big, v)) + 1
			reader, out, in := a.device.readers()[0], a.outLoops[0], b.inLoops[0]
			receiver := b.sockets.receivers()[0]
			cells := &b.children[childA].in.cells[0].packets
			pump := func() {
				for _, f := range frames {
					if err := writeFrame(da.far[0], f); err != nil {
						t.Fatal(err)
					}
				}
				batch, err := reader.read()
				if err != nil || len(batch) != len(frames) {
					t.Fatalf("%d super-packets: %v", len(batch), err)
				}
				out.begin()
				for i := range batch {
					out.packet(&batch[i], false)
				}
				out.sendBatch()
				for want := cells.Load() + uint64(packets); cells.Load() < want; {
					msgs, err := receiver.receive()
					if err != nil {
						t.Fatal(err)
					}
					in.begin()
					for i := range msgs {
						in.each(&msgs[i])
					}
					if err := in.end(); err != nil {
						t.Fatal(err)
					}
				}
				for {
					if _, err := unix.Read(db.far[0], db.buf); err == unix.EAGAIN {
						break
					} else if err != nil {
						t.Fatal(err)
					}
				}
			}
			pump() // InboundActive is recorded once
			if n := testing.AllocsPerRun(100, pump); n != 0 {
				t.Errorf("%v allocations for %d packets", n, packets)
			}
			if d := fmt.Sprint(dropsOf(a), dropsOf(b)); d != "map[] map[]" {
				t.Error("drops:", d)
			}
		})
	}
}
