package ike

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"esplanade/ike/auth"
	"esplanade/ike/gateway"
	"esplanade/ike/pki/cache"
	"esplanade/ike/pki/fetch"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
)

// authority is a CA with a server for CRLs and OCSP.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	http *httptest.Server

	mu      sync.Mutex
	revoked map[string]bool
	number  int64
	// hits counts requests by path.
	hits map[string]int
	// block makes a path wait until it is closed; broken makes it answer nonsense.
	block  map[string]chan struct{}
	broken map[string]bool
	// asked has something for each request.
	asked chan struct{}
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, revoked: map[string]bool{}, hits: map[string]int{}, block: map[string]chan struct{}{}, broken: map[string]bool{}, asked: make(chan struct{}, 256)}
	a.cert, a.key = a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "ca"}, SerialNumber: big.NewInt(1), BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign})
	a.http = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.http.Close)
	return a
}

func (a *authority) issue(c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(240*time.Hour)
	parent, signer := c, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return made, key
}

// end issues a certificate that names paths of the server.
func (a *authority) end(serial int64, crl, responder string) []*x509.Certificate {
	c := &x509.Certificate{Subject: pkix.Name{CommonName: fmt.Sprint("end ", serial)}, SerialNumber: big.NewInt(serial)}
	if crl != "" {
		c.CRLDistributionPoints = []string{a.http.URL + crl}
	}
	if responder != "" {
		c.OCSPServer = []string{a.http.URL + responder}
	}
	made, _ := a.issue(c)
	return []*x509.Certificate{made, a.cert}
}

func (a *authority) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	a.hits[r.URL.Path]++
	a.number++
	number, block, broken := a.number, a.block[r.URL.Path], a.broken[r.URL.Path]
	a.mu.Unlock()
	a.asked <- struct{}{}
	if block != nil {
		<-block
	}
	if broken {
		io.WriteString(w, "<html>")
		return
	}
	if len(body) > 0 {
		q, err := ocsp.ParseRequest(body)
		if err != nil {
			w.WriteHeader(400)
			return
		}
		status := ocsp.Good
		if a.has(q.SerialNumber) {
			status = ocsp.Revoked
		}
		der, _ := ocsp.CreateResponse(a.cert, a.cert, ocsp.Response{Status: status, SerialNumber: q.SerialNumber, ThisUpdate: time.Now().Add(-time.Minute),
			NextUpdate: time.Now().Add(time.Hour), RevokedAt: time.Now().Add(-time.Hour)}, a.key)
		w.Write(der)
		return
	}
	l := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour)}
	a.mu.Lock()
	for s := range a.revoked {
		n, _ := new(big.Int).SetString(s, 10)
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: time.Now().Add(-time.Hour)})
	}
	a.mu.Unlock()
	der, _ := x509.CreateRevocationList(rand.Reader, l, a.cert, a.key)
	w.Write(der)
}

func (a *authority) has(n *big.Int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.revoked[n.String()]
}

func (a *authority) count(path string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hits[path]
}

// inquirer asks and waits for answers.
type inquirer struct {
	t *testing.T
	*revocations
	results chan sa.Result
	log     *strings.Builder
}

