package dataplane

import (
	"errors"
	"fmt"
	"os"

	"esplanade/tun"
	wgtun "golang.zx2c4.com/wireguard/tun"
)

// portableDevice is the device end over a tun.Device's Read and Write: any OS, netstack, devices in memory.
type portableDevice struct {
	dev    tun.Device
	reader *portableReader
}

func newPortableDevice(d tun.Device, m *memory) *portableDevice {
	n := max(1, d.BatchSize())
	r := &portableReader{slots: m.slots(n), sizes: make([]int, n), headers: make([]tun.VNetHdr, n), out: make([]superPacket, 0, n)}
	r.next = func() (int, error) { return d.Read(r.bufs, r.sizes, headroom) }
	if s, ok := d.(tun.SuperDevice); ok {
		s.UseSuperPackets()
		r.next = func() (int, error) { return s.ReadSuper(r.bufs, r.sizes, r.headers, headroom) }
	}
	for _, s := range r.slots {
		r.bufs = append(r.bufs, s[:headroom+maxPacket])
	}
	return &portableDevice{dev: d, reader: r}
}

func (p *portableDevice) readers() []deviceReader { return []deviceReader{p.reader} }

func (p *portableDevice) writer(int) deviceWriter {
	return &portableWriter{dev: p.dev, bufs: make([][]byte, 0, coalesceItems)}
}

func (p *portableDevice) merges() mergeSet { return mergeSet{} }

func (p *portableDevice) start() {}

func (p *portableDevice) mtu() int { return deviceMTU(p.dev) }

func (p *portableDevice) lost() uint64 { return deviceLost(p.dev) }

func (p *portableDevice) describe() []Feature {
	name, err := p.dev.Name()
	if err != nil {
		name = "?"
	}
	how := fmt.Sprintf("read/write in batches of %d", len(p.reader.bufs))
	if _, ok := p.dev.(tun.SuperDevice); ok {
		how += ", super-packets of TCP are read"
	}
	return []Feature{on("device "+name, how)}
}

func (p *portableDevice) close() error { return p.dev.Close() }

// portableReader reads packets one buffer each, and super-packets of devices that have them.
type portableReader struct {
	next    func() (int, error) // fills bufs, sizes and headers
	slots   [][]byte
	bufs    [][]byte
	sizes   []int
	headers []tun.VNetHdr // zero, unless the device has super-packets
	out     []superPacket
}

func (r *portableReader) read() ([]superPacket, error) {
	for {
		n, err := r.next()
		r.out = r.out[:0]
		for i := range n {
			if r.sizes[i] > 0 {
				r.out = append(r.out, superPacket{buf: r.slots[i], start: headroom, end: headroom + r.sizes[i], vnet: r.headers[i], segments: 1})
			}
		}
		switch {
		case len(r.out) > 0:
			return r.out, nil // an error that is final comes again
		case errors.Is(err, wgtun.ErrTooManySegments):
			// A super-packet had more segments than a batch has buffers: the rest of it is lost, the device goes on.
		case err != nil:
			return nil, err
		}
	}
}

// portableWriter writes plain packets.
type portableWriter struct {
	dev  tun.Device
	bufs [][]byte
}

func (w *portableWriter) merging() bool { return false }

func (w *portableWriter) write(s []superPacket) (refused int, err error) {
	w.bufs = w.bufs[:0]
	for i := range s {
		// A device may use the capacity behind a packet to merge others into it, unless other packets are there.
		end := len(s[i].buf)
		if i+1 < len(s) && &s[i].buf[0] == &s[i+1].buf[0] || i > 0 && &s[i].buf[0] == &s[i-1].buf[0] {
			end = s[i].end
		}
		w.bufs = append(w.bufs, s[i].buf[s[i].start-tun.Headroom:s[i].end:end])
	}
	rest := w.bufs
	for len(rest) > 0 {
		n, err := w.dev.Write(rest, tun.Headroom)
		if err == nil {
			return refused, nil
		}
		if errors.Is(err, os.ErrClosed) {
			return refused + len(rest), err
		}
		// wireguard/tun on Linux tries every packet and joins the errors; elsewhere it stops at the first.
		var joined interface{ Unwrap() []error }
		if errors.As(err, &joined) {
			return refused + len(joined.Unwrap()), nil
		}
		refused++
		rest = rest[min(max(n, 0)+1, len(rest)):]
	}
	return refused, nil
}
