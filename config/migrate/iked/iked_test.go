package iked

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esplanade/config"
	"esplanade/config/migrate"
	"esplanade/config/swanctl"
	"esplanade/config/tree"
)

var update = flag.Bool("update", false, "write the golden files")

// files are what there is to read.
type files map[string]string

func (f files) ReadFile(name string, limit int64) ([]byte, error) {
	s, ok := f[name]
	if !ok {
		return nil, fmt.Errorf("%s: no such file", name)
	}
	return []byte(s)[:min(int64(len(s)), limit+1)], nil
}

func (f files) Glob(pattern string) (out []string, err error) {
	for name := range f {
		if ok, err := filepath.Match(pattern, name); err != nil {
			return nil, err
		} else if ok {
			out = append(out, name)
		}
	}
	return out, nil
}

// report is all that a result says.
func report(r *migrate.Result) string {
	var b strings.Builder
	b.WriteString(r.TOML())
	for _, f := range r.Files {
		b.WriteString("\n==== " + f.Name + "\n" + string(f.Data))
	}
	b.WriteString("\n==== left out\n")
	for _, l := range r.Left {
		b.WriteString(l.String() + "\n")
	}
	for _, n := range r.Notes {
		b.WriteString("note: " + n + "\n")
	}
	return b.String()
}

