package acme

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/acme"

	"esplanade/ike/pki/ca"
)

// pebbleVersion is the ACME server of the tests: Let's Encrypt's own, as the Go module proxy has it.
const pebbleVersion = "v2.10.3"

// pebblePrograms builds the server and its DNS, once for all tests of a run.
func pebblePrograms(t *testing.T) (dir string) {
	t.Helper()
	if testing.Short() {
		t.Skip("NOT TESTED: building an ACME server takes half a minute")
	}
	dir = t.TempDir()
	for _, name := range []string{"pebble", "pebble-challtestsrv"} {
		c := exec.Command("go", "install", "github.com/letsencrypt/pebble/v2/cmd/"+name+"@"+pebbleVersion)
		c.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOWORK=off")
		if out, err := c.CombinedOutput(); err != nil {
			t.Skipf("NOT TESTED: no ACME server from the Go module proxy: %v\n%s", err, out)
		}
	}
	return dir
}

// pebble is a running ACME server.
type pebble struct {
	directory string
	roots     *x509.CertPool // of its HTTPS
	http, tls string         // where it looks for challenges
	log       *logged
}

// freePort is an address that nothing has at the moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func portOf(addr string) json.Number {
	_, port, _ := net.SplitHostPort(addr)
	return json.Number(port)
}

// started starts a program that runs until the test ends.
func started(t *testing.T, log *logged, env []string, args ...string) {
	t.Helper()
	c := exec.Command(args[0], args[1:]...)
	c.Stdout, c.Stderr, c.Env = log, log, append(os.Environ(), env...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(args[0]), log)
		}
	})
}

// newPebble starts a server whose certificates are valid for a time. One nonce in ten is refused: often enough to be met, and so rarely
// that no request uses up its repetitions.
func newPebble(t *testing.T, programs string, validity time.Duration, more map[string]any) *pebble {
	t.Helper()
	dir := t.TempDir()
	// Its HTTPS has a CA of its own, as a private ACME server has.
	caKey, err := ca.GenerateKey(ca.KindP256)
	if err != nil {
		t.Fatal(err)
	}
	a, err := ca.NewRoot(time.Now(), ca.Root{Validity: ca.Day}, caKey)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ca.GenerateKey(ca.KindP256)
	if err != nil {
		t.Fatal(err)
	}
	r := ca.Request{CommonName: "pebble", Key: key.Public(), Validity: time.Hour}
	if err := r.Names.Add("127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	cert, err := a.Issue(time.Now(), r)
	if err != nil {
		t.Fatal(err)
	}
	keyPEM, err := ca.EncodeKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	p := &pebble{roots: x509.NewCertPool(), http: freePort(t), tls: freePort(t), log: &logged{}}
	p.roots.AddCert(a.Certificate)
	listen, management, dns, dnsManagement := freePort(t), freePort(t), freePort(t), freePort(t)
	p.directory = "https://" + listen + "/dir"
	config := map[string]any{
		"listenAddress": listen, "managementListenAddress": management, "certificate": write("server.crt", ca.EncodeCertificate(cert)), "privateKey": write("server.key", keyPEM),
		"httpPort": portOf(p.http), "tlsPort": portOf(p.tls), "ocspResponderURL": "", "externalAccountBindingRequired": false,
		"retryAfter": map[string]int{"authz": 1, "order": 1}, "keyAlgorithm": "ecdsa",
		"profiles": map[string]any{"default": map[string]any{"description": "for tests", "validityPeriod": int(validity.Seconds())}},
	}
	for k, v := range more {
		config[k] = v
	}
	data, err := json.Marshal(map[string]any{"pebble": config})
	if err != nil {
		t.Fatal(err)
	}
	started(t, &logged{}, nil, filepath.Join(programs, "pebble-challtestsrv"), "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dnsserver", dns, "-http01", "", "-https01", "", "-tlsalpn01", "",
		"-doh", "", "-management", dnsManagement)
	started(t, p.log, []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=10", "PEBBLE_AUTHZREUSE=0"},
		filepath.Join(programs, "pebble"), "-config", write("pebble.json", data), "-dnsserver", dns, "-strict")
	client := newHTTPClient(p.roots)
	eventually(t, "the ACME server answers", func() bool {
		res, err := client.Get(p.directory)
		if err != nil {
			return false
		}
		return errors.Join(err, res.Body.Close()) == nil && res.StatusCode == http.StatusOK
	})
	return p
}

// options are those of a Manager that asks this server.
func (p *pebble) options(folder string, c Challenge, domains ...string) Options {
	o := Options{Directory: p.directory, Email: "me@example.org", Domains: domains, Challenge: c, Listen: p.http, Folder: folder, Roots: p.roots, UserAgent: "esplanade/test"}
	if c == TLSALPN01 {
		o.Listen = p.tls
	}
	return o
}

// wantNobody wants no port to be open that is for a challenge.
func wantNobody(t *testing.T, addr string) {
	t.Helper()
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Errorf("%s is open without a challenge", addr)
	}
}

