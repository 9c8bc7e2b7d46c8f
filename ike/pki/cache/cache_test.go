package cache

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestDir: what is put is there, also for the next run; what is in the way is said or gone.
func TestDir(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	get := func(key string) string {
		t.Helper()
		b, err := d.Get(key, 10)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	put := func(key, text string) {
		t.Helper()
		if err := d.Put(key, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	put("CRL http://x/../../etc/passwd", "one")
	put("other", "two")
	put("other", "three")
	os.WriteFile(filepath.Join(path, "x"+temporary), []byte("half"), 0o600)
	os.WriteFile(filepath.Join(path, "note.txt"), []byte("keep"), 0o600)
	if d, err = Open(path); err != nil {
		t.Fatal(err)
	}
	if get("CRL http://x/../../etc/passwd") != "one" || get("other") != "three" || get("none") != "" {
		t.Error("not what was put")
	}
	d.Drop("other")
	if get("other") != "" {
		t.Error("what was dropped is there")
	}
	if _, err := d.Get("CRL http://x/../../etc/passwd", 2); err == nil {
		t.Error("what is too large is read")
	}
	os.Mkdir(d.name("folder"), 0o700)
	if _, err := d.Get("folder", 10); err == nil {
		t.Error("a folder is read")
	}
	entries, _ := os.ReadDir(path)
	if len(entries) != 3 {
		t.Errorf("there are %v", entries)
	}
	info, _ := os.Stat(path)
	f, _ := os.Stat(d.name("CRL http://x/../../etc/passwd"))
	if info.Mode().Perm() != 0o700 || f.Mode().Perm() != 0o600 {
		t.Errorf("%v and %v: others can read", info.Mode(), f.Mode())
	}
	if _, err := Open(filepath.Join(path, "note.txt")); err == nil {
		t.Error("a file is opened as a directory")
	}
}

// TestBounds: the oldest go when there are too many, or too large ones.
func TestBounds(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	for i := range maxFiles {
		name := d.name(fmt.Sprint(i))
		os.WriteFile(name, []byte("x"), 0o600)
		os.Chtimes(name, old, old.Add(time.Duration(i)*time.Second))
	}
	if err := d.Put("new", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if n := len(d.list(suffix)); n != maxFiles {
		t.Errorf("%d files", n)
	}
	if b, _ := d.Get("0", 10); b != nil {
		t.Error("the oldest is there")
	}
	if b, _ := d.Get("1", 10); !bytes.Equal(b, []byte("x")) {
		t.Error("another one is gone")
	}
	os.Truncate(d.name("511"), maxOctets) // it takes no space
	if err := d.Put("newer", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if b, _ := d.Get("newer", 10); b == nil {
		t.Error("what was put last is gone")
	}
	octets := int64(0)
	for _, f := range d.list(suffix) {
		octets += f.octets
	}
	if octets > maxOctets {
		t.Errorf("%d octets", octets)
	}
}
