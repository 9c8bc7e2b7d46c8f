//go:build unix

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestKeyFiles: what is read as a key is what somebody has written as one.
func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	folder := func(name string, mode os.FileMode) string {
		name = filepath.Join(dir, name)
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		return write(t, filepath.Join(name, "key"), testKey, 0o600)
	}
	open := folder("open", 0o777)
	linked := filepath.Join(dir, "linked")
	if err := os.Symlink(open, linked); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ file, warning, bad string }{
		{write(t, filepath.Join(dir, "plain"), testKey+"\n", 0o600), "", ""},
		{write(t, filepath.Join(dir, "bom"), "\xef\xbb\xbf"+testKey, 0o600), "", "byte order mark of UTF-8"},
		{write(t, filepath.Join(dir, "bom16"), "\xff\xfea\x00b\x00", 0o600), "", "byte order mark of UTF-16"},
		{open, "others can write to the directory", ""},
		{linked, "others can write to the directory", ""},
		{folder("sticky", 0o777|os.ModeSticky), "", ""},
		{folder("mine", 0o755), "", ""},
	}
	if runtime.GOOS == "linux" {
		tests = append(tests, struct{ file, warning, bad string }{"/proc/self/environ", "", "says that it has 0 bytes"})
	}
	for _, tt := range tests {
		c, errs := parse("x.toml", []byte(peerConn("b", "b.example", "198.51.100.2", 2)+
			fmt.Sprintf("[secrets.ike.k]\nid = \"b.example\"\nsecret_file = %q\n", tt.file)))
		if tt.bad != "" {
			if len(errs) != 1 || !strings.Contains(errs.Error(), tt.bad) {
				t.Errorf("%s: %v, want %q", tt.file, errs, tt.bad)
			}
			continue
		}
		if len(errs) > 0 {
			t.Errorf("%s: %v", tt.file, errs)
			continue
		}
		if n := len(c.Warnings); n > 1 || (n == 1) != (tt.warning != "") || n == 1 && !strings.Contains(c.Warnings[0].String(), tt.warning) {
			t.Errorf("%s: %v, want %q", tt.file, c.Warnings, tt.warning)
		}
	}
}
