package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// loopback is where the servers of the tests are. Another one of the same network is not allowed.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func reasonOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason.String()
	}
	return fmt.Sprint(err)
}

// TestFetch: what a server gets, and what comes of each answer.
func TestFetch(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1/")
	t.Setenv("http_proxy", "http://127.0.0.1:1/")
	zipped := new(bytes.Buffer)
	z := gzip.NewWriter(zipped)
	io.CopyN(z, zeros{}, 10<<20)
	z.Close()
	var elsewhere atomic.Int32
	other := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skipf("SKIPPED: there is no second address of loopback: %v", err)
	}
	other.Listener = l
	other.Start()
	t.Cleanup(other.Close)
	to := func(code int, where string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Location", where); w.WriteHeader(code) }
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html") // it is not believed
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b", Path: "/"})
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %q %q %q %q", r.Method, r.Header.Get("Content-Type"), body, r.Header.Get("Cookie"), r.Header.Get("Accept-Encoding"), r.Header.Get("Referer"))
	})
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, zeros{}) })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "1000000") })
	mux.HandleFunc("/exact", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, most)) })
	mux.HandleFunc("/over", func(w http.ResponseWriter, _ *http.Request) {
		w.Write(make([]byte, most))
		w.(http.Flusher).Flush()
		w.Write([]byte{0})
	})
	mux.HandleFunc("/headers", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 64<<10)) })
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(zipped.Bytes())
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		w.Write([]byte("short"))
	})
	mux.HandleFunc("/404", http.NotFound)
	mux.HandleFunc("/503", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	mux.HandleFunc("/204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	mux.HandleFunc("/loop", to(302, "/loop"))
	for i := range 3 {
		mux.HandleFunc(fmt.Sprint("/hop", i), to(307, fmt.Sprint("/hop", i+1)))
	}
	mux.HandleFunc("/hop3", to(307, "/ok"))
	mux.HandleFunc("/once", to(302, "/ok"))
	mux.HandleFunc("/file", to(302, "file:///etc/passwd"))
	mux.HandleFunc("/ftp", to(302, "ftp://127.0.0.1/x"))
	mux.HandleFunc("/https", to(302, "https://127.0.0.1/x"))
	mux.HandleFunc("/gopher", to(302, "gopher://127.0.0.1/x"))
	mux.HandleFunc("/user", to(302, "http://a:b@127.0.0.1/x"))
	mux.HandleFunc("/elsewhere", to(302, other.URL+"/x"))
	mux.HandleFunc("/localhost", to(302, "http://[::1]:1/x"))
	mux.HandleFunc("/metadata", to(302, "http://169.254.169.254/latest"))
	s := serve(t, mux.ServeHTTP)
	c := &Client{Guard: Guard{Allowed: loopback}}
	for _, x := range []struct {
		path   string
		body   []byte
		want   string // the answer
		reason string // or why there is none
	}{
		{"/ok", nil, `GET  "" "" "" ""`, ""},
		{"/ok", []byte("request"), `POST application/ocsp-request "request" "" "" ""`, ""},
		{"/once", nil, `GET  "" "" "" ""`, ""},
		{"/once", []byte("request"), "", "redirect"},
		{"/hop1", []byte("request"), `POST application/ocsp-request "request" "" "" ""`, ""},
		{"/hop0", nil, "", "redirect"},
		{"/empty", nil, "", ""},
		{"/exact", nil, string(make([]byte, most)), ""},
		{"/endless", nil, "", "size"},
		{"/long", nil, "", "size"},
		{"/over", nil, "", "size"},
		{"/headers", nil, "", "connect"},
		{"/gzip", nil, "", "encoding"},
		{"/broken", nil, "", "connect"},
		{"/404", nil, "", "status"}, {"/503", nil, "", "status"}, {"/204", nil, "", "status"},
		{"/loop", nil, "", "redirect"},
		{"/file", nil, "", "redirect"}, {"/ftp", nil, "", "redirect"}, {"/https", nil, "", "redirect"}, {"/gopher", nil, "", "redirect"}, {"/user", nil, "", "redirect"},
		{"/elsewhere", nil, "", "forbidden"}, {"/localhost", nil, "", "forbidden"}, {"/metadata", nil, "", "forbidden"},
	} {
		for _, configured := range []bool{false, true} {
			got, err := c.Fetch(t.Context(), Request{URI: s.URL + x.path, Configured: configured, Body: x.body, Type: "application/ocsp-request", MaxOctets: most})
			if x.reason == "" && (err != nil || string(got) != x.want) || x.reason != "" && reasonOf(err) != x.reason {
				t.Errorf("%s, body %q, configured %v: %.60q, %s (%v)", x.path, x.body, configured, got, reasonOf(err), err)
			}
		}
	}
	if elsewhere.Load() > 0 {
		t.Error("a redirection to an address that is forbidden was followed")
	}
	if n := c.inFlight.Load(); n != 0 {
		t.Errorf("%d octets are in flight when all is done", n)
	}
}

const most = 100_000

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestForbidden: an address that is forbidden gets not even a connection; the operator's own may be of loopback.
func TestForbidden(t *testing.T) {
	var connections atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "secret") }))
	s.Config.ConnState = func(net.Conn, http.ConnState) { connections.Add(1) }
	s.Start()
	defer s.Close()
	port := s.Listener.Addr().(*net.TCPAddr).Port
	c := &Client{}
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		if got, err := c.Fetch(t.Context(), Request{URI: fmt.Sprintf("http://%s:%d/", host, port), MaxOctets: most}); err == nil {
			t.Errorf("%s: %q", host, got)
		}
	}
	for _, uri := range []string{"", "file:///etc/passwd", "ldap://127.0.0.1/", "http://", "http:opaque", "http://a:b@127.0.0.1/", "HTTP", "//127.0.0.1/", "http://[::1", "gopher://x/"} {
		if _, err := c.Fetch(t.Context(), Request{URI: uri, Configured: true, MaxOctets: most}); reasonOf(err) != "uri" {
			t.Errorf("%q: %v", uri, err)
		}
	}
	if connections.Load() > 0 {
		t.Error("there was a connection")
	}
	if got, err := c.Fetch(t.Context(), Request{URI: s.URL, Configured: true, MaxOctets: most}); err != nil || string(got) != "secret" {
		t.Errorf("the operator's: %q, %v", got, err)
	}
}

