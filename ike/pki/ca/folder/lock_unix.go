//go:build unix

package folder

import (
	"os"
	"syscall"
)

// lock waits until no other run writes into the folder, and keeps others out until the file is closed. The system takes the lock of a
// run away that has ended, however it did.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, modeSecret)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err == nil {
			return f, nil
		}
		if err != syscall.EINTR {
			_ = f.Close() // the other error says more
			return nil, &os.PathError{Op: "lock", Path: path, Err: err}
		}
	}
}
