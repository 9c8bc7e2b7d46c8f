package config

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/ike/pki"
	"esplanade/ike/policy"
	"esplanade/ike/vici"
)

// world is a folder with the files of a small PKI: ca.pem, sub.pem (a CA below it), gw.pem with gw.key, issued by ca, and deep.pem
// (a chain with sub.pem) with deep.key.
type world struct {
	t   *testing.T
	dir string
	now time.Time
}

// rsaKey is the one RSA key of these tests: to make one takes long.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), now: time.Now().Truncate(time.Second)}
	ca := w.issue(nil, "Test CA", nil, isCA)
	sub := w.issue(ca, "Sub CA", nil, isCA)
	gw := w.issue(ca, "gw", nil, names("gw.example", "192.0.2.1"))
	deep := w.issue(sub, "deep", nil, names("deep.example"))
	w.write("ca.pem", ca.pem())
	w.write("sub.pem", sub.pem())
	w.write("gw.pem", gw.pem())
	w.write("gw.key", gw.keyPEM(t))
	w.write("deep.pem", deep.pem()+sub.pem())
	w.write("deep.key", deep.keyPEM(t))
	w.write("both.pem", gw.keyPEM(t)+gw.pem())
	w.write("deep.pub", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: deep.cert.RawSubjectPublicKeyInfo})))
	w.write("gw.pub", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: gw.cert.RawSubjectPublicKeyInfo})))
	return w
}

// write writes a file that is its owner's alone.
func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// load reads a configuration in the folder.
func (w *world) load(text string) (*Config, Errors) {
	w.t.Helper()
	return parse(filepath.Join(w.dir, "gw.toml"), []byte(text))
}

// good is load for a configuration without errors.
func (w *world) good(text string) *Config {
	w.t.Helper()
	c, errs := w.load(text)
	if len(errs) > 0 {
		w.t.Fatalf("%v", errs)
	}
	return c
}

// holder is a certificate with its key.
type holder struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (h *holder) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.cert.Raw}))
}

func (h *holder) keyPEM(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(h.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func isCA(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
}

// names gives a certificate names and addresses.
func names(list ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		for _, n := range list {
			if ip := net.ParseIP(n); ip != nil {
				c.IPAddresses = append(c.IPAddresses, ip)
			} else {
				c.DNSNames = append(c.DNSNames, n)
			}
		}
	}
}

// issue makes a certificate, with a new key if there is none; by nil is by itself.
func (w *world) issue(by *holder, cn string, key crypto.Signer, edits ...func(*x509.Certificate)) *holder {
	w.t.Helper()
	if key == nil {
		var err error
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			w.t.Fatal(err)
		}
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		w.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: cn}, NotBefore: w.now.Add(-time.Hour), NotAfter: w.now.Add(365 * day)}
	for _, edit := range edits {
		edit(template)
	}
	h := &holder{key: key}
	parent := template
	signer := key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		w.t.Fatal(err)
	}
	if h.cert, err = x509.ParseCertificate(der); err != nil {
		w.t.Fatal(err)
	}
	return h
}

