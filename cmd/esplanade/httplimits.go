package main

import (
	"bytes"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Limits of the metrics server. Whoever reaches it may not hold more of the gateway than these. A scrape takes milliseconds and a
// Prometheus one connection, which it keeps from one scrape to the next.
const (
	// metricsConns is how many connections there may be in all, metricsConnsPerSource from one address, or one /64 of IPv6: a
	// process has 1024 descriptors where nobody has raised the limit, and the sockets of IKE and ESP need fewer than a hundred.
	metricsConns          = 32
	metricsConnsPerSource = 8
	// metricsScrapes is how many scrapes are worked on at a time, each of which asks the event loop once. Others wait.
	metricsScrapes = 2
	// metricsHeader is the longest head of a request in octets.
	metricsHeader = 8 << 10
	// metricsHeaderTimeout is for the head of a request, metricsReadTimeout for the whole of it.
	metricsHeaderTimeout = 5 * time.Second
	metricsReadTimeout   = 10 * time.Second
	// metricsWriteTimeout is from the end of the head to the end of the answer: collectTimeout, and a slow network.
	metricsWriteTimeout = 20 * time.Second
	// metricsIdleTimeout is more than the interval of most scrapes, so that a connection lasts.
	metricsIdleTimeout  = 3 * time.Minute
	metricsCloseTimeout = time.Second
	// httpLogEvery is the time between two lines about what goes wrong with clients.
	httpLogEvery = 10 * time.Second
)

// newHTTPServer is a server with the limits. What net/http has to say goes to the log, a line now and then. Its listener has to
// be limited by the same value.
func newHTTPServer(h http.Handler, logger *slog.Logger) (*http.Server, *connLimit) {
	limit := &connLimit{conns: map[*limitedConn]struct{}{}}
	s := &http.Server{
		Handler: readOnly(buffered(h)), MaxHeaderBytes: metricsHeader, ConnState: limit.state,
		ReadHeaderTimeout: metricsHeaderTimeout, ReadTimeout: metricsReadTimeout, WriteTimeout: metricsWriteTimeout,
		IdleTimeout: metricsIdleTimeout, ErrorLog: log.New(&httpLog{log: logger}, "", 0),
	}
	return s, limit
}

// readOnly refuses requests that are not for reading. Their bodies are not read.
func readOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead || r.ContentLength != 0 {
			w.Header().Set("Allow", "GET, HEAD")
			w.Header().Set("Connection", "close")
			http.Error(w, "GET only", http.StatusMethodNotAllowed)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// buffered makes answers whole, a few at a time, before any of them is sent. A client that reads slowly keeps its connection busy
// and nobody else waiting.
func buffered(h http.Handler) http.Handler {
	slots := make(chan struct{}, metricsScrapes)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
		case <-r.Context().Done():
			return
		}
		b := &wholeAnswer{header: w.Header(), status: http.StatusOK}
		func() {
			defer func() { <-slots }()
			h.ServeHTTP(b, r)
		}()
		w.WriteHeader(b.status)
		_, _ = w.Write(b.body.Bytes()) // the client is gone, or too slow: there is nobody to tell
	})
}

// wholeAnswer keeps an answer.
type wholeAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *wholeAnswer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *wholeAnswer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *wholeAnswer) Write(b []byte) (int, error) { return a.body.Write(b) }

// connLimit bounds the connections of a server. Of too many, one without a request under way is closed for a new one: of the
// source of the new one if that has too many, otherwise of the source that has most, and more than that one. So nobody keeps
// others out by saying nothing.
type connLimit struct {
	mu    sync.Mutex
	conns map[*limitedConn]struct{}
	seq   uint64
}

// limitedConn is a connection that counts.
type limitedConn struct {
	net.Conn
	limit  *connLimit
	source netip.Prefix
	seq    uint64 // the order in which they last became idle
	busy   bool   // a request is under way
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	c.limit.forget(c)
	return c.Conn.Close()
}

func (l *connLimit) forget(c *limitedConn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
}

// state is told by the server what becomes of a connection.
func (l *connLimit) state(c net.Conn, s http.ConnState) {
	lc, ok := c.(*limitedConn)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s {
	case http.StateActive:
		lc.busy = true
	case http.StateIdle:
		l.seq++
		lc.busy, lc.seq = false, l.seq
	}
}

// admit takes a connection, and closes another one for it if need be. It is nil when there are too many and all are busy.
func (l *connLimit) admit(c net.Conn) *limitedConn {
	source := sourceOf(c.RemoteAddr())
	l.mu.Lock()
	of := map[netip.Prefix]int{}
	for o := range l.conns {
		of[o.source]++
	}
	var victim *limitedConn
	if full := of[source] >= metricsConnsPerSource; full || len(l.conns) >= metricsConns {
		for o := range l.conns {
			switch {
			case o.busy || o.source != source && (full || of[o.source] <= of[source]):
			case victim == nil || of[o.source] > of[victim.source] || of[o.source] == of[victim.source] && o.seq < victim.seq:
				victim = o
			}
		}
		if victim == nil {
			l.mu.Unlock()
			return nil
		}
		delete(l.conns, victim)
	}
	l.seq++
	lc := &limitedConn{Conn: c, limit: l, source: source, seq: l.seq}
	l.conns[lc] = struct{}{}
	l.mu.Unlock()
	if victim != nil {
		victim.Conn.Close()
	}
	return lc
}

// sourceOf is what counts as one source: an address of IPv4, a /64 of IPv6.
func sourceOf(a net.Addr) netip.Prefix {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := t.AddrPort().Addr().Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits)
	return p
}

// limitListener is a listener whose connections are limited.
type limitListener struct {
	net.Listener
	limit *connLimit
}

// Accept implements net.Listener.
func (l limitListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if lc := l.limit.admit(c); lc != nil {
			return lc, nil
		}
		c.Close()
	}
}

// httpLog is where net/http writes what goes wrong with its clients.
type httpLog struct {
	log  *slog.Logger
	mu   sync.Mutex
	next time.Time
	kept int // lines that were not logged
}

// maxHTTPLine bounds what net/http can quote of a client.
const maxHTTPLine = 200

// Write implements io.Writer.
func (l *httpLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	now := time.Now()
	if now.Before(l.next) {
		l.kept++
		l.mu.Unlock()
		return len(p), nil
	}
	l.next = now.Add(httpLogEvery)
	kept := l.kept
	l.kept = 0
	l.mu.Unlock()
	line := strings.TrimSpace(string(p[:min(len(p), maxHTTPLine)]))
	if kept > 0 {
		l.log.Warn("metrics", "error", line, "not_logged", kept)
	} else {
		l.log.Warn("metrics", "error", line)
	}
	return len(p), nil
}
