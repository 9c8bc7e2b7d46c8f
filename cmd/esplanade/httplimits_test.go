package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener without sockets, so that time can be virtual.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// from is a connection with a peer's address.
type from struct {
	net.Conn
	addr net.Addr
}

func (f from) RemoteAddr() net.Addr { return f.addr }

// httpClient is a client of the server under test.
type httpClient struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func (p *pipes) dial(t *testing.T, addr string) *httpClient {
	synctest.Wait() // whatever was answered is over
	ours, theirs := net.Pipe()
	p.conns <- from{theirs, &net.TCPAddr{IP: net.ParseIP(addr), Port: 1}}
	return &httpClient{t, ours, bufio.NewReader(ours)}
}

// send writes and reports whether the other side took it.
func (c *httpClient) send(text string) bool {
	_, err := io.WriteString(c.c, text)
	return err == nil
}

// get makes a request, 0 if the connection is closed instead of an answer.
func (c *httpClient) get() int {
	if !c.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") {
		return 0
	}
	r, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return 0
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return 0
	}
	return r.StatusCode
}

// gone waits until the server closes the connection and tells how long that took.
func (c *httpClient) gone() time.Duration {
	start := time.Now()
	_, _ = io.Copy(io.Discard, c.r)
	return time.Since(start)
}

// serveHTTP runs test against a server with virtual time.
func serveHTTP(t *testing.T, h http.HandlerFunc, test func(t *testing.T, p *pipes, log *logBuffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, out := newPipes(), new(logBuffer)
		s, limit := newHTTPServer(h, slog.New(slog.NewJSONHandler(out, nil)))
		m := &metricsServer{l: limitListener{p, limit}, s: s}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- m.serve(ctx) }()
		test(t, p, out)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		m.close()
		time.Sleep(time.Second) // net/http lingers for half of it after a refusal
	})
}

func hello(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }

// TestHTTPClientsAreBounded: silent clients keep nobody else out, whether they come from one address or from many.
func TestHTTPClientsAreBounded(t *testing.T) {
	serveHTTP(t, hello, func(t *testing.T, p *pipes, _ *logBuffer) {
		other := p.dial(t, "192.0.2.99")
		if other.get() != http.StatusOK {
			t.Fatal("no answer")
		}
		var silent []*httpClient
		open := func() (n int) {
			for _, c := range silent {
				if c.get() == http.StatusOK {
					n++
				}
			}
			return n
		}
		for i := range 100 {
			c := p.dial(t, "192.0.2.1")
			if i%2 == 0 && c.get() != http.StatusOK {
				t.Fatalf("client %d of one address has no answer", i)
			}
			silent = append(silent, c)
		}
		synctest.Wait() // until the last one has taken the place of the oldest
		if n := open(); n != metricsConnsPerSource {
			t.Errorf("%d connections of one address", n)
		}
		silent = nil
		for i := range 100 {
			c := p.dial(t, fmt.Sprintf("2001:db8:0:%x::%x", i%10, i))
			if c.get() != http.StatusOK {
				t.Fatalf("client %d has no answer", i)
			}
			silent = append(silent, c)
		}
		if n := open(); n > metricsConns {
			t.Errorf("%d connections in all", n)
		}
		if other.get() != http.StatusOK {
			t.Error("the connection of somebody who has one only was closed for others")
		}
	})
}

// TestHTTPBusyClientsAreBounded: when all are busy, more are sent away.
func TestHTTPBusyClientsAreBounded(t *testing.T) {
	serveHTTP(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(t *testing.T, p *pipes, _ *logBuffer) {
		for range metricsConnsPerSource {
			c := p.dial(t, "192.0.2.1")
			c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			defer c.c.Close()
		}
		synctest.Wait()
		c := p.dial(t, "192.0.2.1")
		if c.get() != 0 {
			t.Error("another one has an answer")
		}
	})
}

// TestHTTPTimeouts: who says nothing, half of something or nothing more is let go in time.
func TestHTTPTimeouts(t *testing.T) {
	serveHTTP(t, hello, func(t *testing.T, p *pipes, _ *logBuffer) {
		for _, tt := range []struct {
			name, send string
			most       time.Duration
		}{
			{"nothing", "", metricsHeaderTimeout},
			{"half a head", "GET / HTTP/1.1\r\nHost:", metricsHeaderTimeout},
			{"a body that does not come", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx", metricsReadTimeout},
			{"nothing more", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", metricsIdleTimeout},
		} {
			c := p.dial(t, "192.0.2.1")
			c.send(tt.send)
			if d := c.gone(); d > tt.most+time.Second {
				t.Errorf("%s: gone after %s", tt.name, d)
			}
		}
	})
}

// TestHTTPSlowReader: who does not read its answer is let go, and others have theirs meanwhile.
func TestHTTPSlowReader(t *testing.T) {
	var asked atomic.Int32
	big := func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		io.WriteString(w, strings.Repeat("x", 1<<20))
	}
	serveHTTP(t, big, func(t *testing.T, p *pipes, _ *logBuffer) {
		var slow []*httpClient
		for range 2 * metricsScrapes {
			c := p.dial(t, "192.0.2.1")
			c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			slow = append(slow, c)
		}
		start := time.Now()
		if code := p.dial(t, "192.0.2.2").get(); code != http.StatusOK || time.Since(start) > time.Second {
			t.Errorf("status %d after %s", code, time.Since(start))
		}
		time.Sleep(metricsWriteTimeout + time.Second)
		for i, c := range slow {
			b := make([]byte, 1)
			if _, err := c.c.Read(b); err == nil {
				t.Errorf("client %d is still served", i)
			}
		}
		if n := asked.Load(); n != 2*metricsScrapes+1 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestHTTPHeaderSize: a long head is refused, and so is everything that is not for reading.
func TestHTTPHeaderSize(t *testing.T) {
	serveHTTP(t, hello, func(t *testing.T, p *pipes, _ *logBuffer) {
		for want, text := range map[int]string{
			http.StatusRequestHeaderFieldsTooLarge: "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 64<<10) + "\r\n\r\n",
			http.StatusMethodNotAllowed:            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx",
			http.StatusOK:                          "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
		} {
			c := p.dial(t, "192.0.2.1")
			go c.send(text)
			r, err := http.ReadResponse(c.r, &http.Request{Method: strings.Fields(text)[0]})
			if err != nil || r.StatusCode != want {
				t.Fatalf("%v, %v; want %d", r, err, want)
			}
			c.c.Close()
		}
	})
}

// TestHTTPLog: what net/http has to say goes to the log in its format, a line now and then and a short one.
func TestHTTPLog(t *testing.T) {
	serveHTTP(t, func(http.ResponseWriter, *http.Request) { panic(strings.Repeat("long ", 1000)) }, func(t *testing.T, p *pipes, out *logBuffer) {
		for range 100 {
			c := p.dial(t, "192.0.2.1")
			c.get()
			c.c.Close()
		}
		time.Sleep(httpLogEvery)
		p.dial(t, "192.0.2.1").get()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[1], `"not_logged":99`) {
			t.Errorf("%d lines: %s", len(lines), out)
		}
		for _, l := range lines {
			if !strings.HasPrefix(l, "{") || len(l) > 2*maxHTTPLine+100 {
				t.Errorf("a line of %d octets: %s", len(l), l)
			}
		}
	})
}