// TestNames: what a name leads to is looked at when the connection is made, each time.
func TestNames(t *testing.T) {
	var hits atomic.Int32
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { hits.Add(1); io.WriteString(w, "x") })
	port := s.Listener.Addr().(*net.TCPAddr).Port
	uri := fmt.Sprintf("http://crl.example:%d/", port)
	var answers atomic.Int32
	// The name leads to an allowed address first, and to others after that.
	resolver := &net.Resolver{PreferGo: true, Dial: fakeDNS(t, func() [4]byte {
		if answers.Add(1) == 1 {
			return [4]byte{127, 0, 0, 1}
		}
		return [4]byte{169, 254, 169, 254}
	})}
	c := &Client{Guard: Guard{Allowed: loopback}, Resolver: resolver}
	if got, err := c.Fetch(t.Context(), Request{URI: uri, MaxOctets: most}); err != nil || string(got) != "x" {
		t.Fatalf("the first time: %q, %v", got, err)
	}
	for _, configured := range []bool{false, true} {
		_, err := c.Fetch(t.Context(), Request{URI: uri, Configured: configured, MaxOctets: most})
		if reasonOf(err) != "forbidden" || !strings.Contains(err.Error(), "169.254.169.254, which is a link-local address") {
			t.Errorf("the second time, configured %v: %v", configured, err)
		}
	}
	private := &Client{Resolver: &net.Resolver{PreferGo: true, Dial: fakeDNS(t, func() [4]byte { return [4]byte{127, 0, 0, 1} })}}
	if _, err := private.Fetch(t.Context(), Request{URI: uri, MaxOctets: most}); reasonOf(err) != "forbidden" {
		t.Errorf("a name of loopback: %v", err)
	}
	if got, err := private.Fetch(t.Context(), Request{URI: uri, Configured: true, MaxOctets: most}); err != nil || string(got) != "x" {
		t.Errorf("a name of loopback that the operator has written: %q, %v", got, err)
	}
	if hits.Load() != 2 {
		t.Errorf("the server was reached %d times", hits.Load())
	}
}

