// Package tuntest is a TUN device in memory. A test plays the network stack of the host behind it: [Device.Inject] is
// what the host sends into the tunnel, [Device.Next] what comes out of it.
//
// Its queues are bounded. Inject waits for room, as an application does; Write drops and counts, as a network card does.
package tuntest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	wgtun "golang.zx2c4.com/wireguard/tun"
)

const (
	// Queue is how many packets wait in each direction.
	Queue = 1024

	// Batch is the BatchSize.
	Batch = 128
)

// Device is a tun.Device in memory. It is safe for concurrent use. The zero value is not usable.
type Device struct {
	name string
	mtu  int

	in      chan []byte // from the host, to Read
	out     chan []byte // from Write, to the host; of a pair: the other's in
	dropped atomic.Uint64

	events chan wgtun.Event
	once   sync.Once
	closed chan struct{}
}

var _ wgtun.Device = (*Device)(nil)

// NewChannel makes a device that is up.
func NewChannel(name string, mtu int) *Device {
	d := &Device{
		name: name, mtu: mtu, in: make(chan []byte, Queue), out: make(chan []byte, Queue),
		events: make(chan wgtun.Event, 1), closed: make(chan struct{}),
	}
	d.events <- wgtun.EventUp
	return d
}

// Inject makes Read return a copy of packet. It waits while the queue is full. A packet that is empty or larger than
// the MTU is an error: no host sends such.
func (d *Device) Inject(ctx context.Context, packet []byte) error {
	if len(packet) == 0 || len(packet) > d.mtu {
		return fmt.Errorf("tuntest: inject a packet of %d octets, mtu %d", len(packet), d.mtu)
	}
	if d.isClosed() {
		return os.ErrClosed
	}
	select {
	case d.in <- slices.Clone(packet):
		return nil
	case <-d.closed:
		return os.ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("tuntest: nobody reads %s: %w", d.name, ctx.Err())
	}
}

// Next waits for a packet that was written. Those written before Close can still be fetched after it.
func (d *Device) Next(ctx context.Context) ([]byte, error) {
	if p, ok := d.TryNext(); ok {
		return p, nil
	}
	select {
	case p := <-d.out:
		return p, nil
	case <-d.closed:
		if p, ok := d.TryNext(); ok {
			return p, nil
		}
		return nil, os.ErrClosed
	case <-ctx.Done():
		return nil, fmt.Errorf("tuntest: nothing comes out of %s: %w", d.name, ctx.Err())
	}
}

// TryNext gives a packet that was written, if there is one.
func (d *Device) TryNext() ([]byte, bool) {
	select {
	case p := <-d.out:
		return p, true
	default:
		return nil, false
	}
}

// Dropped counts packets written while nobody fetched them.
func (d *Device) Dropped() uint64 { return d.dropped.Load() }

func (d *Device) isClosed() bool {
	select {
	case <-d.closed:
		return true
	default:
		return false
	}
}

// Read waits for a packet and takes those that wait with it, up to len(bufs).
func (d *Device) Read(bufs [][]byte, sizes []int, offset int) (int, error) {
	if len(bufs) == 0 || len(sizes) < len(bufs) {
		return 0, errors.New("tuntest: read without buffers, or with more buffers than sizes")
	}
	if d.isClosed() {
		return 0, os.ErrClosed
	}
	var p []byte
	select {
	case p = <-d.in:
	case <-d.closed:
		return 0, os.ErrClosed
	}
	for n := 0; ; {
		if offset < 0 || offset > len(bufs[n]) || len(bufs[n])-offset < len(p) {
			return n, fmt.Errorf("tuntest: packet of %d octets: %w", len(p), io.ErrShortBuffer)
		}
		sizes[n] = copy(bufs[n][offset:], p)
		n++
		if n == len(bufs) {
			return n, nil
		}
		select {
		case p = <-d.in:
		default:
			return n, nil
		}
	}
}

// Write copies the packets. Like a Linux device it takes packets larger than the MTU; it refuses what is not IP.
func (d *Device) Write(bufs [][]byte, offset int) (int, error) {
	for i, b := range bufs {
		if d.isClosed() {
			return i, os.ErrClosed
		}
		if offset < 0 || len(b) <= offset {
			return i, fmt.Errorf("tuntest: write %d octets at offset %d: %w", len(b), offset, io.ErrShortBuffer)
		}
		if v := b[offset] >> 4; v != 4 && v != 6 {
			return i, fmt.Errorf("tuntest: write a packet of IP version %d", v)
		}
		select {
		case d.out <- slices.Clone(b[offset:]):
		default:
			d.dropped.Add(1)
		}
	}
	return len(bufs), nil
}

// Close ends Read, Inject and Next; a second one does nothing.
func (d *Device) Close() error {
	d.once.Do(func() {
		close(d.closed)
		close(d.events)
	})
	return nil
}

// File is nil: there is none.
func (d *Device) File() *os.File { return nil }

// MTU is that of the constructor.
func (d *Device) MTU() (int, error) { return d.mtu, nil }

// Name is that of the constructor.
func (d *Device) Name() (string, error) { return d.name, nil }

// Events has one EventUp.
func (d *Device) Events() <-chan wgtun.Event { return d.events }

// BatchSize is Batch.
func (d *Device) BatchSize() int { return Batch }