func newInquirer(t *testing.T, allowed bool, dir *cache.Dir) *inquirer {
	x := &inquirer{t: t, revocations: new(revocations), results: make(chan sa.Result, 64), log: new(strings.Builder)}
	c := &fetch.Client{}
	if allowed {
		c.Guard.Allowed = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
	x.init(c, dir, slog.New(slog.NewTextHandler(x.log, nil)), func(_ gateway.Errand, r sa.Result) { x.results <- r })
	x.start()
	t.Cleanup(x.close)
	return x
}

func (x *inquirer) send(chain []*x509.Certificate, p policy.Revocation, from string) (sa.Result, bool) {
	u := auth.Unrevoked{Chain: chain, Rules: revocation.Rules{Policy: p}}
	return x.ask(gateway.Errand{Want: sa.Proof{Want: u}, Peer: netip.MustParseAddr(from), Stranger: true}, u)
}

// verdict asks and waits.
func (x *inquirer) verdict(chain []*x509.Certificate, p policy.Revocation) error {
	x.t.Helper()
	if r, done := x.send(chain, p, "192.0.2.1"); done {
		return errOf(r)
	}
	return errOf(<-x.results)
}

func errOf(r sa.Result) error {
	if u, ok := r.(sa.Unfulfilled); ok {
		return u.Err
	}
	return nil
}

// TestRevocations: what peers hear with a CA that answers, with one that does not, and with one that lies, under each policy.
func TestRevocations(t *testing.T) {
	a := newAuthority(t)
	a.broken["/broken"] = true
	a.revoked["20"], a.revoked["21"] = true, true
	dead := httptest.NewServer(nil)
	dead.Close()
	live := a.http.URL
	a.http.URL = dead.URL
	gone := a.end(30, "/crl", "")
	a.http.URL = live
	const relaxed, ifuri, strict = policy.RevocationRelaxed, policy.RevocationIfURI, policy.RevocationStrict
	for _, c := range []struct {
		what    string
		chain   []*x509.Certificate
		refused int // from which policy on
		revoked bool
	}{
		{"a good CRL", a.end(10, "/crl", ""), 3, false},
		{"a good responder", a.end(11, "", "/ocsp"), 3, false},
		{"a CRL that lists it", a.end(20, "/crl", ""), 0, true},
		{"a responder that has it", a.end(21, "", "/ocsp"), 0, true},
		{"a broken responder, and a good CRL", a.end(12, "/crl", "/broken"), 3, false},
		{"a broken responder, and a CRL that lists it", a.end(20, "/crl", "/broken"), 0, true},
		{"a broken responder", a.end(13, "", "/broken"), 1, false},
		{"nobody there", gone, 1, false},
		{"no source", a.end(14, "", ""), 2, false},
	} {
		x := newInquirer(t, true, nil)
		for _, p := range []policy.Revocation{relaxed, ifuri, strict} {
			err := x.verdict(c.chain, p)
			var r *revocation.Refusal
			if (err != nil) != (int(p) >= c.refused) || err != nil && !errors.As(err, &r) || r != nil && (r.Status == revocation.Revoked) != c.revoked {
				t.Errorf("%s, %s: %v", c.what, p, err)
			}
		}
		if strings.Count(x.log.String(), "cannot find out") > 1 {
			t.Errorf("%s: the log says it more than once: %s", c.what, x.log)
		}
	}
}

// TestNothingPrivate: an address in a certificate that leads to this host is not asked.
func TestNothingPrivate(t *testing.T) {
	a := newAuthority(t)
	x := newInquirer(t, false, nil)
	err := x.verdict(a.end(10, "/crl", "/ocsp"), policy.RevocationStrict)
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1, which is loopback") {
		t.Errorf("%v", err)
	}
	if n := a.count("/crl") + a.count("/ocsp"); n > 0 {
		t.Errorf("it was asked %d times", n)
	}
}

// TestShared: many peers that need the same wait for one fetch, and those after them for none.
func TestShared(t *testing.T) {
	a := newAuthority(t)
	release := make(chan struct{})
	a.block["/crl"] = release
	x := newInquirer(t, true, nil)
	const peers = 20
	for i := range peers {
		if _, done := x.send(a.end(int64(10+i), "/crl", ""), policy.RevocationStrict, fmt.Sprint("192.0.2.", i)); done {
			t.Fatal("refused")
		}
	}
	// They are assessed in their order.
	if err := x.verdict(a.end(98, "", ""), policy.RevocationRelaxed); err != nil {
		t.Fatal(err)
	}
	close(release)
	for range peers {
		if err := errOf(<-x.results); err != nil {
			t.Error(err)
		}
	}
	if err := x.verdict(a.end(99, "/crl", ""), policy.RevocationStrict); err != nil {
		t.Error(err)
	}
	if n := a.count("/crl"); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}

