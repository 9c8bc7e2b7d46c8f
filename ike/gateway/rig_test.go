package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/config"
	"esplanade/esp"
	"esplanade/ike/diag"
	"esplanade/ike/hosttest"
	"esplanade/ike/selector"
)

// The tests of this package run whole daemons in a synctest bubble: time is virtual, and passes when every goroutine
// waits. fabric is the network between them.
type fabric struct {
	t *testing.T

	mu    sync.Mutex
	nodes map[netip.Addr]*node
	// deliver decides about a datagram; nil delivers all.
	deliver func(from, to netip.AddrPort, b []byte) bool
	sent    int
}

// latency is how long a datagram travels.
const latency = 5 * time.Millisecond

func newFabric(t *testing.T) *fabric { return &fabric{t: t, nodes: map[netip.Addr]*node{}} }

func (f *fabric) send(from, to netip.AddrPort, b []byte) {
	if len(b) == 1 && b[0] == keepalive {
		return
	}
	f.mu.Lock()
	f.sent++
	ok := f.deliver == nil || f.deliver(from, to, b)
	f.mu.Unlock()
	if !ok {
		return
	}
	b = slices.Clone(b)
	time.AfterFunc(latency, func() {
		f.mu.Lock()
		n := f.nodes[to.Addr()]
		f.mu.Unlock()
		if n != nil {
			n.d.HandleIKE(to, from, b)
		}
	})
}

// setDeliver changes what happens to datagrams.
func (f *fabric) setDeliver(d func(from, to netip.AddrPort, b []byte) bool) {
	f.mu.Lock()
	f.deliver = d
	f.mu.Unlock()
}

// node is a daemon on the fabric.
type node struct {
	f     *fabric
	addr  netip.Addr
	d     *daemon
	plane *fakePlane
	net   *fakeNetwork
	log   *logBuffer
	once  sync.Once
}

// start runs a daemon at an address until the test ends or stop is called.
func (f *fabric) start(addr, toml string, change ...func(*rigOptions)) *node {
	f.t.Helper()
	a := netip.MustParseAddr(addr)
	n := &node{f: f, addr: a, plane: newFakePlane(f), net: hosttest.NewNetwork(a), log: &logBuffer{}}
	o := rigOptions{
		Options: Options{Config: parse(f.t, toml), DataPlane: n.plane, IKEPort: 500, NATTPort: 4500},
		Network: n.net, Logger: slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&o)
	}
	n.d = newDaemon(f.t, o)
	f.mu.Lock()
	f.nodes[a] = n
	f.mu.Unlock()
	n.d.run()
	f.t.Cleanup(n.end)
	return n
}

// end shuts a daemon down, once.
func (n *node) end() {
	n.once.Do(func() {
		_ = n.d.call(context.Background(), func(time.Time) {
			if err := filedRight(n.d.Manager); err != nil {
				n.f.t.Error(err)
			}
		})
		n.d.shutdown()
	})
}

// stop ends a daemon in good order.
func (n *node) stop() {
	n.end()
	n.f.mu.Lock()
	if n.f.nodes[n.addr] == n {
		delete(n.f.nodes, n.addr)
	}
	n.f.mu.Unlock()
}

