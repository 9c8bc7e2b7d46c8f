package dataplane

import (
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"esplanade/tun"
)

// These tests make the kernel refuse what some kernels refuse, and see that every packet gets through all the same.

// isRun says whether a header asks for segmentation.
func isRun(h *mmsghdr) bool {
	if h.hdr.Controllen == 0 {
		return false
	}
	oob := unsafe.Slice(h.hdr.Control, int(h.hdr.Controllen))
	for len(oob) >= unix.SizeofCmsghdr {
		c, _, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return false
		}
		if c.Level == unix.IPPROTO_UDP && c.Type == unix.UDP_SEGMENT {
			return true
		}
		oob = rest
	}
	return false
}

// refuseRuns makes an engine's kernel refuse runs of packets with an error; runs counts how often it was tried.
func refuseRuns(e *Engine, errno syscall.Errno, runs *atomic.Int32) {
	for _, l := range append(e.outLoops, e.courier.loop) {
		s := l.sender.(*mmsgSender)
		real := s.put
		s.put = func(fd uintptr) bool {
			// As sendmmsg does: what comes before the refused one is sent.
			for i := range s.next {
				if !isRun(&s.next[i]) {
					continue
				}
				if i == 0 {
					runs.Add(1)
					s.errno = errno
					return true
				}
				s.next = s.next[:i]
				break
			}
			return real(fd)
		}
	}
}

func wantPath(t *testing.T, e *Engine, text string, want bool) {
	t.Helper()
	if p := strings.Join(e.Paths(), "\n"); strings.Contains(p, text) != want {
		t.Errorf("%q in the description of the paths: want %v:\n%s", text, want, p)
	}
}

// TestRunsRefused: UDP_SEGMENT is given up at once after EIO, and after some time when packets go through that don't as
// a run.
func TestRunsRefused(t *testing.T) {
	for _, c := range []struct {
		errno syscall.Errno
		runs  int32 // that are tried before it is given up
	}{{unix.EIO, 1}, {unix.EINVAL, gsoStrikes}, {unix.EMSGSIZE, gsoStrikes}} {
		t.Run(c.errno.Error(), func(t *testing.T) {
			var tried atomic.Int32
			r := newLinuxEnds(t, linuxOptions{prepare: func(e *Engine) { refuseRuns(e, c.errno, &tried) }})
			r.connect(1, 1, ts4Local, ts4Remote)
			wantPath(t, r.a, "gso: UDP_SEGMENT", true)
			big := tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(v4, fill(20000, 1))
			v := vnetFor(big, 1300)
			want := referenceSegments(big, v)
			var wire, all [][]byte
			for range gsoStrikes + 4 {
				wire = append(wire, r.out([]superPacket{super(big, v)}, len(want))...)
				all = append(all, want...)
			}
			checkSealed(t, wire, all)
			if n := tried.Load(); n != c.runs {
				t.Errorf("%d runs were tried, want %d", n, c.runs)
			}
			wantPath(t, r.a, "gso: UDP_SEGMENT", false)
			wantPath(t, r.a, "gso is not used: the", true)
			if d := dropsOf(r.a); len(d) != 0 {
				t.Errorf("drops: %v", d)
			}
		})
	}
}

// TestRunsRefusedNowAndThen: as long as the kernel takes runs in between, UDP_SEGMENT is not given up.
func TestRunsRefusedNowAndThen(t *testing.T) {
	r := newLinuxEnds(t, linuxOptions{prepare: func(e *Engine) {
		s := e.outLoops[0].sender.(*mmsgSender)
		real, runs := s.put, 0
		s.put = func(fd uintptr) bool {
			if isRun(&s.next[0]) {
				if runs++; runs%4 != 0 {
					s.errno = unix.EINVAL
					return true
				}
			}
			return real(fd)
		}
	}})
	r.connect(1, 1, ts4Local, ts4Remote)
	big := tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(v4, fill(20000, 1))
	v := vnetFor(big, 1300)
	want := referenceSegments(big, v)
	for range 4 * gsoStrikes {
		checkSealed(t, r.out([]superPacket{super(big, v)}, len(want))[:1], want[:1])
	}
	wantPath(t, r.a, "gso: UDP_SEGMENT", true)
	if d := dropsOf(r.a); len(d) != 0 {
		t.Errorf("drops: %v", d)
	}
}

