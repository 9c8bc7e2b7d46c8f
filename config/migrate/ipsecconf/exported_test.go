package ipsecconf_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esplanade/config/migrate/ipsecconf"
)

// TestExported: what "esplanade export" writes for the other end, in the formats of strongSwan and libreswan, is read, and nothing of it is left out
// but certificates of libreswan's, which are elsewhere.
func TestExported(t *testing.T) {
	for kind, d := range map[string]ipsecconf.Dialect{"ipsec.conf": ipsecconf.StrongSwan, "libreswan": ipsecconf.Libreswan} {
		files, err := filepath.Glob("../../export/testdata/golden/*." + kind + ".conf")
		if err != nil || len(files) == 0 {
			t.Errorf("%s: no files, %v", kind, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			// Behind the conns it has the secrets as comments, and what export says in addition.
			var conf, secrets string
			for line := range strings.Lines(string(text)) {
				comment, ok := strings.CutPrefix(line, "# ")
				switch {
				case strings.HasPrefix(line, "warning: "), comment == "ipsec.secrets:\n":
				case ok && strings.Contains(comment, " : "), ok && strings.HasPrefix(comment, ": "):
					secrets += comment
				default:
					conf += line
				}
			}
			if got := ipsecconf.Detect(conf); got != d {
				t.Errorf("%s is taken for one of %s", file, got)
			}
			res, err := read(d, memory{"ipsec.conf": conf, "ipsec.secrets": secrets})
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			for _, l := range res.Left {
				if !strings.Contains(l.Why, "NSS") {
					t.Errorf("%s: %s", file, l)
				}
			}
			if strings.Count(res.TOML(), "[connections.") < 3 {
				t.Errorf("%s:\n%s", file, res.TOML())
			}
		}
	}
}
