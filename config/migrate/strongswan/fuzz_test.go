package strongswan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esplanade/config"
	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// memory are the files that there are.
type memory map[string]string

func (m memory) ReadFile(name string, limit int64) ([]byte, error) {
	s, ok := m[name]
	if !ok {
		return nil, fmt.Errorf("%s: no such file", name)
	}
	return []byte(s)[:min(int64(len(s)), limit+1)], nil
}

func (m memory) Glob(pattern string) (out []string, err error) {
	for name := range m {
		if ok, err := filepath.Match(pattern, name); err != nil {
			return nil, err
		} else if ok {
			out = append(out, name)
		}
	}
	return out, nil
}

// FuzzImport: whatever is in a swanctl.conf, what comes out is TOML, what is said of it is one line each, and no key of it is one that does not exist.
func FuzzImport(f *testing.F) {
	for _, name := range []string{"testdata/site/swanctl.conf", "testdata/articles/swanctl.conf"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(folderConf)
	f.Add("connections { \"a b\" { } a/b { children { -x { local_ts = ,, \n remote_ts = dynamic[tcp] } } } }")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Import("/x/swanctl.conf", "", migrate.Options{Files: memory{"/x/swanctl.conf": text}, InlineSecrets: true})
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
		var list config.Errors
		if _, err := config.Parse("/x/x.toml", []byte(r.TOML())); errors.As(err, &list) {
			for _, p := range list {
				if strings.Contains(p.What, "unknown") || strings.Contains(p.What, "not supported") {
					t.Fatalf("%v\n%s", p, r.TOML())
				}
			}
		}
	})
}
