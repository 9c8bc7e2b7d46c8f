package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testPPK = "post-quantum-horse-battery-staple-Xw6-Jt3-Ob9-and-more"

// withPPK is a configuration with a table [secrets.ppk.x].
func withPPK(table string) string {
	return conf("secret = \""+testKey+"\"") + "\n[secrets.ppk.x]\n" + table + "\n"
}

func TestPPK(t *testing.T) {
	c, err := Parse("x.toml", []byte(withPPK("id = [\"office\", \"carol@example.org\"]\nsecret = \"0x"+strings.Repeat("5a", 32)+"\"")))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{"office": true, "carol@example.org": true, "Office": false, "off": false, "": false} {
		s, ok := c.PPK(id)
		if ok != want || ok && (s.Name != "x" || string(s.Key.Bytes()) != strings.Repeat("Z", 32)) {
			t.Errorf("%q: %v, %v", id, s, ok)
		}
	}
}

// TestPPKFile: a file with a PPK is read under the same conditions as one with a pre-shared key, and no message or printed value has
// the key in it.
func TestPPKFile(t *testing.T) {
	dir := t.TempDir()
	for i, tt := range []struct {
		data string
		mode os.FileMode
		err  string
	}{
		{testPPK + "\n", 0o600, ""},
		{testPPK, 0o644, "can be used by others than its owner"},
		{testPPK, 0o640, "can be used by others than its owner"},
		{"0x" + testPPK, 0o600, "hexadecimal"},
		{"", 0o600, "is empty"},
		{strings.Repeat(testPPK, 100), 0o600, "bytes"},
	} {
		name := fmt.Sprintf("%d.ppk", i)
		write(t, filepath.Join(dir, name), tt.data, tt.mode)
		c, err := Parse(filepath.Join(dir, "x.toml"), []byte(withPPK(fmt.Sprintf("id = \"office\"\nsecret_file = %q", name))))
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), testPPK) {
				t.Errorf("%d: %v; want %q in it", i, err, tt.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		s := c.Secrets.PPK[0]
		if got := string(s.Key.Bytes()); got != testPPK || s.File != filepath.Join(dir, name) {
			t.Errorf("%d: %q of %s", i, got, s.File)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
			if text := fmt.Sprintf(verb, s); strings.Contains(text, testPPK) || strings.Contains(text, fmt.Sprintf("%x", testPPK)) {
				t.Errorf("%s shows the key", verb)
			}
		}
	}
}

// TestPPKInReadableConfiguration: a PPK in a file that others can read is a warning, in addition to that for the pre-shared key.
func TestPPKInReadableConfiguration(t *testing.T) {
	dir := t.TempDir()
	for mode, want := range map[os.FileMode]int{0o600: 0, 0o644: 2} {
		file := write(t, filepath.Join(dir, fmt.Sprintf("%o.toml", mode)), withPPK("id = \"office\"\nsecret = \""+testPPK+"\""), mode)
		c, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, w := range c.Warnings {
			if strings.Contains(w.String(), "the key stands in a file that others can read or change") {
				n++
			}
		}
		if n != want {
			t.Errorf("mode %o: %d warnings, want %d", mode, n, want)
		}
	}
}