// crash makes a daemon disappear from the network without a word.
func (n *node) crash() {
	n.f.mu.Lock()
	delete(n.f.nodes, n.addr)
	n.f.mu.Unlock()
	n.plane.mute()
	n.end()
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func parse(t *testing.T, toml string) *config.Config {
	t.Helper()
	c, err := config.Parse("test.toml", []byte(toml))
	if err != nil {
		t.Fatalf("configuration: %v\n%s", err, toml)
	}
	return c
}

// info is the state of a daemon.
func (n *node) info() Info {
	n.f.t.Helper()
	i, err := n.d.Info(context.Background())
	if err != nil {
		n.f.t.Fatalf("%s: Info: %v", n.addr, err)
	}
	return i
}

// child is the state of a configured child, "connection/child".
func (n *node) child(name string) ChildInfo {
	n.f.t.Helper()
	conn, child, _ := strings.Cut(name, "/")
	for _, c := range n.info().Conns {
		for _, h := range c.Children {
			if c.Conf.Name == conn && h.Conf.Name == child {
				return h
			}
		}
	}
	n.f.t.Fatalf("%s: no child %s", n.addr, name)
	return ChildInfo{}
}

// last is the latest failure of a connection; nil for none.
func (n *node) last(name string) *diag.Repeat {
	n.f.t.Helper()
	for _, c := range n.info().Conns {
		if c.Conf.Name == name {
			return c.Last
		}
	}
	n.f.t.Fatalf("%s: no connection %s", n.addr, name)
	return nil
}

// settle lets d pass.
func settle(d time.Duration) {
	time.Sleep(d) // virtual: it passes at once
	synctest.Wait()
}

// ikeSAs counts the IKE SAs of a daemon that are not closed.
func (n *node) ikeSAs() int { n.f.t.Helper(); return n.info().IKESAs }

// paired fails the test unless the two daemons have the same CHILD SAs installed, each direction of one with the
// other of the other, and returns how many.
func paired(t *testing.T, a, b *node) int {
	t.Helper()
	a.plane.mu.Lock()
	defer a.plane.mu.Unlock()
	b.plane.mu.Lock()
	defer b.plane.mu.Unlock()
	check := func(x, y *node) {
		for id, o := range x.plane.out {
			if !y.plane.hasInbound(o.SPI, o.EncrKey) {
				t.Errorf("%s sends with SPI %08x (child %d), which %s does not have", x.addr, o.SPI, id, y.addr)
			}
		}
	}
	check(a, b)
	check(b, a)
	if len(a.plane.out) != len(b.plane.out) || len(a.plane.in) != len(b.plane.in) || len(a.plane.in) != len(a.plane.out) {
		t.Errorf("%s has %d in, %d out; %s has %d in, %d out", a.addr, len(a.plane.in), len(a.plane.out), b.addr, len(b.plane.in), len(b.plane.out))
	}
	return len(a.plane.out)
}

// fakePlane is a data plane that remembers.
type fakePlane struct {
	f *fabric

	mu       sync.Mutex
	muted    bool
	state    PathState            // of every path
	states   map[uint64]PathState // of those of single CHILD SAs
	spi      uint32
	reserved map[uint32]bool
	spd      map[uint64]selector.Policy
	failed   map[uint64]int
	in       map[uint64]esp.InboundConfig
	out      map[uint64]esp.OutboundConfig
	paths    map[uint64]esp.Path
	policies map[uint64]uint64
	lines    map[uint64]uint64
	ts       map[uint64]string // of the outbound SAs
	pairs    map[uint64]selector.Pair
	// refuse makes installations fail.
	refuse error
	noSend error
	last   time.Time
	// traffic is what each CHILD SA has carried.
	traffic Counters
	// changed is called after each change of the policies and of outbound SAs.
	changed func()
}

// change makes a change and says so.
func (p *fakePlane) change(f func()) {
	p.mu.Lock()
	f()
	changed := p.changed
	p.mu.Unlock()
	if changed != nil {
		changed()
	}
}

func newFakePlane(f *fabric) *fakePlane {
	return &fakePlane{
		f: f, reserved: map[uint32]bool{}, spd: map[uint64]selector.Policy{}, failed: map[uint64]int{},
		in: map[uint64]esp.InboundConfig{}, out: map[uint64]esp.OutboundConfig{}, paths: map[uint64]esp.Path{},
		policies: map[uint64]uint64{}, lines: map[uint64]uint64{}, ts: map[uint64]string{}, pairs: map[uint64]selector.Pair{}, spi: 0x100,
	}
}

func (p *fakePlane) hasInbound(spi uint32, key []byte) bool {
	for _, i := range p.in {
		if i.SPI == spi && string(i.EncrKey) == string(key) {
			return true
		}
	}
	return false
}

func (p *fakePlane) mute() { p.mu.Lock(); p.muted = true; p.mu.Unlock() }

func (p *fakePlane) SendIKE(local, remote netip.AddrPort, b []byte) error {
	p.mu.Lock()
	muted, refused := p.muted, p.noSend
	p.mu.Unlock()
	if refused != nil {
		return refused
	}
	if !muted {
		p.f.send(local, remote, b)
	}
	return nil
}

func (p *fakePlane) AllocateSPI() (uint32, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spi++
	p.reserved[p.spi] = true
	return p.spi, nil
}

func (p *fakePlane) ReleaseSPI(spi uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reserved[spi] {
		p.f.t.Errorf("SPI %08x was released and is not reserved", spi)
	}
	delete(p.reserved, spi)
}

func (p *fakePlane) SetPolicy(policy uint64, spd selector.Policy) {
	p.change(func() { p.spd[policy] = spd })
}

func (p *fakePlane) ClearPolicy(policy uint64) { p.change(func() { delete(p.spd, policy) }) }
func (p *fakePlane) FailPending(policy uint64) { p.mu.Lock(); p.failed[policy]++; p.mu.Unlock() }

func (p *fakePlane) InstallInbound(child, _ uint64, c esp.InboundConfig, _ selector.Pair, path esp.Path) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return p.refuse
	}
	if !p.reserved[c.SPI] {
		p.f.t.Errorf("SPI %08x was installed and is not reserved", c.SPI)
	}
	c.EncrKey = slices.Clone(c.EncrKey)
	p.in[child], p.paths[child] = c, path
	return nil
}

