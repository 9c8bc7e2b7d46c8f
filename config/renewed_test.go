package config

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/ike/pki"
)

// TestRenewed: what has changed on disk takes the place of what there was, or nothing of it does.
func TestRenewed(t *testing.T) {
	const conf = `
[credentials]
x509ca = "cas"
private = "*.key"
x509crl = "crls"
[connections.a]
remote_addrs = "198.51.100.20"
local_ts = "10.1.0.0/24"
remote_ts = "10.2.0.0/24"
local = { certs = "gw.pem" }
[connections.b]
remote_addrs = "198.51.100.21"
local_ts = "10.1.0.0/24"
remote_ts = "10.3.0.0/24"
local = { certs = "gw.pem", id = "gw.example" }
`
	type state struct {
		*world
		ca, gw *holder
		conf   *Config
	}
	setUp := func(t *testing.T) *state {
		w := &state{world: &world{t: t, dir: t.TempDir(), now: time.Now()}}
		w.ca = w.issue(nil, "Test CA", nil, isCA)
		w.gw = w.issue(w.ca, "gw", nil, names("gw.example"))
		w.write("cas/ca.pem", w.ca.pem())
		w.write("gw.pem", w.gw.pem())
		w.write("gw.key", w.gw.keyPEM(t))
		w.write("crls/.keep", "")
		w.conf = w.good(conf)
		return w
	}
	for _, x := range []struct {
		what    string
		do      func(w *state)
		changed bool
		files   string // those that have changed
		refused string // the beginning of what is said, around "…"
	}{
		{what: "nothing", do: func(*state) {}},
		{what: "the same once more", do: func(w *state) { w.write("gw.pem", w.gw.pem()) }},
		{what: "another certificate for the key", do: func(w *state) { w.write("gw.pem", w.issue(w.ca, "gw", w.gw.key, names("gw.example")).pem()) }, changed: true, files: "gw.pem"},
		{what: "another certificate and key", do: func(w *state) {
			h := w.issue(w.ca, "gw", nil, names("gw.example"))
			w.write("gw.pem", h.pem())
			w.write("gw.key", h.keyPEM(w.t))
		}, changed: true, files: "gw.key"},
		{what: "another certificate without its key", do: func(w *state) { w.write("gw.pem", w.issue(w.ca, "gw", nil, names("gw.example")).pem()) },
			refused: `:10:19: connections.a.local.certs: …gw.pem" is the certificate of "CN=gw", and the private key in …gw.key" is another one's`},
		{what: "half of one", do: func(w *state) { w.write("gw.pem", w.gw.pem()[:300]) }, refused: `:10:19: …gw.pem" has a block CERTIFICATE that does not end`},
		{what: "an empty file", do: func(w *state) { w.write("gw.pem", "") }, refused: `:10:19: …gw.pem" is empty`},
		{what: "no file", do: func(w *state) { w.remove("gw.pem") }, refused: `:10:19: …gw.pem": no such file or directory`},
		{what: "a key that others can read", do: func(w *state) { w.chmod("gw.key", 0o640) }, refused: `:4:11: …gw.key" can be used by others`},
		{what: "another subject", do: func(w *state) { w.write("gw.pem", w.issue(w.ca, "gateway", w.gw.key, names("gw.example")).pem()) },
			refused: "connections.a calls itself \"CN=gw\" by the subject of its certificate, and that in …gw.pem\" is for \"gw.example\", \"CN=gateway\"; `esplanade reload` takes it up"},
		{what: "without the name that is its id", do: func(w *state) { w.write("gw.pem", w.issue(w.ca, "gw", w.gw.key, names("vpn.example")).pem()) },
			refused: `:15:29: connections.b.local.id is "gw.example", and no certificate is for it any more`},
		{what: "a CA more", do: func(w *state) { w.write("cas/2.pem", w.issue(nil, "CA 2", nil, isCA).pem()) }, changed: true, files: "2.pem"},
		{what: "a list", do: func(w *state) { w.write("crls/ca.crl", crl(w.t, w.ca, w.now, w.now.Add(day))) }, changed: true, files: "ca.crl"},
		{what: "something that is no list", do: func(w *state) { w.write("crls/ca.crl", w.ca.pem()) }, refused: `:5:11: …ca.crl" is a certificate, not a certificate revocation list`},
	} {
		t.Run(x.what, func(t *testing.T) {
			w := setUp(t)
			set := w.conf.Set
			x.do(w)
			fresh, changed, errs := w.conf.Renewed()
			if changed != x.changed {
				t.Errorf("changed: %v", changed)
			}
			if w.conf.Set != set {
				t.Error("what was there is another")
			}
			if x.refused != "" {
				if fresh.Set != set {
					t.Error("some of what is wrong is taken up")
				}
				if len(errs) == 0 || !matches(errs.Error(), x.refused) {
					t.Errorf("%v, want %s", errs, x.refused)
				}
				return
			}
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			own := fresh.Set.Own("a", 0)
			if len(own) != 1 || !pki.SameKey(own[0].Signer.Public(), own[0].Chain[0].PublicKey) {
				t.Fatalf("%d pairs", len(own))
			}
			data, err := os.ReadFile(filepath.Join(w.dir, "gw.pem"))
			if err != nil {
				t.Fatal(err)
			}
			if h := (&holder{cert: own[0].Chain[0]}); h.pem() != string(data) {
				t.Error("the pair has another certificate than the file")
			}
			var base []string
			for _, f := range w.conf.ChangedFiles(fresh) {
				base = append(base, filepath.Base(f))
			}
			if x.files != "" && (len(base) == 0 || base[0] != x.files) || x.files == "" && len(base) > 0 {
				t.Errorf("changed: %q, want %s", base, x.files)
			}
			if _, again, _ := fresh.Renewed(); again {
				t.Error("it has changed once more")
			}
		})
	}
}

