package wgquick

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"esplanade/config"
	"esplanade/config/migrate"
	"esplanade/config/swanctl"
	"esplanade/config/tree"
)

var update = flag.Bool("update", false, "write the golden files")

// keys are keys that are known.
func keys() func() string {
	n := 0
	return func() string {
		n++
		return fmt.Sprintf("%064x", n)
	}
}

// file is the one that there is.
type file string

func (f file) ReadFile(string, int64) ([]byte, error) { return []byte(f), nil }
func (f file) Glob(string) ([]string, error)          { return nil, nil }

func TestGolden(t *testing.T) {
	for name, files := range map[string][]string{"two": {"testdata/a.conf", "testdata/b.conf"}, "one": {"testdata/b.conf"}} {
		results, err := Import(files, migrate.Options{Files: swanctl.Disk{}, InlineSecrets: name == "two"}, keys())
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, r := range results {
			fmt.Fprintf(&b, "######## %s\n%s\n", r.Name, r.TOML())
			for _, f := range r.Files {
				fmt.Fprintf(&b, "==== %s\n%s", f.Name, f.Data)
			}
			for _, l := range r.Left {
				fmt.Fprintf(&b, "left out: %v\n", l)
			}
			for _, n := range r.Notes {
				fmt.Fprintf(&b, "note: %s\n", n)
			}
			if name == "two" { // with its secret
				if _, err := config.Parse("x.toml", []byte(r.TOML())); err != nil {
					t.Errorf("%s: %v", r.Name, err)
				}
			}
		}
		golden := "testdata/" + name + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s is otherwise:\n%s", name, b.String())
		}
	}
}

const (
	head   = "[Interface]\nPrivateKey = AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
	secret = "AQEBAQ"
)

// bad are files that wg-quick would refuse, with what is said.
func bad() map[string]string {
	return map[string]string{
		"":                                       "x.conf:1:1: there is no [Interface]",
		"[Peer]\n":                               "x.conf:1:1: a [Peer] comes behind [Interface]",
		"a = b\n":                                "x.conf:1:1: there is a key before [Interface]",
		head:                                     "there is no [Peer]",
		head + head:                              "x.conf:3:1: there is a second [Interface]",
		head + " [Server]":                       "x.conf:3:2: there are only [Interface] and [Peer]",
		head + "nonsense":                        "x.conf:3:1: a line is Key = Value",
		head + "= x":                             "x.conf:3:1: a line is Key = Value",
		head + "Address = 10.0.0.1/33":           "x.conf:3:1: Address has something in it that is no network",
		head + "Address = ::ffff:10.0.0.1":       "x.conf:3:1: Address has an IPv4 address written as one of IPv6",
		head + "Address = fe80::1%eth0":          "x.conf:3:1: Address has something in it that is no network",
		"[Interface]\nPrivateKey = AQEBAQ==":     "x.conf:2:1: PrivateKey is not 32 bytes in Base64",
		"[Interface]\nPrivateKey = AQEBAQ=?":     "x.conf:2:1: PrivateKey is not 32 bytes in Base64",
		head + "[Peer]\nPublicKey = x":           "x.conf:4:1: PublicKey is not 32 bytes in Base64",
		head + "[Peer]\nEndpoint = 192.0.2.1":    "x.conf:4:1: Endpoint is ADDRESS:PORT",
		head + "[Peer]\nEndpoint = host:1":       "x.conf:4:1: Endpoint has neither",
		head + "[Peer]\nEndpoint = a b.c:1":      "x.conf:4:1: Endpoint has neither",
		head + "[Peer]\nAllowedIPs = 10.0.0.0/x": "x.conf:4:1: AllowedIPs has something in it",
	}
}

func TestBad(t *testing.T) {
	for text, want := range bad() {
		_, err := Import([]string{"x.conf"}, migrate.Options{Files: file(text)}, keys())
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, c := range []struct {
		names []string
		want  string
	}{{[]string{"testdata/a.conf", "testdata/a.conf"}, "do not know each other"}, {[]string{"a", "b", "c"}, "one file, or those of the two ends"}} {
		if _, err := Import(c.names, migrate.Options{Files: swanctl.Disk{}}, keys()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.names, err)
		}
	}
}

// TestTable: what only some packets were led to by routes does not take all of them here.
func TestTable(t *testing.T) {
	for _, c := range []struct {
		table, allowed string
		routes, taken  bool
	}{
		{"Table = off", "0.0.0.0/0", false, true}, {"Table = auto", "0.0.0.0/0", true, true}, {"", "0.0.0.0/0", true, true},
		{"Table = 51820", "0.0.0.0/0", true, false}, {"table = 7", "0.0.0.0/1, 128.0.0.0/1", true, false}, {"Table = 7", "10.0.0.0/8", true, true},
	} {
		text := "[Interface]\nAddress = 10.9.0.1/24\n" + c.table + "\n[Peer]\nPublicKey = AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\nEndpoint = 192.0.2.1:51820\nAllowedIPs = " + c.allowed + "\n"
		results, err := Import([]string{"x.conf"}, migrate.Options{Files: file(text), InlineSecrets: true}, keys())
		if err != nil {
			t.Fatal(err)
		}
		toml := results[0].TOML()
		if strings.Contains(toml, "install_routes = false") == c.routes || strings.Contains(toml, "[connections.") != c.taken {
			t.Errorf("%q, %q:\n%s", c.table, c.allowed, toml)
		}
		if _, err := config.Parse("x.toml", []byte(toml)); err != nil {
			t.Errorf("%q, %q: %v", c.table, c.allowed, err)
		}
	}
}

// TestFreshKeys: each tunnel has a key of its own, which both ends have, and nothing of WireGuard's keys is in what comes out.
func TestFreshKeys(t *testing.T) {
	results, err := Import([]string{"testdata/b.conf"}, migrate.Options{Files: swanctl.Disk{}, InlineSecrets: true}, keys())
	if err != nil || len(results) != 3 {
		t.Fatal(err, len(results))
	}
	for i, r := range results[1:] {
		key := fmt.Sprintf("%064x", i+1)
		if !strings.Contains(r.TOML(), key) || strings.Count(results[0].TOML(), key) != 1 {
			t.Errorf("%d: %s\n%s", i, r.TOML(), results[0].TOML())
		}
	}
	for _, r := range results {
		if strings.Contains(r.TOML(), "AgICAg") || strings.Contains(r.TOML(), "pOCSk") {
			t.Errorf("%s", r.TOML())
		}
	}
}

func FuzzImport(f *testing.F) {
	for _, name := range []string{"testdata/a.conf", "testdata/b.conf"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for text := range bad() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		results, err := Import([]string{"x.conf"}, migrate.Options{Files: file(text), InlineSecrets: true}, keys())
		if err != nil {
			return
		}
		for _, r := range results {
			if _, err := tree.ParseTOML("x.toml", r.TOML()); err != nil {
				t.Fatalf("%v\n%s", err, r.TOML())
			}
			for _, l := range r.Left {
				if strings.ContainsAny(l.String(), "\n\x00\x1b") {
					t.Fatalf("%q", l)
				}
			}
		}
	})
}