// TestEndWhileFetching: the end does not wait for a server.
func TestEndWhileFetching(t *testing.T) {
	a := newAuthority(t)
	release := make(chan struct{})
	defer close(release)
	a.block["/crl"] = release
	x := newInquirer(t, true, nil)
	x.send(a.end(10, "/crl", ""), policy.RevocationStrict, "192.0.2.1")
	<-a.asked
	x.close()
}

// TestCacheOnDisk: what was fetched is there after a restart, without a network; what is damaged there is said, and fetched.
func TestCacheOnDisk(t *testing.T) {
	a := newAuthority(t)
	dir, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	chain := a.end(10, "/crl", "")
	for range 2 {
		if err := newInquirer(t, true, dir).verdict(chain, policy.RevocationStrict); err != nil {
			t.Error(err)
		}
	}
	if n := a.count("/crl"); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	var s revocation.Store
	v := s.Assess(time.Now(), chain, revocation.Rules{}, nil)
	dir.Put(v.Needed[0].Key(), []byte("damaged"))
	x := newInquirer(t, true, dir)
	if err := x.verdict(chain, policy.RevocationStrict); err != nil {
		t.Error(err)
	}
	if n := a.count("/crl"); n != 2 {
		t.Errorf("fetched %d times", n)
	}
	if !strings.Contains(x.log.String(), "what is kept on disk is of no use") {
		t.Errorf("nobody hears of it: %s", x.log)
	}
	if x.counts[FetchKey{"crl", "ok"}] != 1 {
		t.Errorf("counted: %v", x.counts)
	}
}

// TestOlderThanOnDisk: an old list that somebody on the way puts in the place of the one that is fetched ahead does not come to the disk
// either, where it would be believed after a restart.
func TestOlderThanOnDisk(t *testing.T) {
	a := newAuthority(t)
	dir, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	chain := a.end(10, "/crl", "")
	var s revocation.Store
	n := s.Assess(time.Now(), chain, revocation.Rules{}, nil).Needed[0]
	x := newInquirer(t, true, dir)
	for _, c := range []struct {
		number, kept int64
		result       string
	}{{10, 11, "ok"}, {0, 11, "older"}, {20, 21, "ok"}} {
		a.mu.Lock()
		a.number = c.number
		a.mu.Unlock()
		if result, err := x.fly(&flight{needed: n, key: n.Key(), ahead: true}); result != c.result || (err == nil) != (result == "ok") {
			t.Errorf("%q, %v, want %q", result, err, c.result)
		}
		der, err := dir.Get(n.Key(), n.Kind.MaxOctets())
		if err != nil {
			t.Fatal(err)
		}
		if l, err := x509.ParseRevocationList(der); err != nil || l.Number.Int64() != c.kept {
			t.Errorf("the disk has %v, %v, want number %d", l.Number, err, c.kept)
		}
	}
}

// TestOwnStaple: an answer for this gateway's own certificate is fetched without anybody asking.
func TestOwnStaple(t *testing.T) {
	a := newAuthority(t)
	x := newInquirer(t, true, nil)
	chain := a.end(10, "", "/ocsp")
	d := &Daemon{}
	h := host{d}
	if h.Staple(time.Now(), chain[0]) != nil {
		t.Error("there is one before")
	}
	x.setOwn([]revocation.Own{{Certificate: chain[0], Issuer: chain[1]}})
	<-a.asked
	// Whoever asks for the same waits for the same fetch.
	if err := x.verdict(chain, policy.RevocationStrict); err != nil || a.count("/ocsp") != 1 {
		t.Errorf("%v, asked %d times", err, a.count("/ocsp"))
	}
	d.revocations.staples.Store(x.staples.Load())
	der := h.Staple(time.Now(), chain[0])
	if r, err := ocsp.ParseResponse(der, a.cert); err != nil || r.Status != ocsp.Good {
		t.Errorf("%v, %v", r, err)
	}
	if h.Staple(time.Now().Add(2*time.Hour), chain[0]) != nil {
		t.Error("one that has ended is sent")
	}
}

