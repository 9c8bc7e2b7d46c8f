package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esplanade/ike/policy"
	"esplanade/ike/selector"
)

var update = flag.Bool("update", false, "write the .want files again; read the difference before you commit it")

// TestFiles reads every file of testdata. Of a *.good.toml the .want file has the warnings, of a *.bad.toml all the
// errors, in their order.
func TestFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, ".toml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, errs := parse(name, data)
			var got strings.Builder
			switch good := strings.HasSuffix(name, ".good.toml"); {
			case good && len(errs) > 0:
				t.Fatalf("a good file has errors:\n%v", errs)
			case !good && len(errs) == 0:
				t.Fatal("a bad file has no errors")
			case good:
				for _, w := range c.Warnings {
					got.WriteString(w.String() + "\n")
				}
			default:
				got.WriteString(errs.Error() + "\n")
			}
			want := strings.TrimSuffix(file, ".toml") + ".want"
			if *update {
				if err := os.WriteFile(want, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			expected, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(expected) {
				t.Errorf("got:\n%s\nwant:\n%s", got.String(), expected)
			}
			for _, p := range errs {
				checkProblem(t, p, string(data))
			}
			for _, p := range c.Warnings {
				checkProblem(t, p, string(data))
			}
		})
	}
}

// checkProblem holds what every problem must have: a place within the file, and something to say.
func checkProblem(t *testing.T, p Problem, data string) {
	t.Helper()
	lines := strings.Split(data, "\n")
	if p.Position.Line < 1 || p.Position.Line > len(lines) {
		t.Errorf("%s: there are %d lines", p, len(lines))
		return
	}
	if width := len([]rune(lines[p.Position.Line-1])); p.Position.Column < 1 || p.Position.Column > width+1 {
		t.Errorf("%s: the line has %d characters", p, width)
	}
	if p.What == "" || strings.ContainsAny(p.String(), "\n\r") {
		t.Errorf("%q is not a message of one line", p)
	}
}

func mustLoad(t *testing.T, name string) *Config {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".good.toml"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestQuietFiles: what is usual gets no warning.
func TestQuietFiles(t *testing.T) {
	for _, name := range []string{"design", "minimal", "everything", "dotted", "roadwarrior", "disjoint", "lifetimes"} {
		if c := mustLoad(t, name); len(c.Warnings) > 0 {
			t.Errorf("%s has warnings: %v", name, c.Warnings)
		}
	}
}

func TestErrorsType(t *testing.T) {
	_, err := Parse("x.toml", []byte("[tun]\nmtu = 1\nnaem = 2\n"))
	var errs Errors
	if !errors.As(err, &errs) || len(errs) != 2 {
		t.Fatalf("%T %v", err, err)
	}
	var p Problem
	if !errors.As(err, &p) || p.Position.FileLine() != "x.toml:2" {
		t.Errorf("the first problem is %v", p)
	}
	if want := "x.toml:3:1: unknown key tun.naem; did you mean name?"; errs[1].Error() != want {
		t.Errorf("%q", errs[1].Error())
	}
	if (Position{}).FileLine() != "" || (Position{}).IsValid() {
		t.Error("no position is one")
	}
}

func TestTooLarge(t *testing.T) {
	if _, err := Parse("x", []byte(strings.Repeat("#\n", MaxFileSize/2+1))); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("%v", err)
	}
	if _, err := Load("testdata/does-not-exist"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// FuzzParse: no panic, and every problem has a place in the file.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.toml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, errs := parse("f.toml", data)
		for _, p := range errs {
			checkProblem(t, p, string(data))
		}
		for _, p := range c.Warnings {
			checkProblem(t, p, string(data))
		}
		if len(errs) > 0 {
			return
		}
		checkComplete(t, c)
	})
}

// checkComplete holds a configuration without errors to what its documentation promises.
func checkComplete(t *testing.T, c *Config) {
	t.Helper()
	for _, n := range c.Connections {
		if n.Local.Method == 0 || n.Remote.Method == 0 || len(n.Proposals) == 0 ||
			len(n.LocalAddrs) == 0 || len(n.RemoteAddrs) == 0 || n.Position().File == "" {
			t.Fatalf("an incomplete connection was accepted: %+v", n)
		}
		for _, h := range n.Children {
			for _, list := range [][]selector.Selector{h.LocalTS, h.RemoteTS} {
				if len(list) == 0 {
					t.Fatalf("an incomplete child was accepted: %+v", h)
				}
				for _, s := range list {
					if !s.Dynamic() && !s.Valid() {
						t.Fatalf("an invalid selector was accepted: %+v", h)
					}
				}
			}
			if h.StartAction != policy.StartNone && !n.CanInitiate() {
				t.Fatalf("a child starts without a peer: %+v", h)
			}
		}
	}
	for _, s := range c.Secrets.PPK {
		if s.Key.Len() == 0 || len(s.IDs) == 0 {
			t.Fatalf("an incomplete PPK was accepted: %+v", s)
		}
	}
	for _, s := range c.Secrets.IKE {
		if s.Key.Len() == 0 {
			t.Fatalf("an empty key was accepted: %+v", s)
		}
	}
}
