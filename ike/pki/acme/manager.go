package acme

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"esplanade/ike/pki/ca"
)

// LetsEncrypt is the directory of Let's Encrypt.
const LetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// Challenge is how the names are proved.
type Challenge string

// The challenges. The server connects to port 80 for the first and to port 443 for the second, of each name.
const (
	HTTP01    Challenge = "http-01"
	TLSALPN01 Challenge = "tls-alpn-01"
)

// Options are what a Manager is to do.
type Options struct {
	Directory string // URL
	Email     string // where the server may write to; may be empty
	// Domains are the names of the certificate, DNS names or IP addresses; there is at least one.
	Domains   []string
	Challenge Challenge
	Listen    string // host:port
	Folder    string
	Kind      ca.Kind // of the certificate's key
	ReuseKey  bool    // at a renewal; otherwise it is a new one
	Profile   string  // of the certificate, if the server has several; may be empty
	// KeyID and HMACKey bind the account to one that the server knows (RFC 8555, "External Account Binding"). Both may be empty.
	KeyID   string
	HMACKey []byte
	// Roots are the CAs that are accepted of the server; nil: those of the system.
	Roots     *x509.CertPool
	UserAgent string
	Log       *slog.Logger
	// Now is time.Now, if it is nil.
	Now func() time.Time
}

// The times of attempts.
const (
	// attemptTime bounds an attempt: a server that answers none of its requests, or a challenge that it never looks at.
	attemptTime = 5 * time.Minute
	// firstPause is the one after the first failure, and longestPause the longest. Let's Encrypt lets a name fail five times an hour.
	firstPause   = time.Minute
	longestPause = 24 * time.Hour
	// longestSleep is after how long the clock is looked at again at the latest, whatever was to be waited for: it may have jumped,
	// or the host slept.
	longestSleep = 10 * time.Minute
)

// State is what a Manager has, for people and programs.
type State struct {
	Domains []string
	File    string
	// NotAfter is when the certificate ends; zero if there is none.
	NotAfter time.Time
	// Next is when the next attempt is due.
	Next time.Time
	// Failures are those in a row, and Error the last one, with its fix.
	Failures int
	Error    string
	ErrorAt  time.Time
	Issued   uint64 // certificates since the start
	Attempts uint64
}

// Manager gets and renews a certificate.
type Manager struct {
	o      Options
	log    *slog.Logger
	client *http.Client
	store  store
	wake   chan struct{}

	mu    sync.Mutex
	state State
}

// New makes a Manager. It touches nothing before it runs.
func New(o Options) *Manager {
	if o.Now == nil {
		o.Now = time.Now
	}
	m := &Manager{o: o, log: o.Log, client: newHTTPClient(o.Roots), store: store{folder: o.Folder}, wake: make(chan struct{}, 1)}
	m.state = State{Domains: o.Domains, File: CertFile(o.Folder, o.Domains)}
	return m
}