// TestUsersRenewed: users and certificates are taken up apart from each other, each as a whole or not at all.
func TestUsersRenewed(t *testing.T) {
	w := &world{t: t, dir: t.TempDir(), now: time.Now()}
	ca := w.issue(nil, "Test CA", nil, isCA)
	gw := w.issue(ca, "gw", nil, names("gw.example"))
	w.write("ca.pem", ca.pem())
	w.write("gw.pem", gw.pem())
	w.write("gw.key", gw.keyPEM(t))
	w.write("users.toml", "alice = \"one\"\nbob = \"two\"\n")
	conf := w.good(`
[users]
file = "users.toml"
[credentials]
private = "*.key"
[connections.rw]
local_ts = "10.1.0.0/24"
remote_ts = "dynamic"
local = { certs = "gw.pem" }
remote = { auth = "eap-mschapv2" }
`)
	has := func(c *Config, name string) bool {
		s, ok := c.EAP.Server("rw", 0)
		if !ok {
			t.Fatal("nothing checks users")
		}
		_, _, ok = s.Config.Users.User(name)
		return ok
	}
	state := conf.CredentialState()
	if _, changed, errs := conf.Renewed(); changed || len(errs) > 0 {
		t.Fatalf("nothing has changed: %v, %v", changed, errs)
	}
	w.write("users.toml", "alice = \"one\"\ncarol = \"three\"\n")
	if conf.CredentialState() == state {
		t.Error("another users file is not noticed")
	}
	fresh, changed, errs := conf.Renewed()
	if !changed || len(errs) > 0 || !has(fresh, "carol") || has(fresh, "bob") || !has(conf, "bob") || !conf.NewUsers(fresh) {
		t.Fatalf("other users: %v, %v", changed, errs)
	}
	if got := conf.ChangedFiles(fresh); len(got) != 1 || filepath.Base(got[0]) != "users.toml" {
		t.Errorf("the files that have changed are %q", got)
	}
	// A line that is wrong keeps all users as they are, and no certificate.
	renewed := w.issue(ca, "gw", gw.key, names("gw.example"))
	w.write("gw.pem", renewed.pem())
	w.write("users.toml", "dave = \"four\"\nerin = five\n")
	next, changed, errs := fresh.Renewed()
	if !changed || len(errs) != 1 || !strings.Contains(errs[0].String(), "users.toml:2:8: ") || has(next, "dave") || !has(next, "carol") || fresh.NewUsers(next) {
		t.Fatalf("a wrong line: %v, %v", changed, errs)
	}
	if own := next.Set.Own("rw", 0); len(own) != 1 || !own[0].Chain[0].Equal(renewed.cert) {
		t.Error("a wrong line in the users file keeps a certificate from being renewed")
	}
	// And the other way round.
	w.write("gw.pem", "")
	w.write("users.toml", "dave = \"four\"\n")
	last, changed, errs := next.Renewed()
	if !changed || len(errs) != 1 || !has(last, "dave") || has(last, "carol") || last.Set != next.Set {
		t.Fatalf("a certificate that is none: %v, %v", changed, errs)
	}
	// Whoever may read the file counts as well.
	w.chmod("users.toml", 0o644)
	if same, changed, errs := last.Renewed(); changed || len(errs) != 2 || !has(same, "dave") {
		t.Errorf("a file that others can read: %v, %v", changed, errs)
	}
}

