package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// Client fetches. Any goroutine may use it. The zero value fetches from the public Internet.
type Client struct {
	Guard Guard
	// Resolver looks names up; nil is that of the system.
	Resolver *net.Resolver

	inFlight atomic.Int64 // octets of bodies that are being read, beyond those that are free
}

// Request is what to fetch.
type Request struct {
	// URI is the address, of http or https.
	URI string
	// Configured: the operator has written it.
	Configured bool
	// Body is sent with POST, as what Type says; nil: GET.
	Body []byte
	Type string
	// MaxOctets bounds the answer.
	MaxOctets int
}

const (
	// beginTime bounds each step up to the head of the answer: looking a name up and connecting, TLS, waiting. stallTime bounds how long
	// nothing of the body comes, and wholeTime everything.
	beginTime = 5 * time.Second
	stallTime = 5 * time.Second
	wholeTime = time.Minute

	maxRedirects    = 3
	maxHeaderOctets = 16 << 10
	// maxInFlight bounds the bodies that are being read at a time, together, beyond the freeOctets that each may have in any case: servers
	// that send much and slowly keep no others from answering.
	maxInFlight = 128 << 20
	freeOctets  = 1 << 20
)

// Fetch fetches. It returns within a minute, or when ctx is done. An error is an [*Error].
func (c *Client) Fetch(ctx context.Context, r Request) ([]byte, error) {
	body, err := c.fetch(ctx, r)
	if err != nil {
		return nil, classify(err)
	}
	return body, nil
}

func (c *Client) fetch(ctx context.Context, r Request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, wholeTime)
	defer cancel()
	u, err := url.Parse(r.URI)
	if err != nil || !acceptable(u) {
		return nil, &Error{ReasonURI, errors.New("the address is not one of http or https")}
	}
	method := http.MethodGet
	var in io.Reader
	if r.Body != nil {
		method, in = http.MethodPost, bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URI, in)
	if err != nil {
		return nil, &Error{ReasonURI, err}
	}
	req.Header.Set("User-Agent", "Esplanade")
	if r.Body != nil {
		req.Header.Set("Content-Type", r.Type)
	}
	transport := c.transport(u, r.Configured)
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, CheckRedirect: checkRedirect}).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil, &Error{ReasonStatus, fmt.Errorf("the server answers %d", resp.StatusCode)}
	case resp.Header.Get("Content-Encoding") != "" && resp.Header.Get("Content-Encoding") != "identity":
		return nil, &Error{ReasonEncoding, errors.New("the server has compressed it, unasked")}
	case resp.ContentLength > int64(r.MaxOctets):
		return nil, &Error{ReasonSize, fmt.Errorf("it has %d bytes; %d is the most that is fetched", resp.ContentLength, r.MaxOctets)}
	}
	return c.read(resp.Body, r.MaxOctets, cancel)
}

// acceptable reports whether an address is one to fetch from, as far as can be seen from it.
func acceptable(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil && u.Opaque == ""
}

// checkRedirect holds a redirection to the rules.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > maxRedirects:
		return &Error{ReasonRedirect, fmt.Errorf("the server redirects more than %d times", maxRedirects)}
	case req.URL.Scheme != first.URL.Scheme:
		return &Error{ReasonRedirect, fmt.Errorf("the server redirects from %s to %q", first.URL.Scheme, req.URL.Scheme)}
	case !acceptable(req.URL):
		return &Error{ReasonRedirect, errors.New("the server redirects to what is no address of a host")}
	case req.Method != first.Method:
		return &Error{ReasonRedirect, errors.New("the server redirects a POST so that it becomes a GET")}
	}
	req.Header.Del("Referer")
	return nil
}

// transport makes connections for one fetch. Those to where the address itself leads may be configured; those of redirections are not.
func (c *Client) transport(u *url.URL, configured bool) *http.Transport {
	first := net.JoinHostPort(u.Hostname(), port(u))
	return &http.Transport{
		Proxy: nil,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			d := net.Dialer{Timeout: beginTime, Resolver: c.Resolver, Control: func(_, at string, _ syscall.RawConn) error {
				ap, err := netip.ParseAddrPort(at)
				if err != nil {
					return err
				}
				return c.Guard.Check(ap.Addr(), configured && addr == first)
			}}
			return d.DialContext(ctx, network, addr)
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    beginTime,
		ResponseHeaderTimeout:  beginTime,
		MaxResponseHeaderBytes: maxHeaderOctets,
		DisableCompression:     true,
		DisableKeepAlives:      true,
	}
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// read reads a body. stop ends the request.
func (c *Client) read(in io.Reader, most int, stop func()) ([]byte, error) {
	var out []byte
	taken := int64(0)
	defer func() { c.inFlight.Add(-taken) }()
	var stalled atomic.Bool
	stall := time.AfterFunc(stallTime, func() { stalled.Store(true); stop() })
	defer stall.Stop()
	for {
		if len(out) == cap(out) {
			grown := slices.Grow(out, max(4<<10, min(len(out), most+1-len(out))))
			more := max(int64(cap(grown))-freeOctets, 0) - taken
			taken += more
			if c.inFlight.Add(more) > maxInFlight && more > 0 {
				return nil, &Error{ReasonBusy, errors.New("too much is being fetched at this time")}
			}
			out = grown
		}
		n, err := in.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		switch {
		case len(out) > most:
			return nil, &Error{ReasonSize, fmt.Errorf("it has more than %d bytes, which is the most that is fetched", most)}
		case err == io.EOF:
			return out, nil
		case err != nil && stalled.Load():
			return nil, &Error{ReasonTimeout, fmt.Errorf("nothing more has come for %v", stallTime)}
		case err != nil:
			return nil, err
		}
		if n > 0 {
			stall.Reset(stallTime)
		}
	}
}
