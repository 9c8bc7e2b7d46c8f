package strongswan

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"esplanade/config/migrate"
	"esplanade/config/swanctl"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares a text with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is otherwise:\n%s", name, got)
	}
}

// report is all that a result says, with dir for the folder that was read.
func report(r *migrate.Result, dir string) string {
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
	return strings.ReplaceAll(b.String(), dir, "DIR")
}

func TestGolden(t *testing.T) {
	folders, err := filepath.Glob("testdata/*/swanctl.conf")
	if err != nil || len(folders) < 2 {
		t.Fatal(folders, err)
	}
	for _, f := range folders {
		dir, err := filepath.Abs(filepath.Dir(f))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Import(dir, "", migrate.Options{Files: swanctl.Disk{}})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join(filepath.Dir(f), "golden.txt"), report(r, dir))
	}
}

// TestDaemon: keys of strongswan.conf that are ours as well come along, with their types.
func TestDaemon(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"swanctl.conf": "connections {\n}\n", "strongswan.conf": `charon {
  port = 501
  retransmit_timeout = 3.0
  retransmit_base = 2
  make_before_break = no
  colour = red
  filelog { x { path = /dev/null
    default = 2 } }
  plugins {
    socket-default { fwmark = 0xdd }
    vici { socket = unix:///run/x.vici }
    eap-radius { servers { one { address = 10.0.0.1
      secret = shared } } }
  }
}
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Import(dir, filepath.Join(dir, "strongswan.conf"), migrate.Options{Files: swanctl.Disk{}})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/daemon.txt", report(r, dir))
	if err := os.WriteFile(filepath.Join(dir, "strongswan.conf"), []byte("charon {"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(dir, filepath.Join(dir, "strongswan.conf"), migrate.Options{Files: swanctl.Disk{}}); err == nil || !strings.Contains(err.Error(), "strongswan.conf:1:") {
		t.Error(err)
	}
}

// TestLists: an element in quotes may have commas in it, on both ways.
func TestLists(t *testing.T) {
	r, err := Import("/x/swanctl.conf", "", migrate.Options{Files: memory{"/x/swanctl.conf": "connections { a { remote { auth = eap\n groups = \"'a', \\\"b, c\\\", d\"\n} } }"}})
	if err != nil || !strings.Contains(r.TOML(), `groups = ["a", "b, c", "d"]`) {
		t.Errorf("%v\n%s", err, r.TOML())
	}
	for _, list := range [][]string{{"a", "b, c", "it's", `x"y`}, {"one"}} {
		if got := swanctl.Items(joined(list)); !slices.Equal(got, list) {
			t.Errorf("%q", got)
		}
	}
}

// TestTemplate: what strongSwan itself has written into swanctl.conf is not taken along, and an include that fits nothing is no loss.
func TestTemplate(t *testing.T) {
	text := "# Ours.\n\n# " + templateBegins + "\n# connections {\n\n    # more\n# }\n# " + templateEnds + "\ninclude conf.d/*.conf\n"
	r, err := Import("/x/swanctl.conf", "", migrate.Options{Files: memory{"/x/swanctl.conf": text, "/x/conf.d/a.conf": "# Bern\nconnections { a { remote_addrs = 192.0.2.1\n} }\n"}})
	if err != nil || !strings.HasPrefix(r.TOML(), "# Ours.\n\n# Bern\n\n[connections.a]\n") {
		t.Errorf("%v\n%s", err, r.TOML())
	}
	r, err = Import("/x/swanctl.conf", "", migrate.Options{Files: memory{"/x/swanctl.conf": text}})
	if err != nil || strings.TrimSpace(r.TOML()) != "# Ours." || len(r.Left)+len(r.Notes) > 0 {
		t.Errorf("%v %v %v\n%q", err, r.Left, r.Notes, r.TOML())
	}
}
