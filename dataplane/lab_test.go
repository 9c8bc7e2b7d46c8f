package dataplane

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"esplanade/esp"
	"esplanade/ike/selector"
	"esplanade/tun"
)

// lab is an engine whose loops are driven by hand, one step at a time and in the test's goroutine: packets are given to
// it as a device would, and what it would have sent is gathered, and the other way round.
type lab struct {
	t       testing.TB
	e       *Engine
	dev     *memDevice
	sockets *memSockets
	rec     *recorder
}

var (
	labA = netip.MustParseAddrPort("192.0.2.1:4500")
	labB = netip.MustParseAddrPort("192.0.2.2:4500")
)

// labOptions are what a lab may have differently.
type labOptions struct {
	config Config
	merges mergeSet
	gso    gsoLimits
	mtu    int // of the device
	loops  int // inbound loops; 0: one
}

var (
	plainEnds = labOptions{gso: gsoLimits{segments: 1}}
	fastEnds  = labOptions{merges: mergeSet{tcp: true, udp: true}, gso: gsoLimits{segments: 64}}
)

func newLab(t testing.TB, o labOptions) *lab {
	t.Helper()
	l := &lab{t: t, rec: newRecorder()}
	o.config.Handler = l.rec
	o.config.Sockets.NATT = &Listen{}
	o.config.Device = noDevice{}
	c, err := o.config.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if o.mtu == 0 {
		o.mtu = 1406
	}
	l.dev = &memDevice{merge: o.merges, size: o.mtu}
	l.sockets = &memSockets{limits: o.gso, mtu: 1500, loops: max(1, o.loops)}
	l.e = newEngine(c)
	l.e.init(l.dev, l.sockets)
	t.Cleanup(func() { l.e.shutdown(); l.e.memory.free() })
	return l
}

// labPair makes two labs with a child between them in both directions.
func labPair(t testing.TB, o labOptions, ts selector.Pair, s esp.Suite) (a, b *lab) {
	t.Helper()
	a, b = newLab(t, o), newLab(t, o)
	connect(t, a.e, b.e, childA, policyA, ts, s, labA, labB)
	return a, b
}

// sent is a message that a lab would have sent.
type sent struct {
	data   []byte
	seg, n int
	tos    uint8
	to     netip.AddrPort
}

// packets takes the message apart.
func (s sent) packets() [][]byte {
	var out [][]byte
	for rest := s.data; len(rest) > 0; {
		n := min(s.seg, len(rest))
		out, rest = append(out, rest[:n]), rest[n:]
	}
	return out
}

// written is a super-packet that a lab would have written to its device.
type written struct {
	vnet     tun.VNetHdr
	data     []byte
	segments int
}

// super puts a packet into a buffer as a device end does.
func super(b []byte, v tun.VNetHdr) superPacket {
	buf := make([]byte, packetSlot)
	for i := range buf {
		buf[i] = 0xa5 // what lies around a packet has no meaning
	}
	copy(buf[headroom:], b)
	return superPacket{buf: buf, start: headroom, end: headroom + len(b), vnet: v, segments: 1}
}

// out gives packets to the outbound loop as one batch and returns what is sent.
func (l *lab) out(packets ...[]byte) []sent {
	var s []superPacket
	for _, p := range packets {
		s = append(s, super(p, tun.VNetHdr{}))
	}
	return l.outSuper(s...)
}

func (l *lab) outSuper(s ...superPacket) []sent {
	l.settle()
	w := l.e.outLoops[0]
	l.sockets.sent = nil
	w.begin()
	for i := range s {
		w.packet(&s[i], false)
	}
	w.sendBatch()
	return l.sockets.take()
}

