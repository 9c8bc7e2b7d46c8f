package tun

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"

	"golang.zx2c4.com/wireguard/tun/netstack"
)

const (
	// netstackQueue is how many packets wait for Read. The stack is not made to wait when there are more: it may be sending
	// from within our Write, in the very goroutine that would have to Read. Like a network card, the queue drops.
	netstackQueue = 4096

	netstackBatch = 128
)

// netstackDevice puts a bounded queue and batch reads in front of wireguard's netstack, whose own hand-over of a packet
// blocks the stack until it is read and whose Close must not run while it does. One goroutine, pump, moves
// packets from the stack to the queue; it ends when the stack is closed.
type netstackDevice struct {
	Device // of wireguard/tun/netstack

	queue   chan []byte
	closing chan struct{}
	pumped  chan struct{} // closed when pump has ended
	once    sync.Once
	err     error // of Close
	free    sync.Pool
	dropped atomic.Uint64
}

// NewNetstack gives a device that needs neither privileges nor /dev/net/tun: behind it is a TCP/IP stack in this
// process with the given addresses, and the Net dials and listens through it. Everything it sends comes out of Read. Close
// connections of the Net before the device.
func NewNetstack(addrs []netip.Addr, mtu int) (Device, *netstack.Net, error) {
	const op, name = "create", "netstack"
	bad := func(detail, fix string) error {
		return &DeviceError{Op: op, Name: name, Reason: ErrBadRequest, Detail: detail, Fix: fix}
	}
	if mtu < MinMTU || mtu > MaxMTU {
		return nil, nil, bad(fmt.Sprintf("mtu %d", mtu), fmt.Sprintf("set mtu to %d..%d", MinMTU, MaxMTU))
	}
	plain := make([]netip.Addr, len(addrs))
	for i, a := range addrs {
		p, err := plainAddr(a)
		if err != nil {
			return nil, nil, bad("address "+a.String(), "give it addresses such as 10.1.0.1 or 2001:db8::1")
		}
		plain[i] = p
	}
	inner, net, err := netstack.CreateNetTUN(plain, nil, mtu)
	if err != nil {
		return nil, nil, &DeviceError{Op: op, Name: name, Reason: ErrSystem, Fix: "look at the error", Err: err}
	}
	d := &netstackDevice{
		Device:  inner,
		queue:   make(chan []byte, netstackQueue),
		closing: make(chan struct{}),
		pumped:  make(chan struct{}),
	}
	d.free.New = func() any { b := make([]byte, mtu); return &b }
	go d.pump()
	return d, net, nil
}

// pump also runs while the stack is being closed, so that a goroutine of the stack that is handing over a packet is let go.
func (d *netstackDevice) pump() {
	defer close(d.pumped)
	bufs, sizes := make([][]byte, 1), make([]int, 1)
	for {
		b := *d.free.Get().(*[]byte)
		bufs[0] = b[:cap(b)]
		if _, err := d.Device.Read(bufs, sizes, 0); err != nil {
			return
		}
		b = b[:sizes[0]]
		select {
		case d.queue <- b:
		default:
			d.dropped.Add(1)
			d.free.Put(&b)
		}
	}
}

// Read waits for one packet and takes the others that wait with it.
func (d *netstackDevice) Read(bufs [][]byte, sizes []int, offset int) (int, error) {
	if len(bufs) == 0 {
		return 0, nil
	}
	select {
	case <-d.closing:
		return 0, os.ErrClosed
	default:
	}
	n := 0
	select {
	case <-d.closing:
		return 0, os.ErrClosed
	case b := <-d.queue:
		if err := d.take(b, bufs[0], &sizes[0], offset); err != nil {
			return 0, err
		}
		n = 1
	}
	for n < len(bufs) && n < len(sizes) {
		select {
		case b := <-d.queue:
			if err := d.take(b, bufs[n], &sizes[n], offset); err != nil {
				return n, err
			}
			n++
		default:
			return n, nil
		}
	}
	return n, nil
}

func (d *netstackDevice) take(b, buf []byte, size *int, offset int) error {
	defer d.free.Put(&b)
	if offset < 0 || offset > len(buf) || len(buf)-offset < len(b) {
		return errShortBuffer
	}
	*size = copy(buf[offset:], b)
	return nil
}

var errShortBuffer = errors.New("buffer too small for the packet")

func (d *netstackDevice) Write(bufs [][]byte, offset int) (int, error) {
	select {
	case <-d.closing:
		return 0, os.ErrClosed
	default:
		return d.Device.Write(bufs, offset)
	}
}

func (d *netstackDevice) Name() (string, error) { return "netstack", nil }

func (d *netstackDevice) BatchSize() int { return netstackBatch }

// Dropped counts packets the stack has sent while the queue was full.
func (d *netstackDevice) Dropped() uint64 { return d.dropped.Load() }

func (d *netstackDevice) Close() error {
	d.once.Do(func() {
		close(d.closing)
		d.err = d.Device.Close()
		<-d.pumped
	})
	return d.err
}
