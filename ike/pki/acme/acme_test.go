package acme

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/ike/pki/ca"
)

// patience bounds waiting for what should take a moment.
const patience = 20 * time.Second

func start() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }

// logged is a log that a test reads.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// clock is a clock that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time // zero: the real one
	by time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		return time.Now().Add(c.by)
	}
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by += by
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	end := time.Now().Add(patience)
	for !is() {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond) // looks again; nothing relies on it
	}
}

// running runs a Manager until the test ends.
func running(t *testing.T, o Options) (m *Manager, log *logged, stop func()) {
	t.Helper()
	log = &logged{}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(log, nil))
	}
	if o.Kind == "" {
		o.Kind = ca.KindP256
	}
	if o.Challenge == "" {
		o.Challenge = HTTP01
	}
	m = New(o)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%+v\n%s", m.State(), log)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); m.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return m, log, stop
}

// TestPauses: each failure doubles the pause up to a day, and nothing makes it shorter.
func TestPauses(t *testing.T) {
	for n, want := range map[int]time.Duration{1: time.Minute, 2: 2 * time.Minute, 5: 16 * time.Minute, 11: 1024 * time.Minute, 12: 24 * time.Hour, 1000: 24 * time.Hour} {
		if got := pause(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
		for range 100 {
			if got := jitter(want); got < want || got > want+want/4 {
				t.Errorf("%s became %s", want, got)
			}
		}
	}
}

// TestRecord: when the next attempt may begin, whatever the clock does.
func TestRecord(t *testing.T) {
	now := start()
	var r record
	if got := r.after(now, "a", false); !got.Equal(now) {
		t.Error(got)
	}
	failed := r.begin(now, "a").begin(now, "a").begin(now, "a")
	if failed.Failures != 3 || failed.Next.Sub(now) < 4*time.Minute || failed.Next.Sub(now) > 5*time.Minute {
		t.Errorf("%+v", failed)
	}
	leaf := &x509.Certificate{NotBefore: now, NotAfter: now.Add(90 * 24 * time.Hour)}
	done := issued(now, "a", leaf)
	none := issued(now, "a", &x509.Certificate{NotBefore: now, NotAfter: now.Add(-time.Hour)})
	if !renewal(leaf).Equal(now.Add(60 * 24 * time.Hour)) {
		t.Error(renewal(leaf))
	}
	for _, tt := range []struct {
		name string
		r    record
		at   time.Time
		what string
		good bool
		want time.Time
	}{
		{"failed", failed, now, "a", false, failed.Next},
		{"failed, good", failed, now, "a", true, failed.Next},
		{"failed, for something else", failed, now, "b", false, now},
		{"failed, and the clock went back a year", failed, now.AddDate(-1, 0, 0), "a", false, now.AddDate(-1, 0, 0).Add(failed.Next.Sub(failed.Last))},
		{"failed, and the clock went on a year", failed, now.AddDate(1, 0, 0), "a", false, failed.Next},
		{"issued", done, now, "a", true, now.Add(30 * 24 * time.Hour)},
		{"issued, for no time", none, now, "a", true, now.Add(firstPause)},
		{"issued, for no time, and lost", none, now, "a", false, now.Add(firstPause)},
		{"issued, and lost", done, now, "a", false, now.Add(time.Hour)},
		{"issued, and the clock went on", done, now.AddDate(0, 0, 20), "a", true, now.Add(30 * 24 * time.Hour)},
	} {
		if got := tt.r.after(tt.at, tt.what, tt.good); !got.Equal(tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// stub is an ACME server that refuses everything in one way.
type stub struct {
	*httptest.Server
	mu       sync.Mutex
	requests int // to make an account
}

func newStub(t *testing.T, status int, kind, retryAfter string) *stub {
	t.Helper()
	s := &stub{}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Replay-Nonce", "bm9uY2U")
		switch r.URL.Path {
		case "/directory":
			_ = json.NewEncoder(w).Encode(map[string]string{"newNonce": s.URL + "/nonce", "newAccount": s.URL + "/account", "newOrder": s.URL + "/order"})
		case "/nonce":
		default:
			s.mu.Lock()
			s.requests++
			s.mu.Unlock()
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]any{"type": "urn:ietf:params:acme:error:" + kind, "detail": "no\x1b[2J\nmore", "status": status})
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stub) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

func (s *stub) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

// TestFailures: a server that refuses is left alone, also by the next daemon, and the operator hears why and when it goes on.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		status           int
		kind, retryAfter string
		atLeast, atMost  time.Duration
		want             string
	}{
		{http.StatusTooManyRequests, "rateLimited", "7200", 2 * time.Hour, 150 * time.Minute, "wait: the next attempt is when the server allows it"},
		{http.StatusTooManyRequests, "rateLimited", "", time.Hour, 75 * time.Minute, "wait: the next attempt"},
		{http.StatusTooManyRequests, "rateLimited", "99999999", 24 * time.Hour, 30 * time.Hour, "wait: the next attempt"},
		{http.StatusServiceUnavailable, "serverInternal", "", time.Minute, 75 * time.Second, "no?[2J more"},
		{http.StatusForbidden, "externalAccountRequired", "", time.Minute, 75 * time.Second, "write eab_key_id and eab_hmac_key"},
		{http.StatusForbidden, "unauthorized", "", time.Minute, 75 * time.Second, "the account: "},
	} {
		s := newStub(t, tt.status, tt.kind, tt.retryAfter)
		c := &clock{at: start()}
		o := Options{Directory: s.URL + "/directory", Domains: []string{"vpn.example.org"}, Folder: filepath.Join(t.TempDir(), "acme"), Roots: s.roots(), Now: c.now}
		m, log, stop := running(t, o)
		eventually(t, "an attempt has failed", func() bool { return m.State().Error != "" && m.State().Next.After(start()) })
		if next := m.State().Next.Sub(start()); next < tt.atLeast || next > tt.atMost {
			t.Errorf("%s: the next attempt is in %s", tt.kind, next)
		}
		if x := m.State(); !strings.Contains(x.Error, tt.want) || strings.ContainsAny(x.Error, "\x1b\n") || x.Failures != 1 || !x.NotAfter.IsZero() {
			t.Errorf("%s: %+v", tt.kind, x)
		}
		if !strings.Contains(log.String(), "level=WARN msg=\"no certificate from the ACME server\" domains=[vpn.example.org]") || !strings.Contains(log.String(), "again_in=") {
			t.Errorf("%s", log)
		}
		stop()
		// The next daemon, and a clock that has gone back.
		requests := s.count()
		c.set(start().AddDate(-1, 0, 0))
		next, _, stop := running(t, o)
		eventually(t, "it has a plan", func() bool { return !next.State().Next.IsZero() })
		if x := next.State(); x.Attempts != 0 || x.Failures != 1 || s.count() != requests || x.Next.Sub(c.now()) > tt.atMost {
			t.Errorf("%s: the next daemon: %+v, %d requests more", tt.kind, x, s.count()-requests)
		}
		stop()
	}
}

// TestNonces: a nonce that is refused is not sent for ever.
func TestNonces(t *testing.T) {
	s := newStub(t, http.StatusBadRequest, "badNonce", "")
	c := &clock{at: start()}
	m, _, _ := running(t, Options{Directory: s.URL + "/directory", Domains: []string{"a.example"}, Folder: t.TempDir(), Roots: s.roots(), Now: c.now})
	eventually(t, "the attempt has failed", func() bool { return m.State().Error != "" })
	if n := s.count(); n < 2 || n > maxNonceRetries+1 {
		t.Errorf("%d requests", n)
	}
}

// TestServerAway: a server that is not there, or that is somebody else's.
func TestServerAway(t *testing.T) {
	s := newStub(t, http.StatusForbidden, "unauthorized", "")
	m, _, _ := running(t, Options{Directory: s.URL + "/directory", Domains: []string{"a.example"}, Folder: t.TempDir(), Now: (&clock{at: start()}).now})
	eventually(t, "the attempt has failed", func() bool { return m.State().Error != "" })
	if !strings.Contains(m.State().Error, "certificate") {
		t.Error(m.State().Error)
	}
	s.Close()
	m, _, _ = running(t, Options{Directory: s.URL + "/directory", Domains: []string{"a.example"}, Folder: t.TempDir(), Roots: s.roots(), Now: (&clock{at: start()}).now})
	eventually(t, "the attempt has failed", func() bool { return m.State().Error != "" })
	if !strings.Contains(m.State().Error, "Fix: see whether the ACME server is reached from this host") {
		t.Error(m.State().Error)
	}
}

// TestFolder: where nothing can be written, the server is not asked for anything.
func TestFolder(t *testing.T) {
	s := newStub(t, http.StatusForbidden, "unauthorized", "")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m, _, _ := running(t, Options{Directory: s.URL + "/directory", Domains: []string{"a.example"}, Folder: file, Roots: s.roots(), Now: (&clock{at: start()}).now})
	eventually(t, "the attempt has failed", func() bool { return m.State().Error != "" })
	if s.count() != 0 {
		t.Error("the server was asked")
	}
	// Broken files: a state is none, a certificate is none, and an account's key is said.
	dir := t.TempDir()
	for _, name := range []string{recordName, accountName, "a.example.pem"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("junk"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, _, _ = running(t, Options{Directory: s.URL + "/directory", Domains: []string{"a.example"}, Folder: dir, Roots: s.roots(), Now: (&clock{at: start()}).now})
	eventually(t, "the attempt has failed", func() bool { return m.State().Error != "" })
	if !strings.Contains(m.State().Error, "put it back from a backup, or remove it for a new account") || s.count() != 0 {
		t.Error(m.State().Error)
	}
}

// TestNamesOfFiles: no name leads out of the folder.
func TestNamesOfFiles(t *testing.T) {
	for name, want := range map[string]string{"vpn.example.org": "/f/vpn.example.org.pem", "*.example.org": "/f/_.example.org.pem", "2001:db8::1": "/f/2001_db8__1.pem", "../x": "/f/.._x.pem"} {
		if got := CertFile("/f", []string{name}); got != want {
			t.Errorf("%q: %s", name, got)
		}
	}
	for name, want := range map[string]string{"A.Example": "a.example", "192.0.2.1": "1.2.0.192.in-addr.arpa", "2001:db8::1": "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"} {
		if got := serverName(name); got != want {
			t.Errorf("%q: %s", name, got)
		}
	}
}
