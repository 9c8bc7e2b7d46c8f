package dataplane

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"esplanade/tun"
)

// queueFake is a tun.QueueDevice whose queues are pairs of sockets, which keep the bounds of packets like a TUN device:
// the raw device end runs on it without privileges. The test holds the far end of each queue, where the kernel is.
type queueFake struct {
	t     testing.TB
	vnet  bool
	feat  tun.Features
	near  []int // the engine's
	far   []int // the test's
	buf   []byte
	close sync.Once
}

// queueBuffer is how many octets a queue holds; without privileges the system's limit may be lower.
const queueBuffer = 8 << 20

func newQueueFake(t testing.TB, queues int, vnet bool) *queueFake {
	t.Helper()
	q := &queueFake{t: t, vnet: vnet, buf: make([]byte, 1<<17), feat: tun.Features{Queues: queues, VNetHdr: vnet, Csum: true,
		TSO: true, TSOECN: true, USO: true, GSOWrite: true}}
	for range queues {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range fds {
			if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, queueBuffer) != nil {
				_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, queueBuffer) // as far as it goes
			}
		}
		q.near, q.far = append(q.near, fds[0]), append(q.far, fds[1])
	}
	t.Cleanup(func() {
		for _, fd := range q.far {
			_ = unix.Close(fd)
		}
	})
	return q
}

func (q *queueFake) Queues() int      { return len(q.near) }
func (q *queueFake) FD(queue int) int { return q.near[queue] }
func (q *queueFake) Features() tun.Features {
	if !q.vnet {
		return tun.Features{Queues: len(q.near)}
	}
	return q.feat
}
func (q *queueFake) ProbeGSOWrite() error                   { return nil }
func (q *queueFake) Read([][]byte, []int, int) (int, error) { panic("BUG: the queues are not used") }
func (q *queueFake) Write([][]byte, int) (int, error)       { panic("BUG: the queues are not used") }
func (q *queueFake) BatchSize() int                         { return 1 }
func (q *queueFake) File() *os.File                         { return nil }
func (q *queueFake) MTU() (int, error)                      { return 1406, nil }
func (q *queueFake) Name() (string, error)                  { return "fake", nil }
func (q *queueFake) Events() <-chan tun.Event               { return nil }
func (q *queueFake) Close() error {
	q.close.Do(func() {
		for _, fd := range q.near {
			_ = unix.Close(fd)
		}
	})
	return nil
}

// frame is what the kernel and the device exchange for a super-packet.
func (q *queueFake) frame(b []byte, v tun.VNetHdr) []byte {
	if !q.vnet {
		return b
	}
	f := make([]byte, tun.VNetHdrLen, tun.VNetHdrLen+len(b))
	if err := v.Encode(f); err != nil {
		q.t.Error(err)
	}
	return append(f, b...)
}

// inject makes the engine read a super-packet.
func (q *queueFake) inject(queue int, s superPacket) {
	q.t.Helper()
	if err := writeFrame(q.far[queue], q.frame(s.bytes(), s.vnet)); err != nil {
		q.t.Fatal(err)
	}
}

// writeFrame waits for room in the queue.
func writeFrame(fd int, f []byte) error {
	for {
		_, err := unix.Write(fd, f)
		switch err {
		case unix.EAGAIN:
			if err := waitFD(fd, unix.POLLOUT); err != nil {
				return err
			}
		case unix.EINTR:
		default:
			return err
		}
	}
}

func waitFD(fd int, events int16) error {
	p := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		n, err := unix.Poll(p, int(testTimeout/time.Millisecond))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n == 0:
			return os.ErrDeadlineExceeded
		default:
			return nil
		}
	}
}

// take waits for what the engine writes to a queue.
func (q *queueFake) take(queue int) written {
	q.t.Helper()
	w, ok, err := q.tryTake(queue, true)
	if err != nil || !ok {
		q.t.Fatalf("nothing was written: %v", err)
	}
	return w
}

func (q *queueFake) tryTake(queue int, wait bool) (written, bool, error) {
	for {
		n, err := unix.Read(q.far[queue], q.buf)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN && !wait:
			return written{}, false, nil
		case err == unix.EAGAIN:
			if err := waitFD(q.far[queue], unix.POLLIN); err != nil {
				return written{}, false, err
			}
		case err != nil:
			return written{}, false, err
		case n == 0:
			return written{}, false, syscall.EPIPE
		default:
			w := written{data: append([]byte(nil), q.buf[:n]...), segments: 1}
			if q.vnet {
				if err := w.vnet.Decode(w.data); err != nil {
					return written{}, false, err
				}
				w.data = w.data[tun.VNetHdrLen:]
			}
			if w.vnet.GSOType != tun.GSONone {
				headers, err := w.vnet.Check(w.data)
				if err != nil {
					return written{}, false, fmt.Errorf("the kernel would refuse this: %w", err)
				}
				w.segments = (len(w.data) - headers + int(w.vnet.GSOSize) - 1) / int(w.vnet.GSOSize)
			}
			return w, true, nil
		}
	}
}
