package dataplane

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"esplanade/tun"
)

const (
	// tunSlots is how many packets one batch from a TUN queue has, and tunBatch after how many octets it is full: the
	// batch stays in the second-level cache, and a super-packet is sealed while it is still warm.
	tunSlots = 64
	tunBatch = 256 << 10

	// mergeStrikes is how many super-packets the kernel may refuse before none are written any more.
	mergeStrikes = 4
)

// queueDevice is the device end over the queues of a tun.QueueDevice, driven with read and write.
type queueDevice struct {
	dev     tun.QueueDevice
	memory  *memory
	noMerge bool // by configuration
	vnet    bool
	probe   sync.Mutex // held while start changes merge and what the device says of itself, and while describe reads them
	merge   mergeSet
	queues  []*deviceQueue
	rds     []deviceReader
	log     *slog.Logger
	// refused is set when the kernel has turned out to refuse super-packets.
	refused atomic.Bool
}

// deviceQueue is one queue: a duplicate of its descriptor, which the runtime's poller waits for and which can be closed
// while somebody waits.
type deviceQueue struct {
	file *os.File
	rc   syscall.RawConn
}

// newQueueDevice makes a device end if the device has raw queues.
func newQueueDevice(c Config, m *memory) (deviceEnd, bool, error) {
	q, ok := c.Device.(tun.QueueDevice)
	if !ok {
		return nil, false, nil
	}
	d := &queueDevice{dev: q, memory: m, noMerge: c.Features.NoTUNMerge, vnet: q.Features().VNetHdr, log: c.Logger}
	for i := range q.Queues() {
		fd, err := unix.FcntlInt(uintptr(q.FD(i)), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, false, errors.Join(os.NewSyscallError("fcntl", err), d.closeQueues())
		}
		f := os.NewFile(uintptr(fd), fmt.Sprintf("tun queue %d", i))
		rc, err := f.SyscallConn()
		if err != nil {
			return nil, false, errors.Join(err, f.Close(), d.closeQueues())
		}
		d.queues = append(d.queues, &deviceQueue{f, rc})
		d.rds = append(d.rds, newQueueReader(d, d.queues[i]))
	}
	d.start()
	return d, true, nil
}

// start finds out what writes may be. Some kernels only tell when the device is up.
func (d *queueDevice) start() {
	d.probe.Lock()
	defer d.probe.Unlock()
	d.merge = mergeSet{}
	if d.noMerge || !d.vnet {
		return
	}
	err := d.dev.ProbeGSOWrite()
	f := d.dev.Features()
	// When the probe can't tell, super-packets are tried: one that the kernel refuses is taken apart again.
	on := f.GSOWrite || errors.Is(err, tun.ErrProbeInconclusive)
	d.merge = mergeSet{tcp: on, udp: on && f.USO}
}

func (d *queueDevice) readers() []deviceReader { return d.rds }
func (d *queueDevice) merges() mergeSet        { return d.merge }
func (d *queueDevice) mtu() int                { return deviceMTU(d.dev) }
func (d *queueDevice) lost() uint64            { return deviceLost(d.dev) }

func (d *queueDevice) closeQueues() error {
	var errs []error
	for _, q := range d.queues {
		errs = append(errs, q.file.Close())
	}
	return errors.Join(errs...)
}

func (d *queueDevice) close() error { return errors.Join(d.closeQueues(), d.dev.Close()) }

// queueReader reads one queue without blocking, and waits only when it is empty.
type queueReader struct {
	rc    syscall.RawConn
	vnet  int // octets of virtio header
	slots [][]byte
	out   []superPacket
	errno syscall.Errno
	fill  func(fd uintptr) bool
}

func newQueueReader(d *queueDevice, q *deviceQueue) *queueReader {
	r := &queueReader{rc: q.rc, slots: d.memory.slots(tunSlots), out: make([]superPacket, 0, tunSlots)}
	if d.vnet {
		r.vnet = tun.VNetHdrLen
	}
	r.fill = r.fillBatch
	return r
}

func (r *queueReader) read() ([]superPacket, error) {
	for {
		r.out, r.errno = r.out[:0], 0
		if err := r.rc.Read(r.fill); err != nil {
			return nil, errEndClosed // the poller's only error is that the file is closed
		}
		if len(r.out) > 0 {
			return r.out, nil
		}
		if r.errno != 0 {
			return nil, os.NewSyscallError("read", r.errno)
		}
	}
}