// TestPebble gets and renews certificates from a real server, by both challenges.
func TestPebble(t *testing.T) {
	programs := pebblePrograms(t)
	p := newPebble(t, programs, 90*24*time.Hour, nil)
	for _, kind := range []Challenge{HTTP01, TLSALPN01} {
		for _, reuse := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reuse %v", kind, reuse), func(t *testing.T) {
				c := &clock{}
				o := p.options(filepath.Join(t.TempDir(), "acme"), kind, "vpn.example.org", "vpn2.example.org")
				o.Now, o.ReuseKey = c.now, reuse
				m, log, stop := running(t, o)
				eventually(t, "there is a certificate", func() bool { return m.State().Issued == 1 })
				wantNobody(t, o.Listen)
				path := filepath.Join(o.Folder, "vpn.example.org.pem")
				first := wantPair(t, path, o.Domains)
				if !strings.Contains(log.String(), "a certificate from the ACME server") || strings.Contains(log.String(), "WARN") {
					t.Error(log)
				}
				if x := m.State(); x.File != path || x.Error != "" || !x.NotAfter.Equal(first.leaf.NotAfter) {
					t.Errorf("%+v", x)
				}
				// Not due: nothing happens, also after a restart.
				stop()
				c.advance(59 * 24 * time.Hour)
				m, _, stop = running(t, o)
				eventually(t, "it has a plan", func() bool { return m.State().Next.After(c.now()) })
				if x := m.State(); x.Attempts != 0 || !x.Next.Equal(renewal(first.leaf)) {
					t.Errorf("%+v", x)
				}
				// Due.
				c.advance(2 * 24 * time.Hour)
				m.Wake()
				eventually(t, "it is renewed", func() bool { return m.State().Issued == 1 })
				second := wantPair(t, path, o.Domains)
				if same := ca.Fits(second.leaf, first.key); same != reuse || second.leaf.Equal(first.leaf) {
					t.Errorf("the key is the same: %v", same)
				}
				// The clock is far ahead now: it is not renewed again and again.
				m.Wake()
				eventually(t, "it has a plan", func() bool { return m.State().Next.After(c.now()) })
				if x := m.State(); x.Attempts != 1 {
					t.Errorf("%+v", x)
				}
				stop()
				list, err := os.ReadDir(o.Folder)
				if err != nil || len(list) != 3 {
					t.Errorf("%v, %v", list, err)
				}
			})
		}
	}
	t.Run("an address and another kind of key", func(t *testing.T) {
		o := p.options(t.TempDir(), TLSALPN01, "127.0.0.1")
		o.Kind = ca.KindP384
		m, _, _ := running(t, o)
		eventually(t, "there is a certificate", func() bool { return m.State().Issued == 1 })
		if got := wantPair(t, m.State().File, o.Domains); got.kind() != ca.KindP384 {
			t.Error(got.kind())
		}
	})
	t.Run("a challenge that does not arrive", func(t *testing.T) {
		o := p.options(t.TempDir(), HTTP01, "vpn.example.org")
		o.Listen = freePort(t) // nothing is forwarded there
		m, _, _ := running(t, o)
		eventually(t, "the attempt has failed", func() bool { return m.State().Error != "" })
		if x := m.State(); !strings.Contains(x.Error, "the server has not found this host under the name vpn.example.org") ||
			!strings.Contains(x.Error, "Fix: let port 80 of vpn.example.org reach this host, at "+o.Listen) || x.Next.Sub(x.ErrorAt) > 80*time.Second {
			t.Errorf("%+v", x)
		}
		wantNobody(t, o.Listen)
	})
	t.Run("a binding of the account", func(t *testing.T) { testBinding(t, programs) })
	t.Run("a port that is taken", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		o := p.options(t.TempDir(), HTTP01, "vpn.example.org")
		o.Listen = l.Addr().String()
		m, _, _ := running(t, o)
		eventually(t, "the attempt has failed", func() bool { return m.State().Error != "" })
		if x := m.State(); !strings.Contains(x.Error, "address already in use. Fix: free the port") {
			t.Errorf("%+v", x)
		}
	})
}

