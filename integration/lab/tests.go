//go:build linux

package lab

import (
	"os"
	"path/filepath"
	"strings"
)

// T is what a lab wants of the test that it is built for; *testing.T and *testing.B have it. A program that is no test has none,
// and builds its lab with [Build].
type T interface {
	Helper()
	Name() string
	Cleanup(func())
	Failed() bool
	Logf(format string, args ...any)
	Skip(args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// New builds a lab that goes away when the test ends. On failure its directory is kept (in $ESPLANADE_ARTEFACTS if set) and
// named.
func New(t T, o Options) *Lab {
	t.Helper()
	l, err := Build(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.closeFor(t) })
	return l
}

// NewLone builds a host with nothing but lo, which is up.
func NewLone(t T) *Host {
	t.Helper()
	l, err := empty()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.closeFor(t) })
	h, err := l.host("lone")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// closeFor ends the hosts and removes the directory, or keeps and names it when the test failed.
func (l *Lab) closeFor(t T) {
	l.end()
	if !t.Failed() {
		os.RemoveAll(l.Dir)
		return
	}
	kept := l.Dir
	if to := os.Getenv("ESPLANADE_ARTEFACTS"); to != "" {
		dst := filepath.Join(to, strings.ReplaceAll(t.Name(), "/", "_"))
		if err := copyTree(dst, l.Dir); err != nil {
			t.Logf("artefacts: %v", err)
		} else {
			kept = dst
			os.RemoveAll(l.Dir)
		}
	}
	t.Logf("artefacts kept in %s", kept)
}

// copyTree copies the regular files below src, and leaves out sockets.
func copyTree(dst, src string) error {
	return filepath.WalkDir(src, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			return os.MkdirAll(filepath.Join(dst, rel), 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dst, rel), b, 0o644)
	})
}
