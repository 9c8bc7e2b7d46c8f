package main_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"esplanade/dataplane"
	"esplanade/esp"
	"esplanade/ike/selector"
	"esplanade/tun"
	"esplanade/tun/tuntest"
)

// limit ends what hangs.
const limit = 30 * time.Second

// mtu is the inner one that Esplanade chooses for AES-GCM over UDP and a path of 1500.
const mtu = 1406

func aes128() esp.Suite { return esp.Suite{Encr: esp.EncrAESGCM16, KeyBits: 128} }
func aes256() esp.Suite { return esp.Suite{Encr: esp.EncrAESGCM16, KeyBits: 256} }
func chacha() esp.Suite { return esp.Suite{Encr: esp.EncrChaCha20Poly1305} }

// quietHandler takes no interest in what an engine reports: there is no IKE here.
type quietHandler struct{}

func (quietHandler) HandleIKE(_, _ netip.AddrPort, _ []byte)        {}
func (quietHandler) HandleUnreachable(_, _ netip.AddrPort, _ error) {}
func (quietHandler) Acquire(uint64, selector.Packet)                {}
func (quietHandler) InboundActive(uint64)                           {}
func (quietHandler) PeerMoved(uint64, netip.AddrPort)               {}
func (quietHandler) UnknownSPI(_, _ netip.AddrPort, _ uint32)       {}
func (quietHandler) Exhausting(uint64)                              {}
func loopback() netip.Addr                                          { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }
func natt(e *dataplane.Engine) netip.AddrPort                       { return e.LocalAddr(dataplane.SocketNATT, false) }
func listen() *dataplane.Listen                                     { return &dataplane.Listen{Addrs: []netip.Addr{loopback()}} }

// newEngine runs an engine over a device until the end of the benchmark.
func newEngine(tb testing.TB, d tun.Device) *dataplane.Engine {
	tb.Helper()
	e, err := dataplane.New(dataplane.Config{Device: d, Handler: quietHandler{}, Sockets: dataplane.SocketConfig{NATT: listen()}})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// install makes an SA from one engine to another. ts are from's selectors.
func install(tb testing.TB, from, to *dataplane.Engine, id uint64, s esp.Suite, ts selector.Pair) {
	tb.Helper()
	spi, err := to.AllocateSPI()
	if err != nil {
		tb.Fatal(err)
	}
	encrLen, integLen, err := s.KeyLen()
	if err != nil {
		tb.Fatal(err)
	}
	// Keys that differ from SA to SA, the same at both ends.
	sum := sha256.Sum256(binary.BigEndian.AppendUint32(nil, spi))
	material := append(append(sum[:], sum[:]...), sum[:]...)
	encr, integ := material[:encrLen], material[encrLen:encrLen+integLen]
	err = to.InstallInbound(id, id, esp.InboundConfig{SPI: spi, Suite: s, EncrKey: encr, IntegKey: integ}, ts.Swap(),
		esp.Path{Local: natt(to), Remote: natt(from), UDP: true})
	if err != nil {
		tb.Fatal(err)
	}
	err = from.InstallOutbound(id, id, id, esp.OutboundConfig{SPI: spi, Suite: s, EncrKey: encr, IntegKey: integ}, ts,
		esp.Path{Local: natt(from), Remote: natt(to), UDP: true})
	if err != nil {
		tb.Fatal(err)
	}
}

func selectors(tb testing.TB, local, remote string) selector.Pair {
	tb.Helper()
	one := func(s string) []selector.Selector {
		x, err := selector.Parse(s)
		if err != nil {
			tb.Fatal(err)
		}
		return []selector.Selector{x}
	}
	return selector.Pair{Local: one(local), Remote: one(remote)}
}

// stream is a TCP connection through two engines, between TCP/IP stacks in this process.
func stream(tb testing.TB, s esp.Suite) (write, read interface {
	Write([]byte) (int, error)
	Read([]byte) (int, error)
}) {
	tb.Helper()
	a, b := netip.MustParseAddr("10.10.0.1"), netip.MustParseAddr("10.20.0.1")
	da, na, err := tun.NewNetstack([]netip.Addr{a}, mtu)
	if err != nil {
		tb.Fatal(err)
	}
	db, nb, err := tun.NewNetstack([]netip.Addr{b}, mtu)
	if err != nil {
		tb.Fatal(err)
	}
	ea, eb := newEngine(tb, da), newEngine(tb, db)
	ts := selectors(tb, "10.10.0.0/24", "10.20.0.0/24")
	install(tb, ea, eb, 1, s, ts)
	install(tb, eb, ea, 1, s, ts.Swap())
	l, err := nb.ListenTCPAddrPort(netip.AddrPortFrom(b, 5001))
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	out, err := na.DialContextTCPAddrPort(ctx, netip.AddrPortFrom(b, 5001))
	if err != nil {
		tb.Fatal(err)
	}
	in, err := l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { out.Close(); in.Close() })
	return out, in
}