// State is what there is. It may be called by any goroutine.
func (m *Manager) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// Wake has the Manager look at the clock and the files again. It may be called by any goroutine.
func (m *Manager) Wake() {
	select {
	case m.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run works until ctx ends.
func (m *Manager) Run(ctx context.Context) {
	for ctx.Err() == nil {
		now := m.o.Now()
		next, err := m.plan(now)
		if err == nil && !now.Before(next) {
			m.attempt(ctx, now)
			continue
		}
		if err != nil {
			m.fail(now, err, 0)
			next = now.Add(longestSleep)
		}
		select {
		case <-ctx.Done():
		case <-m.wake:
		case <-time.After(min(next.Sub(now), longestSleep)):
		}
	}
}

// plan finds out when the next attempt is due, and remembers what there is.
func (m *Manager) plan(now time.Time) (time.Time, error) {
	record, err := m.store.record()
	if err != nil {
		return now, err
	}
	pair, err := m.store.pair(m.state.File)
	if err != nil {
		return now, err
	}
	next, good := now, false
	var end time.Time
	if pair != nil {
		end = pair.leaf.NotAfter
		if good = covers(pair.leaf, m.o.Domains) && pair.kind() == m.o.Kind; good {
			next = renewal(pair.leaf)
		}
	}
	if after := record.after(now, m.what(), good); after.After(next) {
		next = after
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.NotAfter, m.state.Next, m.state.Failures = end, next, record.failuresOf(m.what())
	return next, nil
}

// what is what the attempts are for.
func (m *Manager) what() string {
	return fmt.Sprintf("%s %s %s %s", m.o.Directory, m.o.Kind, m.o.Profile, strings.Join(m.o.Domains, " "))
}

// renewal is when a certificate is renewed: after two thirds of its time.
func renewal(c *x509.Certificate) time.Time {
	return c.NotBefore.Add(c.NotAfter.Sub(c.NotBefore) / 3 * 2)
}

// covers reports whether a certificate has all the names.
func covers(c *x509.Certificate, names []string) bool {
	for _, n := range names {
		if c.VerifyHostname(n) != nil {
			return false
		}
	}
	return true
}

// attempt gets a certificate, or says why not.
func (m *Manager) attempt(ctx context.Context, now time.Time) {
	record, err := m.store.record()
	if err == nil {
		// Before the attempt: a daemon that is killed during it must not begin the next one at once.
		record = record.begin(now, m.what())
		err = m.store.save(record)
	}
	if err != nil {
		m.fail(now, err, 0)
		// Nothing says when the last attempt was: wait here instead.
		select {
		case <-ctx.Done():
		case <-time.After(longestSleep):
		}
		return
	}
	m.mu.Lock()
	m.state.Attempts++
	m.mu.Unlock()
	attemptCtx, stop := context.WithTimeout(ctx, attemptTime)
	defer stop()
	pair, err := m.order(attemptCtx)
	if err == nil {
		err = m.store.writePair(m.state.File, pair)
	}
	if ctx.Err() != nil {
		return // the daemon ends; what was under way counts as an attempt
	}
	if err != nil {
		if limit, ok := rateLimit(err); ok {
			// Not before the server says, unless it says more than a day: it may be wrong, and one request a day harms nobody.
			record.Next = now.Add(jitter(min(max(limit, pause(record.Failures)), longestPause)))
			err = errors.Join(err, m.store.save(record))
		}
		m.mu.Lock()
		m.state.Failures = record.failuresOf(m.what()) // with the error, or whoever sees that misses this one
		m.mu.Unlock()
		m.fail(now, err, record.Next.Sub(now))
		return
	}
	m.succeed(now, pair)
}

// fail logs and remembers a failure, in this order: what the status shows is in the log.
func (m *Manager) fail(now time.Time, err error, again time.Duration) {
	text := explain(err, m.o)
	m.mu.Lock()
	fresh := text != m.state.Error
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.state.Error, m.state.ErrorAt = text, now
		m.mu.Unlock()
	}()
	attrs := []any{"domains", m.o.Domains, "error", text}
	if again > 0 {
		attrs = append(attrs, "again_in", again.Round(time.Second).String())
	}
	if fresh {
		m.log.Warn("no certificate from the ACME server", attrs...)
	} else {
		m.log.Info("still no certificate from the ACME server", attrs...)
	}
}

// succeed remembers and logs a new certificate.
func (m *Manager) succeed(now time.Time, p *pair) {
	if err := m.store.save(issued(now, m.what(), p.leaf)); err != nil {
		m.log.Warn("the state of ACME cannot be written", "error", err)
	}
	m.mu.Lock()
	m.state.Error, m.state.ErrorAt, m.state.Failures = "", time.Time{}, 0
	m.state.NotAfter, m.state.Issued = p.leaf.NotAfter, m.state.Issued+1
	file := m.state.File
	m.mu.Unlock()
	m.log.Info("a certificate from the ACME server", "domains", m.o.Domains, "until", p.leaf.NotAfter.UTC(), "serial", ca.FormatSerial(p.leaf.SerialNumber), "file", file)
}

// pause is how long to wait after a number of failures in a row.
func pause(failures int) time.Duration {
	d := firstPause
	for i := 1; i < failures && d < longestPause; i++ {
		d *= 2
	}
	return min(d, longestPause)
}

// jitter makes a pause up to a quarter longer, so that many gateways whose server was away do not come back at the same moment.
func jitter(d time.Duration) time.Duration { return d + rand.N(d/4+1) }
