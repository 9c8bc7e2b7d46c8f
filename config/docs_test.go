package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestEveryKeyIsDocumented holds docs/configuration.md to the parser: every key has a row in its table's section and no
// row is of a key that there isn't, and every rejected key is in the last section.
func TestEveryKeyIsDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]map[string]bool{}
	section, last := "", ""
	for _, line := range strings.Split(string(data), "\n") {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.Trim(title, "`[]")
			continue
		}
		if section == "Not in this version" {
			last += line + "\n"
		}
		if rest, ok := strings.CutPrefix(line, "| `"); ok && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") == 4 {
			key, _, _ := strings.Cut(rest, "`")
			if rows[section] == nil {
				rows[section] = map[string]bool{}
			}
			rows[section][key] = true
		}
	}
	asked, later := known()
	tables := map[string]bool{}
	for pattern := range asked {
		tables[pattern] = true
	}
	n := 0
	for _, pattern := range slices.Sorted(maps.Keys(asked)) {
		for _, key := range slices.Sorted(maps.Keys(asked[pattern])) {
			full := strings.TrimPrefix(pattern+"."+key, ".")
			if tables[full] || tables[full+".NAME"] || full == "connections" || full == "secrets" {
				continue // a table has a section of its own
			}
			n++
			if !rows[pattern][key] {
				t.Errorf("%s is not in the section [%s]", full, pattern)
			}
		}
		for key := range rows[pattern] {
			if !asked[pattern][key] {
				t.Errorf("the section [%s] has %s, which the parser does not know", pattern, key)
			}
		}
	}
	if n < 80 {
		t.Errorf("only %d keys", n)
	}
	for pattern, keys := range later {
		for key := range keys {
			if !strings.Contains(last, "`"+key+"`") {
				t.Errorf("%s of [%s] is not in the last section", key, pattern)
			}
			if asked[pattern][key] && key != "local" && key != "remote" {
				t.Errorf("%s of [%s] is both known and rejected", key, pattern)
			}
		}
	}
}

// TestDefaultsAreDocumented holds the second column of a key's row to the default of its field.
func TestDefaultsAreDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	all := everyTable()
	maps.Copy(all, wholeTables())
	n := 0
	for section := range strings.SplitSeq(string(data), "\n## `[") {
		pattern, rest, _ := strings.Cut(section, "]`")
		table, ok := all[pattern]
		if !ok || pattern == "" {
			continue
		}
		for i := range table.NumField() {
			f := table.Field(i)
			def, ok := f.Tag.Lookup("default")
			if !ok {
				continue
			}
			_, words := reflect.New(f.Type).Elem().Interface().(interface{ Words() []string })
			switch {
			case def == "":
				def = "none"
			case f.Type == reflect.TypeFor[time.Duration]() || f.Type.Kind() == reflect.String || words:
				def = "`\"" + def + "\"`"
			case f.Type.Kind() == reflect.Bool:
				def = "`" + def + "`"
			}
			if n++; !strings.Contains(rest, "\n| `"+f.Tag.Get("key")+"` | "+def+" |") {
				t.Errorf("[%s] %s: the document has another default than %s", pattern, f.Tag.Get("key"), def)
			}
		}
	}
	if n < 55 {
		t.Errorf("only %d keys", n)
	}
}

// TestExamples loads every example, with a key where it wants one, and allows it no warning.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../docs/examples/*.toml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	ends := map[string]*Config{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		name := write(t, filepath.Join(dir, filepath.Base(file)), string(data), 0o644)
		for _, line := range strings.Split(string(data), "\n") {
			if f, ok := strings.CutPrefix(line, "secret_file = "); ok {
				write(t, filepath.Join(dir, strings.Trim(f, `"`)), testKey+"\n", 0o600)
			}
		}
		w := &world{t: t, dir: dir, now: time.Now()}
		w.write("users.toml", "alice = \"Passwort\"\n")
		ca := w.issue(nil, "CA", nil, isCA)
		w.write("ca.pem", ca.pem())
		for _, site := range []string{"site-a", "site-b"} {
			h := w.issue(ca, site, nil)
			w.write(site+".pem", h.pem())
			w.write(site+".key", h.keyPEM(t))
		}
		c, err := Load(name)
		if err != nil {
			t.Errorf("%s:\n%v", file, err)
			continue
		}
		list := append(slices.Clone(c.Warnings), c.CertificateRemarks(w.now)...)
		list = slices.DeleteFunc(list, func(p Problem) bool {
			return strings.Contains(p.What, "has no certificate yet: esplanade run asks the ACME server")
		})
		if len(list) > 0 {
			t.Errorf("%s: %v", file, list)
		}
		ends[filepath.Base(file)] = c
	}
	for _, pair := range [][2]string{{"site-a.toml", "site-b.toml"}, {"cert-site-a.toml", "cert-site-b.toml"}} {
		twoEnds(t, pair, ends[pair[0]].Connections[0], ends[pair[1]].Connections[0])
	}
}

// twoEnds holds two examples to be those of one tunnel.
func twoEnds(t *testing.T, files [2]string, a, b *Connection) {
	t.Helper()
	if !a.Local.ID.Equal(b.Remote.ID) || !b.Local.ID.Equal(a.Remote.ID) || fmt.Sprint(a.LocalAddrs) != fmt.Sprint(b.RemoteAddrs) ||
		!a.Children[0].pair().Equal(b.Children[0].pair().Swap()) || a.Proposals[0].String() != b.Proposals[0].String() {
		t.Errorf("%s and %s are not two ends of one tunnel", files[0], files[1])
	}
}

// TestSwanctlSnippet: the other end's configuration is well-formed and fits this one's.
func TestSwanctlSnippet(t *testing.T) {
	data, err := os.ReadFile("../docs/examples/to-strongswan.toml")
	if err != nil {
		t.Fatal(err)
	}
	depth := 0
	for _, line := range strings.Split(string(data), "\n") {
		if comment, ok := strings.CutPrefix(line, "#   "); ok {
			depth += strings.Count(comment, "{") - strings.Count(comment, "}")
			if depth < 0 {
				t.Fatalf("a } too many at %q", line)
			}
		}
	}
	if depth != 0 {
		t.Errorf("%d } are missing", depth)
	}
	c := string(data)
	for _, pair := range [][2]string{{"local_ts  = 10.20.0.0/24", `remote_ts     = ["10.20.0.0/24"]`}, {"id = strongswan.example", `id   = "strongswan.example"`},
		{"proposals = aes256gcm16-prfsha384-ecp384", `proposals    = ["aes256gcm16-prfsha384-ecp384"]`}, {"esp_proposals = aes256gcm16-ecp384-esn", `esp_proposals = ["aes256gcm16-ecp384-esn"]`}} {
		if !strings.Contains(c, pair[0]) || !strings.Contains(c, pair[1]) {
			t.Errorf("the two ends differ in %q", pair)
		}
	}
}
