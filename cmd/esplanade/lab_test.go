package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/config"
	"esplanade/dataplane"
	"esplanade/ike/diag"
	ikegw "esplanade/ike/gateway"
	"esplanade/ike/sa"
)

// patience bounds waiting for what should take milliseconds, on a machine with much else to do.
const patience = 20 * time.Second

// testPSK is a key that occurs nowhere else.
const testPSK = "correct-horse-battery-staple-7Gq2Zx9w"

// lab makes gateways that talk over loopback UDP, with netstack behind them.
type lab struct {
	t   *testing.T
	dir string
}

func newLab(t *testing.T) *lab {
	// Not t.TempDir: with the test's name in it, it is too long for a unix socket on some systems.
	dir, err := os.MkdirTemp("", "esplanade")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &lab{t: t, dir: dir}
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

// write makes a file for its owner alone.
func (l *lab) write(name, text string) string {
	l.t.Helper()
	if err := os.WriteFile(l.path(name), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return l.path(name)
}

// side is what a test chooses of a gateway.
type side struct {
	name, peer       string
	inner, peerInner string
	port             uint16 // of the peer; 0 waits for it
	psk              string
	esp              string // ESP proposal
	action           string // start_action; default start with a port, none without
	ike              string // lines for the table [ike]
	top              string // tables before all others
}

func leftSide(port uint16) side {
	return side{name: "left", peer: "right", inner: "10.1.0.1", peerInner: "10.2.0.1", port: port}
}

func rightSide() side {
	return side{name: "right", peer: "left", inner: "10.2.0.1", peerInner: "10.1.0.1"}
}

// text is the configuration of a side.
func (l *lab) text(s side) string {
	remote, action := `remote_addrs = ["%any"]`, "none"
	if s.port != 0 {
		remote, action = fmt.Sprintf("remote_addrs = [\"127.0.0.1\"]\nremote_port = %d", s.port), "start"
	}
	if s.action != "" {
		action = s.action
	}
	if s.psk == "" {
		s.psk = testPSK
	}
	if s.esp == "" {
		s.esp = "aes128gcm16-x25519"
	}
	return fmt.Sprintf(`%s
[control]
socket = %q
[metrics]
listen = "127.0.0.1:0"
[tun]
device = "netstack"
addresses = ["%s/32"]
[ike]
retransmit_timeout = "200ms"
retransmit_tries = 2
%s
[connections.lab]
local_addrs = ["127.0.0.1"]
%s
proposals = ["aes256gcm16-prfsha384-x25519"]
[connections.lab.local]
auth = "psk"
id = "%s.example"
[connections.lab.remote]
auth = "psk"
id = "%s.example"
[connections.lab.children.net]
local_ts = ["%s/32"]
remote_ts = ["%s/32"]
esp_proposals = [%q]
start_action = %q
[secrets.ike.lab]
id = ["left.example", "right.example"]
secret = %q
`, s.top, l.path(s.name+".vici"), s.inner, s.ike, remote, s.name, s.peer, s.inner, s.peerInner, s.esp, action, s.psk)
}

// node is a running gateway of a test.
type node struct {
	*gateway
	seen   *watcher
	log    *logBuffer
	socket string
	echoes uint16
	stop   func() error // ends it and returns what run returned; may be called again
}

// start runs a gateway and ends it with the test.
func (l *lab) start(s side) *node {
	l.t.Helper()
	n := l.make(s)
	n.start(l.t, func(ctx context.Context) error { return n.run(ctx) })
	return n
}

// make sets a gateway up without running it.
func (l *lab) make(s side) *node {
	l.t.Helper()
	return l.makeOf(s.name, l.text(s))
}

// makeOf is make for a whole configuration.
func (l *lab) makeOf(name, text string) *node {
	l.t.Helper()
	conf, err := config.Load(l.write(name+".toml", text))
	if err != nil {
		l.t.Fatal(err)
	}
	n := &node{seen: newWatcher(), log: &logBuffer{}, socket: conf.Control.Socket}
	level := new(slog.LevelVar)
	level.Set(slog.LevelDebug)
	handler := slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: level})
	n.gateway, err = newGateway(conf, gatewayOptions{log: handler, level: level, observer: n.seen, ephemeral: true})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(n.close)
	return n
}

func (n *node) start(t *testing.T, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- run(ctx) }()
	n.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-result:
			return err
		case <-time.After(patience):
			return fmt.Errorf("it does not end")
		}
	})
	t.Cleanup(func() {
		if err := n.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", n.conf.File, n.log)
		}
	})
}

func (n *node) natt() uint16 { return n.port(dataplane.SocketNATT) }

// pair brings a tunnel up between two gateways.
func (l *lab) pair(change func(*side)) (left, right *node) {
	l.t.Helper()
	if change == nil {
		change = func(*side) {}
	}
	r := rightSide()
	change(&r)
	right = l.start(r)
	s := leftSide(right.natt())
	change(&s)
	left = l.start(s)
	left.seen.await(l.t, "the tunnel at the left", func(w *watcher) bool { return w.up > 0 })
	right.seen.await(l.t, "the tunnel at the right", func(w *watcher) bool { return w.up > 0 })
	return left, right
}

// unusedPort is a UDP port on which nobody listens.
func unusedPort(t *testing.T) uint16 {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return netip.MustParseAddrPort(c.LocalAddr().String()).Port()
}

// watcher counts what a gateway reports, and lets tests wait for it.
type watcher struct {
	mu      sync.Mutex
	changed chan struct{}

	up, down, childRekeys, ikeRekeys int
	exchanges                        []sa.ExchangeDone
	failures                         []*diag.Failure
	also                             ikegw.Observer // is told as well; nil for nobody
}

func newWatcher() *watcher { return &watcher{changed: make(chan struct{})} }

func (w *watcher) note(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	close(w.changed)
	w.changed = make(chan struct{})
}

// Observe implements gateway.Observer. What is not counted is ignored.
func (w *watcher) Observe(e ikegw.Event) {
	w.mu.Lock()
	also := w.also
	w.mu.Unlock()
	if also != nil {
		also.Observe(e)
	}
	switch e := e.(type) {
	case ikegw.ChildUpdown:
		w.note(func() {
			if e.Up {
				w.up++
			} else {
				w.down++
			}
		})
	case ikegw.ChildRekeyed:
		w.note(func() { w.childRekeys++ })
	case ikegw.IKERekeyed:
		w.note(func() { w.ikeRekeys++ })
	case ikegw.Exchange:
		w.note(func() { w.exchanges = append(w.exchanges, e.ExchangeDone) })
	case ikegw.Failed:
		w.note(func() { w.failures = append(w.failures, e.Failure) })
	}
}

// await waits until ok, which is called with the watcher locked.
func (w *watcher) await(t *testing.T, what string, ok func(*watcher) bool) {
	t.Helper()
	limit := time.After(patience)
	for {
		w.mu.Lock()
		done, changed := ok(w), w.changed
		w.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("%s did not come about within %s", what, patience)
		}
	}
}

// logBuffer takes a log that is read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) lines() []string {
	return strings.Split(strings.TrimSuffix(l.String(), "\n"), "\n")
}

// cli runs a command line.
func cli(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}
