package cache

import (
	"syscall"
	"testing"
)

// TestPipe: a pipe in the place of a file is not waited for.
func TestPipe(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(d.name("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get("pipe", 10); err == nil {
		t.Error("a pipe is read")
	}
}