func (p *fakePlane) InstallOutbound(child, policy, line uint64, c esp.OutboundConfig, ts selector.Pair, path esp.Path) error {
	c.EncrKey = slices.Clone(c.EncrKey)
	var err error
	p.change(func() {
		if err = p.refuse; err == nil {
			p.out[child], p.paths[child], p.policies[child], p.lines[child] = c, path, policy, line
			p.ts[child], p.pairs[child] = ts.String(), ts
		}
	})
	return err
}

func (p *fakePlane) RemoveInbound(child uint64) {
	p.mu.Lock()
	delete(p.reserved, p.in[child].SPI)
	delete(p.in, child)
	p.mu.Unlock()
}

func (p *fakePlane) RemoveOutbound(child uint64) {
	p.change(func() {
		delete(p.out, child)
		delete(p.policies, child)
		delete(p.ts, child)
		delete(p.pairs, child)
	})
}

func (p *fakePlane) UpdatePath(child uint64, path esp.Path) {
	p.mu.Lock()
	p.paths[child] = path
	p.mu.Unlock()
}

func (p *fakePlane) Counters(child uint64) (Counters, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.in[child]
	c := p.traffic
	c.LastIn = p.last
	return c, ok
}

// empty fails the test unless nothing is left.
func (p *fakePlane) empty(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.in) + len(p.out) + len(p.spd) + len(p.reserved); n > 0 {
		t.Errorf("left in the data plane: %d in, %d out, %d traps, SPIs %x", len(p.in), len(p.out), len(p.spd),
			slices.Collect(maps.Keys(p.reserved)))
	}
}

// conn writes a connection for a configuration.
type conn struct {
	name, local, remote, localID, remoteID string
	extra                                  string // keys of the connection
	children                               []kid
}

// kid writes a child.
type kid struct{ name, local, remote, action, extra string }

const testKey = "correct-horse-battery-staple-2026"

// toml is a configuration with connections; head are tables before them.
func toml(head string, conns ...conn) string {
	var b strings.Builder
	b.WriteString(head + "\n")
	for _, c := range conns {
		fmt.Fprintf(&b, "[connections.%s]\nlocal_addrs = [%q]\nremote_addrs = [\"%s\"]\n%s\n", c.name, c.local,
			strings.ReplaceAll(c.remote, " ", `", "`), c.extra)
		fmt.Fprintf(&b, "[connections.%s.local]\nauth = \"psk\"\nid = %q\n", c.name, c.localID)
		fmt.Fprintf(&b, "[connections.%s.remote]\nauth = \"psk\"\nid = %q\n", c.name, c.remoteID)
		for _, k := range c.children {
			fmt.Fprintf(&b, "[connections.%s.children.%s]\nlocal_ts = [%s]\nremote_ts = [%s]\nstart_action = %q\n%s\n",
				c.name, k.name, quoted(k.local), quoted(k.remote), k.action, k.extra)
		}
	}
	fmt.Fprintf(&b, "[secrets.ike.all]\nsecret = %q\n", testKey)
	return b.String()
}

// quoted makes a list of words that are apart by spaces.
func quoted(words string) string { return `"` + strings.ReplaceAll(words, " ", `", "`) + `"` }

const (
	addrA = "192.0.2.1"
	addrB = "192.0.2.2"
)

// left and right are the two ends of a tunnel.
func left(action string) conn {
	return conn{
		name: "b", local: addrA, remote: addrB, localID: "a.example", remoteID: "b.example",
		children: []kid{{"net", "10.1.0.0/16", "10.2.0.0/16", action, ""}},
	}
}

func right(action string) conn {
	return conn{
		name: "a", local: addrB, remote: addrA, localID: "b.example", remoteID: "a.example",
		children: []kid{{"net", "10.2.0.0/16", "10.1.0.0/16", action, ""}},
	}
}
