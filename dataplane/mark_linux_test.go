package dataplane

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMayMark: whoever has no capability may set no mark.
func TestMayMark(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skipf("SKIPPED: needs root to give up its capabilities, runs as uid %d", os.Geteuid())
	}
	const user = 65534
	result := make(chan [2]bool)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread, which loses its capabilities, ends with the goroutine
		before := MayMark()
		_, _, e := unix.RawSyscall(unix.SYS_SETRESUID, user, user, user)
		result <- [2]bool{before, e != 0 || MayMark()}
	}()
	if r := <-result; !r[0] || r[1] {
		t.Errorf("root may: %v, nobody may: %v", r[0], r[1])
	}
}
