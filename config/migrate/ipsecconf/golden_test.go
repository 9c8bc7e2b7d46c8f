package ipsecconf_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esplanade/config"
	"esplanade/config/migrate"
	"esplanade/config/migrate/ipsecconf"
	"esplanade/config/tree"
)

var update = flag.Bool("update", false, "write the golden files")

// disk reads the files of a folder as if that were /etc.
type disk struct{ dir string }

func (d disk) real(name string) string { return filepath.Join(d.dir, strings.TrimPrefix(name, "/etc")) }

func (d disk) ReadFile(name string, limit int64) ([]byte, error) { return os.ReadFile(d.real(name)) }

func (d disk) Glob(pattern string) (out []string, err error) {
	names, err := filepath.Glob(d.real(pattern))
	for _, n := range names {
		out = append(out, "/etc"+strings.TrimPrefix(n, d.dir))
	}
	return out, err
}

// TestGolden reads each folder of testdata as /etc, and compares what comes of it: the configuration, what was left out, and the notes. What
// comes of it must be a configuration of ours.
func TestGolden(t *testing.T) {
	folders, err := filepath.Glob("testdata/*/ipsec.conf")
	if err != nil || len(folders) == 0 {
		t.Fatal("there are no cases", err)
	}
	for _, f := range folders {
		dir := filepath.Dir(f)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			o := ipsecconf.Options{Options: migrate.Options{Files: disk{dir}, Name: "gw"}}
			if here, err := os.ReadFile(filepath.Join(dir, "here")); err == nil {
				o.Options.Here = strings.Fields(string(here))
			}
			res, err := ipsecconf.Read("/etc/ipsec.conf", o)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, filepath.Join(dir, "want.toml"), res.TOML())
			compare(t, filepath.Join(dir, "want.txt"), report(res))
			checkConfig(t, dir, res)
		})
	}
}

// report is what is said about a result.
func report(res *migrate.Result) string {
	var b strings.Builder
	for _, l := range res.Left {
		b.WriteString(l.String() + "\n")
	}
	for _, n := range res.Notes {
		b.WriteString("note: " + n + "\n")
	}
	for _, f := range res.Files {
		b.WriteString("file " + f.Name + ":\n" + string(f.Data))
	}
	return b.String()
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what comes of it (-update writes it):\n%s", name, got)
	}
}

// checkConfig has package config read a result. Certificates that are not there are no matter.
func checkConfig(t *testing.T, dir string, res *migrate.Result) {
	t.Helper()
	tmp := t.TempDir()
	for _, f := range res.Files {
		if err := os.WriteFile(filepath.Join(tmp, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(tmp, "gw.toml")
	if err := os.WriteFile(name, []byte(res.TOML()), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(name)
	if err == nil {
		return
	}
	for line := range strings.Lines(err.Error()) {
		missing := strings.Contains(line, "no such file or directory") || strings.Contains(line, "there is no certificate with a private key") ||
			strings.Contains(line, "nothing says which CAs")
		if !missing {
			t.Errorf("%s", line)
		}
	}
}

// mustParse has a result be TOML.
func mustParse(t *testing.T, res *migrate.Result) {
	t.Helper()
	if _, err := tree.ParseTOML("result", res.TOML()); err != nil {
		t.Fatalf("%v:\n%s", err, res.TOML())
	}
}
