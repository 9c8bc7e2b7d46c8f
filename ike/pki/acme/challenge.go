package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
)

// What a stranger may do while a challenge is under way.
const (
	challengeTime       = 10 * time.Second // for one request
	maxChallengeHeaders = 8 << 10
	maxChallengeConns   = 64 // at once
)

// newClientTLS is for connections to the server.
func newClientTLS(roots *x509.CertPool) *tls.Config {
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// authorize proves all names of an order that are not proved yet. It listens while it does.
func (m *Manager) authorize(ctx context.Context, client *acme.Client, o *acme.Order) error {
	answers := &answers{http: map[string]string{}, tls: map[string]*tls.Certificate{}}
	type step struct {
		name, url string
		challenge *acme.Challenge
	}
	var steps []step
	for _, url := range o.AuthzURLs {
		z, err := client.GetAuthorization(ctx, url)
		if err != nil {
			return fmt.Errorf("the authorization: %w", err)
		}
		if z.Status != acme.StatusPending {
			continue // valid from before, or the order says what is wrong
		}
		name := z.Identifier.Value
		var chosen *acme.Challenge
		for _, c := range z.Challenges {
			if c.Type == string(m.o.Challenge) {
				chosen = c
			}
		}
		if chosen == nil {
			return fmt.Errorf("the server has no challenge %s for %s; write another one", m.o.Challenge, name)
		}
		if err := answers.add(client, m.o.Challenge, name, chosen.Token); err != nil {
			return err
		}
		steps = append(steps, step{name, url, chosen})
	}
	if len(steps) == 0 {
		return nil
	}
	stop, err := m.listen(answers)
	if err != nil {
		return err
	}
	defer stop()
	for _, s := range steps {
		if _, err := client.Accept(ctx, s.challenge); err != nil {
			return fmt.Errorf("the challenge for %s: %w", s.name, err)
		}
	}
	for _, s := range steps {
		if _, err := client.WaitAuthorization(ctx, s.url); err != nil {
			return &challengeError{s.name, err}
		}
	}
	return nil
}

// challengeError is a name that the server could not prove to be this host's.
type challengeError struct {
	name string
	err  error
}

func (e *challengeError) Error() string {
	return fmt.Sprintf("the server has not found this host under the name %s: %v", e.name, e.err)
}

func (e *challengeError) Unwrap() error { return e.err }

// answers are what the server looks for.
type answers struct {
	http map[string]string           // by the path
	tls  map[string]*tls.Certificate // by the name of the client's SNI
}

func (a *answers) add(client *acme.Client, kind Challenge, name, token string) error {
	if kind == HTTP01 {
		text, err := client.HTTP01ChallengeResponse(token)
		if err != nil {
			return err
		}
		a.http[client.HTTP01ChallengePath(token)] = text
		return nil
	}
	cert, err := client.TLSALPN01ChallengeCert(token, name)
	if err != nil {
		return err
	}
	a.tls[serverName(name)] = &cert
	return nil
}

// serverName is the SNI for a name. For an address it is the one of its reverse lookup (RFC 8738).
func serverName(name string) string {
	a, err := netip.ParseAddr(name)
	if err != nil {
		return strings.ToLower(name)
	}
	if a.Is4() {
		b := a.As4()
		return fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa", b[3], b[2], b[1], b[0])
	}
	var s strings.Builder
	b := a.As16()
	for i := len(b) - 1; i >= 0; i-- {
		fmt.Fprintf(&s, "%x.%x.", b[i]&15, b[i]>>4)
	}
	return s.String() + "ip6.arpa"
}

// listen answers the server until stop is called. It answers nothing else.
func (m *Manager) listen(a *answers) (stop func(), err error) {
	l, err := net.Listen("tcp", m.o.Listen)
	if err != nil {
		return nil, &listenError{err}
	}
	limited := &limitedListener{Listener: l, room: make(chan struct{}, maxChallengeConns)}
	if m.o.Challenge == TLSALPN01 {
		return a.serveTLS(limited), nil
	}
	server := &http.Server{
		Handler: http.HandlerFunc(a.serveHTTP), ReadTimeout: challengeTime, WriteTimeout: challengeTime, MaxHeaderBytes: maxChallengeHeaders,
		ErrorLog: nil, DisableGeneralOptionsHandler: true,
	}
	server.SetKeepAlivesEnabled(false)
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(limited) }) // ends by Close
	return func() { _ = server.Close(); wg.Wait() }, nil
}

func (a *answers) serveHTTP(w http.ResponseWriter, r *http.Request) {
	text, ok := a.http[r.URL.Path]
	if !ok || r.Method != http.MethodGet {
		http.Error(w, "this port is only for a challenge of ACME", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream") // RFC 8555, "HTTP Challenge"
	_, _ = io.WriteString(w, text)                             // the server asks again
}

// serveTLS finishes handshakes for the challenge and nothing else (RFC 8737).
func (a *answers) serveTLS(l net.Listener) (stop func()) {
	config := &tls.Config{
		NextProtos: []string{acme.ALPNProto}, MinVersion: tls.VersionTLS12,
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if c, ok := a.tls[strings.ToLower(h.ServerName)]; ok {
				return c, nil
			}
			return nil, errors.New("no challenge for that name")
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				select {
				case <-ctx.Done():
					return
				case <-time.After(50 * time.Millisecond): // out of descriptors, or the like
				}
				continue
			}
			wg.Go(func() {
				defer c.Close()
				handshake, done := context.WithTimeout(ctx, challengeTime)
				defer done()
				_ = tls.Server(c, config).HandshakeContext(handshake) // the server asks again
			})
		}
	})
	return func() { cancel(); _ = l.Close(); wg.Wait() }
}

// listenError is a port that cannot be had.
type listenError struct{ err error }

func (e *listenError) Error() string { return e.err.Error() }
func (e *listenError) Unwrap() error { return e.err }

// limitedListener has a bounded number of connections at once; others wait in the system's queue.
type limitedListener struct {
	net.Listener
	room chan struct{}
}

func (l *limitedListener) Accept() (net.Conn, error) {
	l.room <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.room
		return nil, err
	}
	return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { <-l.room })}, nil
}

type limitedConn struct {
	net.Conn
	leave func()
}

func (c *limitedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