func (w *world) remove(name string) {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.dir, name)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) chmod(name string, mode os.FileMode) {
	w.t.Helper()
	if err := os.Chmod(filepath.Join(w.dir, name), mode); err != nil {
		w.t.Fatal(err)
	}
}

// TestCredentialState: each way in which programs give a file another content is noticed, and nothing else is.
func TestCredentialState(t *testing.T) {
	w := newWorld(t)
	w.write("cas/1.pem", w.issue(nil, "1", nil, isCA).pem())
	w.write("old/cert", w.issue(nil, "x", nil, isCA).pem())
	w.write("new/cert", w.issue(nil, "y", nil, isCA, func(c *x509.Certificate) { c.NotAfter = w.now.Add(100 * day) }).pem())
	at := func(name string) string { return filepath.Join(w.dir, name) }
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	must(os.Symlink("old", at("now")))
	c := w.good(`
[credentials]
x509ca = ["cas", "ca.pem", "now/cert"]
private = "*.key"
[connections.a]
remote_addrs = "198.51.100.20"
local_ts = "10.1.0.0/24"
remote_ts = "10.2.0.0/24"
local = { certs = "gw.pem" }
`)
	stamp := func(name string) {
		info, err := os.Stat(at("gw.pem"))
		must(err)
		must(os.Chtimes(at(name), info.ModTime(), info.ModTime()))
	}
	before := c.CredentialState()
	if again := c.CredentialState(); again != before {
		t.Error("a look changes it")
	}
	for _, x := range []struct {
		what string
		do   func()
		same bool
	}{
		{"written over", func() { w.write("gw.pem", "x"); must(os.Chtimes(at("gw.pem"), w.now, w.now.Add(time.Hour))) }, false},
		{"renamed over it, with the same size and time", func() { w.write("gw.tmp", "y"); stamp("gw.tmp"); must(os.Rename(at("gw.tmp"), at("gw.pem"))) }, false},
		{"only longer", func() { w.write("gw.pem", "yy"); must(os.Chtimes(at("gw.pem"), w.now, w.now.Add(time.Hour))) }, false},
		{"closed to others", func() { w.chmod("gw.pem", 0o400) }, false},
		{"a file more in a folder", func() { w.write("cas/2.pem", "x") }, false},
		{"a file less", func() { w.remove("cas/2.pem") }, false},
		{"a file more that matches", func() { w.write("x.key", "x") }, false},
		{"one that is not named", func() { w.write("x.txt", "x") }, true},
		{"another target of a link", func() { must(os.Symlink("new", at("next"))); must(os.Rename(at("next"), at("now"))) }, false},
		{"removed", func() { w.remove("ca.pem") }, false},
	} {
		x.do()
		now := c.CredentialState()
		if (now == before) != x.same {
			t.Errorf("%s: the same: %v", x.what, now == before)
		}
		before = now
	}
}