// testBinding: an account that the server has to know already, and a name that it does not issue for.
func testBinding(t *testing.T, programs string) {
	p := newPebble(t, programs, 24*time.Hour, map[string]any{
		"externalAccountBindingRequired": true, "externalAccountMACKeys": map[string]string{"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"},
		"domainBlocklist": []string{"blocked.example.org"},
	})
	o := p.options(t.TempDir(), HTTP01, "vpn.example.org")
	m, _, stop := running(t, o)
	eventually(t, "the attempt has failed", func() bool { return m.State().Error != "" })
	if x := m.State(); !strings.Contains(x.Error, "write eab_key_id and eab_hmac_key") {
		t.Errorf("%+v", x)
	}
	stop()
	o.Folder, o.KeyID = t.TempDir(), "kid-1"
	var err error
	if o.HMACKey, err = DecodeHMAC("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"); err != nil {
		t.Fatal(err)
	}
	m, _, stop = running(t, o)
	eventually(t, "there is a certificate", func() bool { return m.State().Issued == 1 })
	stop()
	o.Domains = []string{"blocked.example.org"}
	m, _, _ = running(t, o)
	eventually(t, "the attempt has failed", func() bool { return m.State().Error != "" })
	if x := m.State(); !strings.Contains(x.Error, "write domains for which this server issues") {
		t.Errorf("%+v", x)
	}
}

// wantPair wants a file with a key and a chain for it.
func wantPair(t *testing.T, path string, domains []string) *pair {
	t.Helper()
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Fatal(info, err)
	}
	p, err := store{}.pair(path)
	if err != nil || p == nil || !covers(p.leaf, domains) || len(p.chain) < 2 {
		t.Fatal(p, err)
	}
	return p
}

// TestChallengeServers: what a stranger gets of the ports for challenges.
func TestChallengeServers(t *testing.T) {
	a := &answers{http: map[string]string{"/.well-known/acme-challenge/x": "x.y"}, tls: map[string]*tls.Certificate{}}
	for path, want := range map[string]int{"/.well-known/acme-challenge/x": http.StatusOK, "/": http.StatusNotFound, "/.well-known/acme-challenge/": http.StatusNotFound, "/.well-known/acme-challenge/x/": http.StatusNotFound} {
		w := httptest.NewRecorder()
		a.serveHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want || want == http.StatusOK && w.Body.String() != "x.y" {
			t.Errorf("%s: %d, %s", path, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	a.serveHTTP(w, httptest.NewRequest(http.MethodPost, "/.well-known/acme-challenge/x", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("POST: %d", w.Code)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ca.GenerateKey(ca.KindP256)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.add(&acme.Client{Key: key}, TLSALPN01, "a.example", "token"); err != nil {
		t.Fatal(err)
	}
	stop := a.serveTLS(l)
	dial := func(name string, protocols ...string) error {
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: name, NextProtos: protocols, InsecureSkipVerify: true})
		if err != nil {
			return err
		}
		defer c.Close()
		if n, err := io.Copy(io.Discard, c); n > 0 {
			return fmt.Errorf("%d bytes, %w", n, err)
		}
		return nil
	}
	if err := dial("a.example", acme.ALPNProto); err != nil {
		t.Error(err)
	}
	if err := dial("b.example", acme.ALPNProto); err == nil {
		t.Error("another name gets a certificate")
	}
	if err := dial("a.example", "h2"); err == nil {
		t.Error("another protocol is spoken")
	}
	// One that says nothing is not waited for at the end.
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	stop()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("it is still there")
	}
}

// TestLimitedListener: so many connections at once, and the next one when one has ended.
func TestLimitedListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	limited := &limitedListener{Listener: l, room: make(chan struct{}, 1)}
	accepted := make(chan net.Conn)
	go func() {
		for {
			c, err := limited.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	for range 2 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	first := <-accepted
	select {
	case <-accepted:
		t.Error("a second one is there")
	default:
	}
	if len(limited.room) != 1 {
		t.Error("there is room")
	}
	first.Close()
	first.Close() // which gives its place back once
	second := <-accepted
	second.Close()
	l.Close()
	if _, ok := <-accepted; ok {
		t.Error("a third one")
	}
}

// TestAccept: what the server sends is held to what was asked for.
func TestAccept(t *testing.T) {
	key, err := ca.GenerateKey(ca.KindP256)
	if err != nil {
		t.Fatal(err)
	}
	a, err := ca.NewRoot(start(), ca.Root{Validity: ca.Day}, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		chain [][]byte
		want  string
	}{{nil, "no certificate"}, {[][]byte{{1}}, "cannot be read"}, {[][]byte{a.Certificate.Raw}, "for other names"}} {
		if _, err := accept(tt.chain, key, []string{"a.example"}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	other, err := ca.GenerateKey(ca.KindP256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := accept([][]byte{a.Certificate.Raw}, other, nil); err == nil || !strings.Contains(err.Error(), "for another key") {
		t.Error(err)
	}
	if _, err := DecodeHMAC("%%"); err == nil || !bytes.Contains([]byte(err.Error()), []byte("Base64")) {
		t.Error(err)
	}
}
