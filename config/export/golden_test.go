package export

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esplanade/config"
	"esplanade/ike/pki/files"
)

var update = flag.Bool("update", false, "write the golden files again")

// folder is a copy of the configuration and its keys that nobody else can read, as the configuration demands of keys.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"gateway.toml", "gw.crt", "gw.key", "ca.crt"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// gateway is the configuration of the tests.
func gateway(t *testing.T) *config.Config {
	t.Helper()
	c, err := config.Load(filepath.Join(folder(t), "gateway.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// alice has a certificate in a bundle.
func alice(t *testing.T, o Options) Options {
	t.Helper()
	data, err := os.ReadFile("testdata/alice.p12")
	if err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile("testdata/alice.pwd")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := os.ReadFile("testdata/alice.crt")
	if err != nil {
		t.Fatal(err)
	}
	list, err := files.Certificates(cert)
	if err != nil {
		t.Fatal(err)
	}
	o.User, o.Bundle, o.BundlePassword, o.Certificate = "alice@example.org", data, config.NewSecret(bytes.TrimSpace(secret)), list[0]
	return o
}

// cases are the profiles that are written in each format.
func cases(t *testing.T) map[string]Options {
	return map[string]Options{
		"phones":  {Connection: "phones", User: "alice@example.org"},
		"secret":  {Connection: "phones", User: "alice@example.org", WithSecret: true, OnDemand: true},
		"road":    {Connection: "road", User: "alice@example.org", WithSecret: true},
		"fleet":   alice(t, Options{Connection: "fleet"}),
		"tls":     alice(t, Options{Connection: "tls"}),
		"laptops": alice(t, Options{Connection: "laptops", WithSecret: true}),
		"office":  {Connection: "office", WithSecret: true},
		"both":    alice(t, Options{Connection: "both"}),
	}
}

// eachProfile writes each case in each format that can express it.
func eachProfile(t *testing.T, do func(t *testing.T, name string, f Format, p *Profile, r Result)) {
	c := gateway(t)
	for name, o := range cases(t) {
		p, err := New(c, o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, f := range Formats() {
			r, err := f.Write(p)
			if no := (*Unsupported)(nil); errors.As(err, &no) {
				r = Result{Data: []byte(err.Error() + "\n")}
				do(t, name, Format{Name: f.Name, File: ".refused"}, p, r)
				continue
			}
			if err != nil {
				t.Errorf("%s as %s: %v", name, f.Name, err)
				continue
			}
			do(t, name, f, p, r)
		}
	}
}

// TestGolden: what is written of each case, and what is said about it.
func TestGolden(t *testing.T) {
	eachProfile(t, func(t *testing.T, name string, f Format, _ *Profile, r Result) {
		got := string(r.Data)
		for _, w := range r.Warnings {
			got += "warning: " + w + "\n"
		}
		file := filepath.Join("testdata", "golden", fmt.Sprintf("%s.%s%s", name, f.Name, f.File))
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs:\n%s", file, got)
		}
	})
	seen := 0
	list, err := os.ReadDir("testdata/golden")
	if err != nil {
		t.Fatal(err)
	}
	eachProfile(t, func(*testing.T, string, Format, *Profile, Result) { seen++ })
	if len(list) != seen {
		t.Errorf("%d golden files, and %d profiles", len(list), seen)
	}
}

// TestSecrets: nothing has a secret in it unless that was asked for, and whatever has one says so.
func TestSecrets(t *testing.T) {
	c := gateway(t)
	secrets := []string{"correct-horse-battery-staple-2026", "it's", "000102030405060708090a", "AAECAwQFBgcICQ", "69742773"}
	pwd, err := os.ReadFile("testdata/alice.pwd")
	if err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, strings.TrimSpace(string(pwd)))
	for name, o := range cases(t) {
		for _, with := range []bool{false, true} {
			o.WithSecret = with
			p, err := New(c, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range Formats() {
				r, err := f.Write(p)
				if err != nil {
					continue
				}
				has := false
				for _, s := range secrets {
					has = has || bytes.Contains(r.Data, []byte(s)) || bytes.Contains(r.Data, []byte(xmlText(s)))
				}
				if has != r.Secret || has && !with {
					t.Errorf("%s as %s: with %v, there is a secret: %v, and it says %v", name, f.Name, with, has, r.Secret)
				}
			}
		}
	}
}

// TestStable: the same connection and user give the same octets, another user another profile.
func TestStable(t *testing.T) {
	c := gateway(t)
	p, err := New(c, Options{Connection: "phones", User: "alice@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	q, err := New(c, Options{Connection: "phones", User: "Alice@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Formats() {
		a, errA := f.Write(p)
		b, errB := f.Write(p)
		if errA == nil && (errB != nil || !bytes.Equal(a.Data, b.Data)) {
			t.Errorf("%s is different the second time", f.Name)
		}
	}
	if p.uuid("profile") == q.uuid("profile") || p.uuid("profile") == p.uuid("vpn") {
		t.Error("two profiles have one UUID")
	}
}
