//go:build !unix

package folder

import (
	"errors"
	"os"
)

// lock fails: there is no lock here that a run loses that was killed.
func lock(path string) (*os.File, error) {
	return nil, &os.PathError{Op: "lock", Path: path, Err: errors.New("this system has no locks for it; keep the CA on Linux, macOS or a BSD")}
}