// TestGolden reads what the manual shows, and more.
func TestGolden(t *testing.T) {
	r, err := Import("testdata/manual.conf", migrate.Options{Files: swanctl.Disk{}})
	if err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(report(r), wd, "DIR")
	if *update {
		if err := os.WriteFile("testdata/manual.golden", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/manual.golden")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("it is otherwise:\n%s", got)
	}
}

// TestValid: what comes out is a configuration, but for the certificates that are not there.
func TestValid(t *testing.T) {
	r, err := Import("testdata/manual.conf", migrate.Options{Files: swanctl.Disk{}, InlineSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = config.Parse("x.toml", []byte(r.TOML()))
	for _, line := range strings.Split(fmt.Sprint(err), "\n") {
		if !strings.Contains(line, "certificate") {
			t.Error(line)
		}
	}
}

// bad are files that iked would refuse, with a part of what is said.
func bad() map[string]string {
	return map[string]string{
		"ikev2 \"a\" from 10.0.0.0/8 to 10.1.0.0/16 \\\n  colour red": "x.conf:2:3: iked.conf has no such keyword",
		"ikev2 \"a\" from 10.0.0.0/8":                                 "x.conf:1:11: a from needs a to",
		"ikev2 \"a\" from { 10.0.0.0/8 to":                            "x.conf:1:29: the list behind from",
		"ikev2 \"a\" from { 10.0.0.0/8, ( } to any":                   "x.conf:1:30: the list behind from",
		"ikev2 \"a\" from 10.0.0.0/8 ( 10.1.0.0/16 to any":            "a bracket is not closed",
		"ikev2 \"a":                             "x.conf:1:7: the quotes are never closed",
		"ikev2 \"a\nb\"":                        "x.conf:1:7: the quotes are not closed on that line",
		"ikev2 \"a\" psk":                       "x.conf:1:11: behind psk there must be a value",
		"ikev2 $a from any to any":              "x.conf:1:7: there is no macro of that name above",
		"a =":                                   `x.conf:1:1: a macro is written as name = "text"`,
		"\"a\" = b":                             `x.conf:1:1: a macro is written as name = "text"`,
		"include":                               `x.conf:1:1: it is written as include "file"`,
		"include \"x.conf\"":                    "files include each other more than 16 deep",
		"include \"nowhere.conf\"":              "x.conf:1:1: include: nowhere.conf: no such file",
		"set colour":                            "x.conf:1:5: iked.conf has no such setting",
		"set dpd_check_interval":                "x.conf:1:5: behind dpd_check_interval there must be a value",
		"set dpd_check_interval x":              "x.conf:1:24: that is no time",
		"user alice":                            `x.conf:1:1: it is written as user "name" "password"`,
		"connections {\n}":                      "x.conf:1:1: a line begins with ikev2",
		"\"ikev2\" \"a\" from any to any":       "x.conf:1:1: a line begins with ikev2",
		"ikev2 \"a\" from any to any \"psk\" x": "x.conf:1:27: there must be a keyword",
		"ikev2 \"a\" from any to any ikelifetime 3w":                "x.conf:1:39: that is no time",
		"ikev2 \"a\" from any to any lifetime 1h bytes 9999999999G": "x.conf:1:45: that is no number of bytes",
		"ikev2 \x01": "x.conf:1:7: there is a control character",
		"m = \"" + strings.Repeat("x ", 30000) + "\"\n" + strings.Repeat("$m\\\n", 20): "with the texts of macros there are more than",
		"ikev2 " + strings.Repeat("x", 70000):                                          "a word has more than 65536 bytes",
	}
}

func TestBad(t *testing.T) {
	for text, want := range bad() {
		_, err := Import("x.conf", migrate.Options{Files: files{"x.conf": text}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: %v, want %q", text, err, want)
		}
	}
}

// TestSet: what is set counts for all policies, also for those above.
func TestSet(t *testing.T) {
	text := "ikev2 \"a\" active from 10.0.0.0/8 to 10.1.0.0/16 peer 192.0.2.1 srcid a.example psk secret\nset passive\nset fragmentation\nset dpd_check_interval 5m\n"
	r, err := Import("x.conf", migrate.Options{Files: files{"x.conf": text}})
	if err != nil || !strings.Contains(r.TOML(), "dpd_delay    = \"5m\"") || strings.Contains(r.TOML(), "fragmentation") || !strings.Contains(r.TOML(), `start_action = "none"`) {
		t.Errorf("%v\n%s", err, r.TOML())
	}
}

// TestRouted: what goes into a tunnel by routes to its device would be all traffic of the host here.
func TestRouted(t *testing.T) {
	for _, c := range []struct {
		iface, to string
		left      bool
	}{{"sec0", "0.0.0.0/0", true}, {"sec0", "any", true}, {"sec0", "10.1.0.0/16", false}, {"lo1", "0.0.0.0/0", false}} {
		text := "ikev2 \"a\" active from 10.0.0.0/8 to " + c.to + " peer 192.0.2.1 srcid a.example psk secret iface " + c.iface + "\n"
		r, err := Import("x.conf", migrate.Options{Files: files{"x.conf": text}})
		if err != nil || strings.Contains(r.TOML(), "[connections.a]") == c.left || len(r.Left) != 1 {
			t.Errorf("%s: %v\n%s", text, err, r.TOML())
		}
	}
}

// TestKeys: iked's folder with keys and certificates is named as it is.
func TestKeys(t *testing.T) {
	f := files{
		"/etc/iked.conf":              "ikev2 \"a\" active from 10.0.0.0/8 to 10.1.0.0/16 peer 192.0.2.1 srcid a.example dstid b.example\n",
		"/etc/iked/private/local.key": "", "/etc/iked/local.pub": "", "/etc/iked/pubkeys/fqdn/b.example": "", "/etc/iked/crls/a.crl": "",
	}
	r, err := Import("/etc/iked.conf", migrate.Options{Files: f})
	if err != nil || len(r.Left) > 0 {
		t.Fatal(err, r.Left)
	}
	for _, want := range []string{`pubkeys = "/etc/iked/local.pub"`, `pubkeys = "/etc/iked/pubkeys/fqdn/b.example"`, `private = "/etc/iked/private/local.key"`, `x509crl = "/etc/iked/crls"`} {
		if !strings.Contains(r.TOML(), want) {
			t.Errorf("no %s in\n%s", want, r.TOML())
		}
	}
	delete(f, "/etc/iked/private/local.key")
	f["/etc/iked/certs/a.crt"], f["/etc/iked/ca/ca.crt"] = "", ""
	r, err = Import("/etc/iked.conf", migrate.Options{Files: f})
	if err != nil || !strings.Contains(r.TOML(), "[credentials]\nx509    = \"/etc/iked/certs\"\nx509ca  = \"/etc/iked/ca\"\n") || strings.Contains(r.TOML(), "local.pub") {
		t.Errorf("%v\n%s", err, r.TOML())
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "local.key") {
		t.Error(r.Notes)
	}
}

// FuzzImport: whatever is in a file, what comes out is TOML, and what is said of it is one line each.
func FuzzImport(f *testing.F) {
	manual, err := os.ReadFile("testdata/manual.conf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(manual))
	for text := range bad() {
		if len(text) < 1000 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Import("x.conf", migrate.Options{Files: files{"x.conf": text, "more.conf": "set passive\n"}, InlineSecrets: true})
		if err != nil {
			return
		}
		if _, err := tree.ParseTOML("x.toml", r.TOML()); err != nil {
			t.Fatalf("%v\n%s", err, r.TOML())
		}
		for _, l := range r.Left {
			if strings.ContainsAny(l.String(), "\n\x00\x1b") {
				t.Fatalf("%q", l)
			}
		}
	})
}
