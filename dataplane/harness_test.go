package dataplane

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"esplanade/esp"
	"esplanade/ike/selector"
	"esplanade/tun"
)

// Algorithm numbers of IANA's IKEv2 registry.
const (
	encrAESGCM16  = 20
	encrChaCha    = 28
	encrAESCBC    = 12
	encrNull      = 11
	integSHA256   = 12
	testTimeout   = 20 * time.Second
	policyA       = 7
	childA        = 70
	outerLoopback = "127.0.0.1"
)

// recorder is a Handler that writes down what it is told.
type recorder struct {
	mu          sync.Mutex
	ike         []ikeMessage
	unreachable []error
	acquires    []selector.Packet
	policies    []uint64
	active      []uint64
	moved       []movedPeer
	exhausting  []uint64
	unknown     []unknownSPI
	changed     chan struct{}
}

type ikeMessage struct {
	local, remote netip.AddrPort
	data          string
}

type unknownSPI struct {
	from netip.AddrPort
	spi  uint32
}

type movedPeer struct {
	child uint64
	from  netip.AddrPort
}

func newRecorder() *recorder { return &recorder{changed: make(chan struct{}, 1)} }

func (r *recorder) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

func (r *recorder) HandleIKE(local, remote netip.AddrPort, d []byte) {
	r.note(func() { r.ike = append(r.ike, ikeMessage{local, remote, string(d)}) })
}
func (r *recorder) HandleUnreachable(_, _ netip.AddrPort, err error) {
	r.note(func() { r.unreachable = append(r.unreachable, err) })
}
func (r *recorder) Acquire(policy uint64, p selector.Packet) {
	r.note(func() { r.policies, r.acquires = append(r.policies, policy), append(r.acquires, p) })
}
func (r *recorder) InboundActive(child uint64) {
	r.note(func() { r.active = append(r.active, child) })
}
func (r *recorder) PeerMoved(child uint64, from netip.AddrPort) {
	r.note(func() { r.moved = append(r.moved, movedPeer{child, from}) })
}
func (r *recorder) UnknownSPI(_, remote netip.AddrPort, spi uint32) {
	r.note(func() { r.unknown = append(r.unknown, unknownSPI{remote, spi}) })
}
func (r *recorder) Exhausting(child uint64) {
	r.note(func() { r.exhausting = append(r.exhausting, child) })
}

// wait waits until ok holds for what was recorded.
func (r *recorder) wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(testTimeout)
	for {
		r.mu.Lock()
		done := ok()
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-r.changed:
		case <-deadline:
			t.Fatalf("timeout: %s", what)
		}
	}
}

// start runs an engine until the end of the test.
func start(t testing.TB, c Config) *Engine {
	t.Helper()
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	run(t, e)
	return e
}

func run(t testing.TB, e *Engine) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(testTimeout):
			t.Error("Run does not return")
		}
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// pair gives selectors from swanctl's notation.
func pair(t testing.TB, local, remote string) selector.Pair {
	t.Helper()
	parse := func(s string) []selector.Selector {
		x, err := selector.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return []selector.Selector{x}
	}
	return selector.Pair{Local: parse(local), Remote: parse(remote)}
}

func gcm128() esp.Suite { return esp.Suite{Encr: encrAESGCM16, KeyBits: 128} }

// keys derives key material for a suite from a name.
func keys(t testing.TB, s esp.Suite, name string) (encr, integ []byte) {
	t.Helper()
	e, i, err := s.KeyLen()
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for n := 0; len(all) < e+i; n++ {
		h := sha256.Sum256(fmt.Appendf(nil, "%s %d", name, n))
		all = append(all, h[:]...)
	}
	return all[:e], all[e : e+i]
}

// natt is the address of an engine's NAT-T socket on the loopback.
func natt(e *Engine, v6 bool) netip.AddrPort {
	a := netip.MustParseAddr(outerLoopback)
	if v6 {
		a = netip.IPv6Loopback()
	}
	return netip.AddrPortFrom(a, e.LocalAddr(SocketNATT, v6).Port())
}

// connect installs a child in both directions between two engines. a's selectors are ts.
func connect(t testing.TB, a, b *Engine, id, policy uint64, ts selector.Pair, s esp.Suite, pa, pb netip.AddrPort) {
	t.Helper()
	oneWay(t, a, b, id, policy, ts, s, pa, pb)
	oneWay(t, b, a, id, policy, ts.Swap(), s, pb, pa)
}

// oneWay installs the SA from one engine to another. ts are from's selectors.
func oneWay(t testing.TB, from, to *Engine, id, policy uint64, ts selector.Pair, s esp.Suite, pf, pt netip.AddrPort) {
	t.Helper()
	onPaths(t, from, to, id, policy, ts, s, esp.Path{Local: pf, Remote: pt, UDP: true}, esp.Path{Local: pt, Remote: pf, UDP: true})
}

// onPaths is oneWay with the path that each engine sees, for tests that have something between them.
func onPaths(t testing.TB, from, to *Engine, id, policy uint64, ts selector.Pair, s esp.Suite, out, in esp.Path) {
	t.Helper()
	spi, err := to.AllocateSPI()
	if err != nil {
		t.Fatal(err)
	}
	encr, integ := keys(t, s, fmt.Sprintf("%08x", spi))
	err = to.InstallInbound(id, id, esp.InboundConfig{SPI: spi, Suite: s, EncrKey: encr, IntegKey: integ}, ts.Swap(), in)
	if err != nil {
		t.Fatal(err)
	}
	err = from.InstallOutbound(id, policy, id, esp.OutboundConfig{SPI: spi, Suite: s, EncrKey: encr, IntegKey: integ}, ts, out)
	if err != nil {
		t.Fatal(err)
	}
}

// loopback is a SocketConfig for ephemeral ports.
func loopback() SocketConfig {
	return SocketConfig{IKE: &Listen{}, NATT: &Listen{}, ReceiveBuffer: 4 << 20, SendBuffer: 4 << 20}
}

// dropsOf sums up what an engine has dropped, without zeros.
func dropsOf(e *Engine) map[string]uint64 {
	m := make(map[string]uint64)
	for r, n := range e.Drops() {
		if n > 0 {
			m[r.Direction().String()+" "+r.String()] = n
		}
	}
	return m
}

var _ tun.Device // the harness is about engines between devices