// TestSentinel: on kernels that corrupt runs of equal length, none is sent: short ones go one by one, and longer ones
// end with an octet that peers drop.
func TestSentinel(t *testing.T) {
	r := newLinuxEnds(t, linuxOptions{prepare: func(e *Engine) {
		for _, l := range append(e.outLoops, e.courier.loop) {
			l.tx.limit.sentinel = true
		}
	}})
	r.connect(1, 1, ts4Local, ts4Remote)
	for _, segments := range []int{2, sentinelMin - 1, sentinelMin, 40} {
		for _, rest := range []int{0, 7} {
			big := tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(v4, fill(segments*1000+rest, 1))
			v := vnetFor(big, 1000)
			want := referenceSegments(big, v)
			n := len(want)
			equal := rest == 0 && n >= sentinelMin
			if equal {
				n++
			}
			wire := r.out([]superPacket{super(big, v)}, n)
			if equal {
				if last := wire[n-1]; string(last) != "\xff" {
					t.Fatalf("%d segments end with % x", segments, last[:min(len(last), 20)])
				}
				wire = wire[:n-1]
			}
			checkSealed(t, wire, want)
			// And the peer takes it as what it is.
			msgs := []sent{{data: join(wire), seg: len(wire[0]), n: len(wire)}}
			if equal {
				msgs[0].data, msgs[0].n = append(msgs[0].data, 0xff), n
			}
			got := 0
			for _, w := range r.in(msgs, len(want)) {
				got += w.segments
			}
			if got != len(want) {
				t.Errorf("%d of %d packets came out", got, len(want))
			}
		}
	}
	if d := fmt.Sprint(dropsOf(r.a), dropsOf(r.b)); d != "map[] map[]" {
		t.Error("drops:", d)
	}
}

func join(ps [][]byte) (all []byte) {
	for _, p := range ps {
		all = append(all, p...)
	}
	return all
}

// TestSuperPacketsRefused: kernels with the defect of commit e269d79c7d35 refuse super-packets on the device. Their
// packets are written one by one, and after some tries none are made any more.
func TestSuperPacketsRefused(t *testing.T) {
	var tried atomic.Int32
	r := newLinuxEnds(t, linuxOptions{prepare: func(e *Engine) {
		for _, l := range e.inLoops {
			l.merge.device.(*queueWriter).sys = func(fd uintptr, frame []byte) syscall.Errno {
				var v tun.VNetHdr
				if v.Decode(frame) == nil && v.GSOType != tun.GSONone {
					tried.Add(1)
					return unix.EINVAL
				}
				return writeFD(fd, frame)
			}
		}
	}})
	r.connect(1, 1, ts4Local, ts4Remote)
	for i := range mergeStrikes + 3 {
		for _, p := range [][]byte{
			tcpSpec{sport: 1, dport: 2, seq: uint32(i), flags: tcpACK}.build(v4, fill(20000, 1)),
			udpPacket(v4, 3, 4, fill(9000, 1)),
			udpPacket(ipSpec{src: v4.src, dst: v4.dst}, 5, 6, fill(3000, 1)),
		} {
			v := vnetFor(p, 1300)
			want := referenceSegments(p, v)
			wire := r.out([]superPacket{super(p, v)}, len(want))
			out := r.in([]sent{{data: join(wire), seg: len(wire[0]), n: len(wire)}}, len(want))
			if len(out) != len(want) {
				t.Fatalf("%d frames, want %d", len(out), len(want))
			}
			for k, w := range out {
				_, got := flowOf(t, w.data)
				if _, exp := flowOf(t, want[k]); string(got) != string(exp) {
					t.Fatalf("packet %d: % x\n% x", k, w.data[:60], want[k][:60])
				}
			}
		}
	}
	if n := tried.Load(); n != mergeStrikes {
		t.Errorf("%d super-packets were tried, want %d", n, mergeStrikes)
	}
	if d := fmt.Sprint(dropsOf(r.a), dropsOf(r.b)); d != "map[] map[]" {
		t.Error("drops:", d)
	}
}

// TestSwitchesAreTold: each switch does what it says, and the description of the paths says so.
func TestSwitchesAreTold(t *testing.T) {
	for _, c := range []struct {
		f            Features
		text         string
		without, all bool // the text is there with the switch, and with none
	}{
		{Features{NoUDPGSO: true}, "gso: UDP_SEGMENT", false, true},
		{Features{NoUDPGSO: true}, "gso is not used: turned off", true, false},
		{Features{NoUDPGRO: true}, "gro: UDP_GRO", false, true},
		{Features{NoUDPGRO: true}, "gro is not used: turned off", true, false},
		{Features{NoTUNMerge: true}, "tun_gso_write is not used: turned off", true, false},
		{Features{NoTUNMerge: true}, "tun_gso_write: merges tcp and udp", false, true},
		{Features{NoReusePort: true}, "shared by 2 workers", false, true},
		{Features{NoRawIO: true}, "recvmmsg/sendmmsg", false, true},
		{Features{NoRawIO: true}, "batches of single datagrams", true, false},
	} {
		for _, f := range []struct {
			f    Features
			want bool
		}{{c.f, c.without}, {Features{}, c.all}} {
			e, err := New(Config{Device: newQueueFake(t, 2, true), Handler: newRecorder(), Workers: 2, Features: f.f,
				Sockets: SocketConfig{NATT: &Listen{}}})
			if err != nil {
				t.Fatal(err)
			}
			wantPath(t, e, c.text, f.want)
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