// chunk is what the application writes at a time.
const chunk = 128 << 10

// BenchmarkPairTCP is a TCP stream through two whole engines, the sockets of the loopback between them and a TCP/IP stack
// at both ends, all in this process: what the platform carries without a TUN device. An operation is 128 KiB.
func BenchmarkPairTCP(b *testing.B) {
	for _, s := range []esp.Suite{aes128(), aes256(), chacha()} {
		b.Run(s.String(), func(b *testing.B) {
			out, in := stream(b, s)
			b.SetBytes(chunk)
			b.ReportAllocs()
			b.ResetTimer()
			if err := transfer(out, in, b.N); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// transfer moves n chunks, and ends when all have arrived.
func transfer(out interface{ Write([]byte) (int, error) }, in interface{ Read([]byte) (int, error) }, n int) error {
	wrote := make(chan error, 1)
	go func() {
		buf := make([]byte, chunk)
		for range n {
			if _, err := out.Write(buf); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- nil
	}()
	buf := make([]byte, chunk)
	for rest := n * chunk; rest > 0; {
		k, err := in.Read(buf)
		if err != nil {
			return err
		}
		rest -= k
	}
	return <-wrote
}

// packets is a flow of UDP packets between two engines with memory for devices.
type packets struct {
	from, to *tuntest.Device
	list     [][]byte
}

// newPackets makes two engines with some SAs between them, each for a network of its own, and a packet for each.
func newPackets(tb testing.TB, sas, size int) *packets {
	tb.Helper()
	p := &packets{from: tuntest.NewChannel("from", mtu), to: tuntest.NewChannel("to", mtu)}
	ea, eb := newEngine(tb, p.from), newEngine(tb, p.to)
	for i := range sas {
		addr := netip.AddrFrom4([4]byte{10, 64, byte(i >> 8), byte(i)})
		install(tb, ea, eb, uint64(i+1), aes128(), selectors(tb, "10.10.0.0/24", addr.String()+"/32"))
		p.list = append(p.list, udpPacket(netip.AddrFrom4([4]byte{10, 10, 0, 1}), addr, size))
	}
	return p
}

// udpPacket is an IPv4 packet with a UDP datagram. It has no UDP checksum, which IPv4 allows.
func udpPacket(from, to netip.Addr, size int) []byte {
	const ip, udp = 20, 8
	b := make([]byte, size)
	b[0], b[8], b[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(b[2:], uint16(size))
	copy(b[12:], from.AsSlice())
	copy(b[16:], to.AsSlice())
	binary.BigEndian.PutUint16(b[ip:], 1000)
	binary.BigEndian.PutUint16(b[ip+2:], 2000)
	binary.BigEndian.PutUint16(b[ip+4:], uint16(size-ip))
	sum := uint32(0)
	for i := 0; i < ip; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(b[10:], ^uint16(sum))
	return b
}

// inFlight bounds the packets that were put in and did not come out, so that no queue overflows.
const inFlight = 256

// patience is after what time without a packet those in flight are lost.
const patience = 5 * time.Second

// carry moves n packets and tells how many were lost on the way.
func (p *packets) carry(ctx context.Context, n int) (lost int, err error) {
	waiting := 0
	for sent := 0; sent < n || waiting > 0; {
		if sent < n && waiting < inFlight {
			if err := p.from.Inject(ctx, p.list[sent%len(p.list)]); err != nil {
				return lost, err
			}
			sent++
			waiting++
			continue
		}
		if _, ok := p.to.TryNext(); !ok {
			short, cancel := context.WithTimeout(ctx, patience)
			_, err := p.to.Next(short)
			cancel()
			if ctx.Err() != nil {
				return lost, ctx.Err()
			}
			if err != nil {
				lost, waiting = lost+waiting, 0
				continue
			}
		}
		waiting--
	}
	return lost, nil
}

// BenchmarkPairPackets is one packet after the other through two whole engines and the sockets of the loopback, between
// memory and memory, with the traffic spread over some SAs. An operation is a packet.
func BenchmarkPairPackets(b *testing.B) {
	for _, sas := range []int{1, 100, 10000} {
		for _, size := range []int{64, 1400} {
			b.Run(fmt.Sprintf("sas=%d/size=%d", sas, size), func(b *testing.B) {
				p := newPackets(b, sas, size)
				runtime.GC() // installing is over
				b.SetBytes(int64(size))
				b.ReportAllocs()
				b.ResetTimer()
				lost, err := p.carry(b.Context(), b.N)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(lost), "lost")
			})
		}
	}
}

// What the benchmarks measure arrives.
func TestPair(t *testing.T) {
	out, in := stream(t, aes128())
	if err := transfer(out, in, 8); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	p := newPackets(t, 3, 100)
	if lost, err := p.carry(ctx, 300); err != nil || lost != 0 {
		t.Errorf("%d lost, %v", lost, err)
	}
}