// fakeDNS answers each question for an A with an address, and other questions with nothing.
func fakeDNS(t *testing.T, next func() [4]byte) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := p.ReadFrom(b)
			if err != nil {
				return
			}
			end := 12
			for b[end] != 0 {
				end += int(b[end]) + 1
			}
			end += 5
			out := append([]byte{}, b[:min(end, n)]...)
			out[2], out[3] = 0x81, 0x80
			copy(out[6:12], make([]byte, 6))
			if b[end-3] == 1 { // type A
				a := next()
				out[7] = 1
				out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				out = append(out, a[:]...)
			}
			p.WriteTo(out, from)
		}
	}()
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", p.LocalAddr().String())
	}
}

// TestContext: a fetch ends when its context does, whatever the server does.
func TestContext(t *testing.T) {
	inside := make(chan struct{}, 2)
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
		}
		inside <- struct{}{}
		<-release
	})
	defer close(release)
	c := &Client{Guard: Guard{Allowed: loopback}}
	for _, path := range []string{"/head", "/body"} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-inside; cancel() }()
		if _, err := c.Fetch(ctx, Request{URI: s.URL + path, MaxOctets: most}); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

// TestTLS: a server that nobody vouches for is not asked.
func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") }))
	s.Config.ErrorLog = nil
	s.StartTLS()
	defer s.Close()
	c := &Client{Guard: Guard{Allowed: loopback}}
	if _, err := c.Fetch(t.Context(), Request{URI: s.URL, MaxOctets: most}); reasonOf(err) != "tls" {
		t.Errorf("%v", err)
	}
	if _, err := c.Fetch(t.Context(), Request{URI: "http" + strings.TrimPrefix(s.URL, "https"), MaxOctets: most}); reasonOf(err) != "status" {
		t.Errorf("without TLS: %v", err)
	}
}

// TestBusy: bodies that are read at a time have a bound together, which keeps none from being read that is small.
func TestBusy(t *testing.T) {
	c := &Client{}
	stop := func() {}
	for _, x := range []struct {
		others int64
		octets int
		want   string
	}{
		{maxInFlight - 10_000, 2 << 20, "busy"}, {maxInFlight, freeOctets + 100_000, "busy"}, {maxInFlight, freeOctets / 2, ""},
		{maxInFlight + 10_000, freeOctets / 2, ""}, {maxInFlight - 4<<20, 2 << 20, ""},
	} {
		c.inFlight.Store(x.others)
		body, err := c.read(bytes.NewReader(make([]byte, x.octets)), 64<<20, stop)
		if x.want == "" && (err != nil || len(body) != x.octets) || x.want != "" && reasonOf(err) != x.want {
			t.Errorf("%d octets while others have %d: %v, want %q", x.octets, x.others, err, x.want)
		}
		if n := c.inFlight.Load(); n != x.others {
			t.Errorf("%d octets in flight, want %d", n, x.others)
		}
	}
}

// TestSlow: a body that does not come ends the fetch. Time is that of the bubble.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := make(chan struct{})
		begin := time.Now()
		c := &Client{}
		_, err := c.read(slow{stopped}, most, func() { close(stopped) })
		if reasonOf(err) != "timeout" {
			t.Errorf("%v", err)
		}
		if d := time.Since(begin); d != stallTime {
			t.Errorf("it took %v", d)
		}
	})
}

// slow is a body of which nothing comes.
type slow struct{ stopped chan struct{} }

func (s slow) Read([]byte) (int, error) { <-s.stopped; return 0, context.Canceled }