// TestPubkey: a connection with certificates has what it proves itself with, and accepts what it should.
func TestPubkey(t *testing.T) {
	w := newWorld(t)
	const peer = "\nremote_addrs = \"198.51.100.20\"\nlocal_ts = \"10.1.0.0/24\"\nremote_ts = \"10.2.0.0/24\"\n"
	for _, x := range []struct {
		what, conf      string
		id              string
		chain           string // the common names of the first pair, in order
		anchors, pinned string
		local, remote   policy.Auth
	}{
		{"certs and what [credentials] has", `credentials = { x509ca = "ca.pem", private = "gw.key" }
			[connections.a]` + peer + `local = { certs = "gw.pem" }`, "CN=gw", "gw", "Test CA", "", policy.AuthPubkey, policy.AuthPubkey},
		{"an identity that is written", `credentials = { x509ca = "ca.pem", private = "gw.key" }
			[connections.a]` + peer + `local = { certs = "gw.pem", id = "gw.example" }`, "gw.example", "gw", "Test CA", "", policy.AuthPubkey, policy.AuthPubkey},
		{"found by the identity", `credentials = { x509 = ["deep.pem", "gw.pem"], x509ca = "ca.pem", private = ["deep.key", "gw.key"] }
			[connections.a]` + peer + `local = { auth = "pubkey", id = "gw.example" }`, "gw.example", "gw", "Test CA", "", policy.AuthPubkey, policy.AuthPubkey},
		{"a chain", `credentials = { x509ca = "ca.pem", private = "*.key" }
			[connections.a]` + peer + `local = { certs = "deep.pem" }`, "CN=deep", "deep,Sub CA", "Test CA", "", policy.AuthPubkey, policy.AuthPubkey},
		{"cacerts", `credentials = { x509ca = "ca.pem", private = "gw.key" }
			[connections.a]` + peer + `local = { certs = "gw.pem" }
			remote = { cacerts = "sub.pem" }`, "CN=gw", "gw", "Sub CA", "", policy.AuthPubkey, policy.AuthPubkey},
		{"a pinned certificate", `credentials = { private = "gw.key" }
			[connections.a]` + peer + `local = { certs = "gw.pem" }
			remote = { certs = "deep.pem", id = "deep.example" }`, "CN=gw", "gw", "", "deep", policy.AuthPubkey, policy.AuthPubkey},
		{"a key in the same file", `credentials = { x509ca = "ca.pem" }
			[connections.a]` + peer + `local = { certs = "both.pem" }`, "CN=gw", "gw", "Test CA", "", policy.AuthPubkey, policy.AuthPubkey},
		{"a raw key", `credentials = { x509ca = "ca.pem", private = "gw.key" }
			[connections.a]` + peer + `local = { certs = "gw.pem" }
			remote = { pubkeys = "deep.pub", id = "deep.example" }`, "CN=gw", "gw", "", "", policy.AuthPubkey, policy.AuthPubkey},
		{"a key of its own table", `credentials = { x509ca = "ca.pem" }
			secrets.private.gw = { file = "gw.key" }
			[connections.a]` + peer + `local = { certs = "gw.pem" }`, "CN=gw", "gw", "Test CA", "", policy.AuthPubkey, policy.AuthPubkey},
		{"a key this way, a certificate that way", `credentials = { x509ca = "ca.pem" }
			secrets.ike.a = { secret = "Ahgh7Eikae6phei2loo4Ek" }
			[connections.a]` + peer + `local = { auth = "psk", id = "gw.example" }
			remote = { cacerts = "ca.pem", id = "deep.example" }`, "gw.example", "", "Test CA", "", policy.AuthPSK, policy.AuthPubkey},
	} {
		c := w.good(x.conf)
		n := c.Connections[0]
		if got := n.Local.ID.String(); got != x.id {
			t.Errorf("%s: local.id is %s, want %s", x.what, got, x.id)
		}
		if n.Local.Method != x.local || n.Remote.Method != x.remote {
			t.Errorf("%s: %s and %s", x.what, n.Local.Method, n.Remote.Method)
		}
		var chain string
		if own := c.Set.Own("a", 0); len(own) > 0 {
			chain = commonNames(own[0].Chain)
			if !pki.SameKey(own[0].Signer.Public(), own[0].Key) || !strings.Contains(own[0].Line, "gw.toml:") || own[0].Name == "" {
				t.Errorf("%s: the pair is %s %s", x.what, own[0].Name, own[0].Line)
			}
		}
		if chain != x.chain {
			t.Errorf("%s: the chain is %s, want %s", x.what, chain, x.chain)
		}
		trust := c.Set.Accepted("a", 0).Trust
		if got := commonNames(trust.Anchors); got != x.anchors {
			t.Errorf("%s: the anchors are %s, want %s", x.what, got, x.anchors)
		}
		if got := len(trust.Keys); (got == 1) != strings.Contains(x.conf, "pubkeys") {
			t.Errorf("%s: %d raw keys", x.what, got)
		}
		if got := commonNames(trust.Pinned); got != x.pinned {
			t.Errorf("%s: pinned is %s, want %s", x.what, got, x.pinned)
		}
	}
}

func commonNames(list []*x509.Certificate) string {
	var out []string
	for _, c := range list {
		out = append(out, c.Subject.CommonName)
	}
	return strings.Join(slices.Compact(out), ",")
}