// TestComplaints: what fails is said when it begins, when it fails otherwise, each hour, and when it works again.
func TestComplaints(t *testing.T) {
	var lines atomic.Int32
	log := slog.New(counting{&lines})
	var c complaints
	now := time.Now()
	f := &flight{needed: revocation.Needed{URI: "http://x/"}}
	for i, x := range []struct {
		err  error
		at   time.Duration
		want int32
	}{
		{nil, 0, 0},
		{&fetch.Error{Reason: fetch.ReasonTimeout, Err: io.EOF}, 0, 1},
		{&fetch.Error{Reason: fetch.ReasonTimeout, Err: io.EOF}, time.Minute, 1},
		{&revocation.Problem{Fault: revocation.FaultStale}, 2 * time.Minute, 2},
		{&revocation.Problem{Fault: revocation.FaultStale}, time.Hour + 2*time.Minute, 3},
		{nil, 2 * time.Hour, 4},
		{nil, 2 * time.Hour, 4},
	} {
		c.say(log, now.Add(x.at), f, x.err)
		if n := lines.Load(); n != x.want {
			t.Errorf("%d: %d lines, want %d", i, n, x.want)
		}
	}
	for i := range maxComplaints * 3 {
		c.say(log, now, &flight{needed: revocation.Needed{URI: fmt.Sprint(i)}}, io.EOF)
	}
	if len(c.of) > maxComplaints {
		t.Errorf("%d are remembered", len(c.of))
	}
}

// counting counts lines.
type counting struct{ n *atomic.Int32 }

func (c counting) Enabled(context.Context, slog.Level) bool  { return true }
func (c counting) Handle(context.Context, slog.Record) error { c.n.Add(1); return nil }
func (c counting) WithAttrs([]slog.Attr) slog.Handler        { return c }
func (c counting) WithGroup(string) slog.Handler             { return c }

// TestPatience: a server that does not answer does not keep a peer waiting for ever; what it says later is there for the next one.
func TestPatience(t *testing.T) {
	a := newAuthority(t)
	release := make(chan struct{})
	a.block["/crl"] = release
	x := newInquirer(t, true, nil)
	for _, p := range []policy.Revocation{policy.RevocationStrict, policy.RevocationRelaxed} {
		x.send(a.end(10, "/crl", ""), p, "192.0.2.1")
	}
	<-a.asked
	// They are assessed in their order.
	if err := x.verdict(a.end(98, "", ""), policy.RevocationRelaxed); err != nil {
		t.Fatal(err)
	}
	x.mu.Lock()
	var waiting []*inquiry
	for _, f := range x.byKey {
		waiting = append(waiting, f.waiting...)
	}
	x.mu.Unlock()
	if len(waiting) != 2 {
		t.Fatalf("%d wait", len(waiting))
	}
	for _, q := range waiting { // as its timer does
		x.expire(q)
		x.expire(q)
	}
	if err := errOf(<-x.results); err == nil || !strings.Contains(err.Error(), "no answer within 12s") {
		t.Errorf("strict: %v", err)
	}
	if err := errOf(<-x.results); err != nil {
		t.Errorf("relaxed: %v", err)
	}
	close(release)
	if err := x.verdict(a.end(11, "/crl", ""), policy.RevocationStrict); err != nil {
		t.Errorf("the next one: %v", err)
	}
	if n := a.count("/crl"); n != 1 || len(x.results) != 0 {
		t.Errorf("fetched %d times, %d results too many", n, len(x.results))
	}
	if w := x.open; w != 0 || len(x.of) != 0 {
		t.Errorf("%d are open", w)
	}
}