// in gives messages to the inbound loop as one batch and returns what is written.
func (l *lab) in(from netip.AddrPort, msgs ...sent) []written {
	l.t.Helper()
	w := l.e.inLoops[0]
	l.dev.written = nil
	w.begin()
	for _, m := range msgs {
		buf := make([]byte, packetSlot)
		copy(buf[headroom:], m.data)
		d := datagrams{buf: buf, start: headroom, end: headroom + len(m.data), local: labB, remote: from, tos: m.tos, kind: SocketNATT}
		if m.n > 1 {
			d.seg = m.seg
		}
		w.each(&d)
	}
	if err := w.end(); err != nil {
		l.t.Fatal(err)
	}
	return l.dev.written
}

// settle has the courier do what it was told.
func (l *lab) settle() { l.e.courier.work(l.e.done) }

// taken is what was sent since it was last asked for, with what the courier sends.
func (l *lab) taken() []sent {
	l.settle()
	return l.sockets.take()
}

// wantDrops compares the drops of a lab, as printed by fmt.
func (l *lab) wantDrops(want string) {
	l.t.Helper()
	l.settle()
	if got := fmt.Sprint(dropsOf(l.e))[len("map"):]; got != want {
		l.t.Errorf("drops: %s, want %s", got, want)
	}
}

// memDevice gathers what is written.
type memDevice struct {
	merge   mergeSet
	size    int
	written []written
	discard bool // instead of keeping what is written
	refuse  func(s *superPacket) bool
}

func (m *memDevice) readers() []deviceReader { return []deviceReader{closedReader{}} }
func (m *memDevice) writer(int) deviceWriter { return m }
func (m *memDevice) merges() mergeSet        { return m.merge }
func (m *memDevice) start()                  {}
func (m *memDevice) merging() bool           { return m.merge.tcp || m.merge.udp }
func (m *memDevice) lost() uint64            { return 0 }
func (m *memDevice) mtu() int                { return m.size }
func (m *memDevice) describe() []Feature     { return nil }
func (m *memDevice) close() error            { return nil }

func (m *memDevice) write(s []superPacket) (refused int, err error) {
	for i := range s {
		if m.refuse != nil && m.refuse(&s[i]) {
			refused += s[i].segments
			continue
		}
		if m.discard {
			continue
		}
		m.written = append(m.written, written{s[i].vnet, slices.Clone(s[i].bytes()), s[i].segments})
	}
	return refused, nil
}

type closedReader struct{}

func (closedReader) read() ([]superPacket, error) { return nil, errEndClosed }

// memSockets gathers what is sent.
type memSockets struct {
	limits  gsoLimits
	loops   int
	mtu     int
	sent    []sent
	discard bool
	fail    error
}

func (m *memSockets) receivers() []receiver {
	return slices.Repeat([]receiver{closedReceiver{}}, m.loops)
}
func (m *memSockets) sender(int) sender                { return m }
func (m *memSockets) pathMTU(*route) int               { return m.mtu }
func (m *memSockets) lost() uint64                     { return 0 }
func (m *memSockets) bound() []Socket                  { return nil }
func (m *memSockets) gso() gsoLimits                   { return m.limits }
func (m *memSockets) describe() []Feature              { return nil }
func (m *memSockets) close() error                     { return nil }
func (m *memSockets) route(p esp.Path) (*route, error) { return &route{path: p}, nil }
func (m *memSockets) sendIKE(_, _ netip.AddrPort, _ []byte) error {
	return errors.ErrUnsupported
}

func (m *memSockets) send(b *txBatch) {
	for i := range b.msgs {
		x := &b.msgs[i]
		if m.fail != nil {
			b.fail(x, x.n, m.fail)
			continue
		}
		if m.discard {
			continue
		}
		m.sent = append(m.sent, sent{slices.Clone(b.bytes(x)), x.seg, x.n, x.tos, x.route.path.Remote})
	}
}

func (m *memSockets) take() []sent {
	s := m.sent
	m.sent = nil
	return s
}

type closedReceiver struct{}

func (closedReceiver) receive() ([]datagrams, error) { return nil, errEndClosed }
func (closedReceiver) worker() int                   { return 0 }

// noDevice satisfies a Config whose device end is given.
type noDevice struct{ tun.Device }