// fillBatch reads what is there. It reports false if that is nothing.
func (r *queueReader) fillBatch(fd uintptr) bool {
	total := 0
	for len(r.out) < len(r.slots) && total < tunBatch {
		slot := r.slots[len(r.out)]
		at := headroom - r.vnet
		n, _, e := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&slot[at])), uintptr(r.vnet+maxPacket))
		switch e {
		case 0:
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return len(r.out) > 0
		default:
			r.errno = e
			return true
		}
		if int(n) <= r.vnet {
			continue
		}
		s := superPacket{buf: slot, start: headroom, end: at + int(n), segments: 1}
		if r.vnet > 0 {
			_ = s.vnet.Decode(slot[at:]) // it is there whole
		}
		total += int(n)
		r.out = append(r.out, s)
	}
	return true
}

// writer makes a writer for queue q.
func (d *queueDevice) writer(q int) deviceWriter {
	w := &queueWriter{d: d, rc: d.queues[q%len(d.queues)].rc, sys: writeFD}
	if d.vnet {
		w.vnet = tun.VNetHdrLen
	}
	w.put = w.putAll
	return w
}

// queueWriter writes to one queue.
type queueWriter struct {
	d    *queueDevice
	rc   syscall.RawConn
	vnet int

	items   []superPacket
	refused int
	errno   syscall.Errno // final
	put     func(fd uintptr) bool
	sys     func(fd uintptr, frame []byte) syscall.Errno // writeFD, but in tests of what kernels may refuse

	strikes int // super-packets that the kernel refused, in a row
	header  innerHeader
	segs    segmenter
}

func (w *queueWriter) write(s []superPacket) (refused int, err error) {
	w.items, w.refused, w.errno = s, 0, 0
	if err := w.rc.Write(w.put); err != nil {
		return len(s), errEndClosed
	}
	w.items = nil
	if w.errno != 0 {
		return w.refused, os.NewSyscallError("write", w.errno)
	}
	return w.refused, nil
}

// putAll writes all items. The device does not make writers wait: what it can't take is lost, like at a network card.
func (w *queueWriter) putAll(fd uintptr) bool {
	for i := range w.items {
		s := &w.items[i]
		switch e := w.putOne(fd, s, s.start, s.end); {
		case e == 0:
			if s.segments > 1 {
				w.strikes = 0
			}
		case e == unix.EINVAL && s.segments > 1:
			// A kernel that does not take this super-packet takes its packets.
			if w.strikes++; w.strikes == mergeStrikes {
				w.d.refuse()
			}
			w.apart(fd, s)
		case e == unix.EBADFD:
			w.refused += s.segments
			w.errno = e // the device is gone
			return true
		default:
			w.refused += s.segments
		}
	}
	return true
}

// putOne writes one super-packet, or a plain packet that lies in its buffer.
func (w *queueWriter) putOne(fd uintptr, s *superPacket, start, end int) syscall.Errno {
	at := start - w.vnet
	if w.vnet > 0 {
		_ = s.vnet.Encode(s.buf[at:]) // there is headroom
	}
	return w.sys(fd, s.buf[at:end])
}

// writeFD writes one frame.
func writeFD(fd uintptr, frame []byte) syscall.Errno {
	for {
		_, _, e := unix.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(&frame[0])), uintptr(len(frame)))
		if e != unix.EINTR {
			return e
		}
	}
}

// apart writes the packets of a super-packet one by one.
func (w *queueWriter) apart(fd uintptr, s *superPacket) {
	if !w.header.parse(s.bytes()) || !w.segs.begin(s, &w.header) {
		w.refused += s.segments
		return
	}
	s.vnet = tun.VNetHdr{}
	for p, ok := w.segs.next(); ok; p, ok = w.segs.next() {
		// The virtio header goes over the end of the segment before, which is written already, or into the headroom.
		start := len(s.buf) - cap(p)
		if w.putOne(fd, s, start, start+len(p)) != 0 {
			w.refused++
		}
	}
}

// merging reports whether this writer still takes super-packets.
func (w *queueWriter) merging() bool { return w.strikes < mergeStrikes }