// TestCertificateNotes: check says what a connection with certificates leaves to be inferred, and speaks of no pre-shared key.
func TestCertificateNotes(t *testing.T) {
	w := newWorld(t)
	const secret = "[secrets.ike.all]\nsecret = \"Ahgh7Eikae6phei2loo4Ek\"\n"
	const rest = "\nremote_addrs = \"198.51.100.20\"\n[connections.a.children.net]\nlocal_ts = \"10.1.0.0/24\"\nremote_ts = \"10.2.0.0/24\"\n"
	for _, x := range []struct{ conf, want string }{
		{secret + "[credentials]\nx509ca = \"ca.pem\"\nprivate = \"gw.key\"\n[connections.a]\nlocal = { certs = \"gw.pem\" }" + rest,
			`connections.a means: local.auth is "pubkey", with "…gw.pem"; local.id is "CN=gw", the subject of that certificate; remote.auth is "pubkey"; remote.id is whatever the peer's certificate or key is for`},
		{secret + "[credentials]\nx509 = \"gw.pem\"\nx509ca = \"ca.pem\"\nprivate = \"gw.key\"\n[connections.a]\nlocal = { auth = \"pubkey\", id = \"gw.example\" }\nremote = { auth = \"pubkey\", id = \"b.example\" }" + rest,
			`connections.a means: this side proves itself with "…gw.pem"`},
		{"[credentials]\nx509ca = \"ca.pem\"\nprivate = \"gw.key\"\n[connections.a]\nlocal = { auth = \"pubkey\", certs = \"gw.pem\", id = \"gw.example\" }\nremote = { auth = \"pubkey\", id = \"b.example\" }" + rest, ""},
	} {
		c := w.good(x.conf)
		var notes string
		for _, n := range c.Notes {
			notes += n.What
		}
		if x.want == "" && notes != "" || !matches(notes, x.want) || strings.Contains(notes, "psk") {
			t.Errorf("%s\nwant %s", notes, x.want)
		}
	}
}

// TestRawKeys: a side may have a key without a certificate; several keys for whoever has one of them are warned about.
func TestRawKeys(t *testing.T) {
	w := newWorld(t)
	c := w.good(connection(`private = "gw.key"`, `pubkeys = "gw.pub"`+"\nid = \"gw.example\"", `pubkeys = ["deep.pub", "gw.pub"]`))
	own, keys := c.Set.Own("a", 0), c.Set.Accepted("a", 0).Trust.Keys
	if len(own) != 1 || own[0].Chain != nil || !pki.SameKey(own[0].Signer.Public(), own[0].Key) || len(keys) != 2 || !pki.SameKey(keys[1], own[0].Key) {
		t.Errorf("%d pairs, %d keys", len(own), len(keys))
	}
	if len(c.Warnings) != 1 || !matches(c.Warnings[0].String(), ":13:1: connections.a.remote.pubkeys has several keys…can pass for any other peer") {
		t.Errorf("%v", c.Warnings)
	}
	// What is named itself is revoked by taking it out.
	for remote, warned := range map[string]bool{`certs = "gw.pem"`: true, `pubkeys = "deep.pub"`: true, `cacerts = "ca.pem"`: false} {
		for _, rule := range []string{"strict", "ifuri", "relaxed"} {
			c := w.good(connection(`private = "gw.key"`, `pubkeys = "gw.pub"`+"\nid = \"gw.example\"", remote+"\nrevocation = \""+rule+"\""))
			want := warned && rule != "relaxed"
			if got := slices.ContainsFunc(c.Warnings, func(p Problem) bool {
				return matches(p.String(), "connections.a.remote.revocation does not count for what certs and pubkeys name")
			}); got != want {
				t.Errorf("%s, %s: warned %v: %v", remote, rule, got, c.Warnings)
			}
		}
	}
	_, errs := w.load(connection(`private = "gw.key"`, `pubkeys = "deep.pub"`+"\nid = \"gw.example\"", `pubkeys = "deep.pub"`))
	if len(errs) != 1 || !matches(errs[0].String(), `:9:11: there is no private key for the public key "deep.pub" of connections.a; write private = "FILE"`) {
		t.Errorf("%v", errs)
	}
}

// TestCertificatesFromVICI: swanctl's load-conn sends the certificates themselves.
func TestCertificatesFromVICI(t *testing.T) {
	w := newWorld(t)
	base := w.good("[credentials]\nprivate = \"gw.key\"\n")
	block, _ := pem.Decode(must(os.ReadFile(filepath.Join(w.dir, "gw.pem"))))
	ca, _ := pem.Decode(must(os.ReadFile(filepath.Join(w.dir, "ca.pem"))))
	m := new(vici.Message)
	conn := m.Sub("a")
	conn.SetList("remote_addrs", "198.51.100.20")
	conn.Sub("local").Set("auth", "pubkey").SetList("certs", string(block.Bytes))
	conn.Sub("remote").Set("auth", "pubkey").SetList("cacerts", string(ca.Bytes))
	conn.Sub("children").Sub("net").SetList("local_ts", "10.1.0.0/24").SetList("remote_ts", "10.2.0.0/24")
	c, errs := loading(t, base, sent(t, m))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if own := c.Set.Own("a", 0); len(own) != 1 || commonNames(own[0].Chain) != "gw" || commonNames(c.Set.Accepted("a", 0).Trust.Anchors) != "Test CA" {
		t.Errorf("%d pairs, and %s", len(own), commonNames(c.Set.Accepted("a", 0).Trust.Anchors))
	}
}

// must is the value of a call that must not fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
