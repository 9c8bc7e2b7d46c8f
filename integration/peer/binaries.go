//go:build linux

package peer

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"esplanade/integration/gates"
	"esplanade/integration/lab"
)

// binaries holds what is prepared once per test run: our binary, built from this checkout, and copies of
// strongSwan's programs.
//
// The copies are for AppArmor: Debian's profiles for charon-systemd and swanctl go by path and allow no files
// outside /etc and /run, while every file of a test is in its own directory.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "bin")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return dir, err
	}
	errs := []error{os.WriteFile(filepath.Join(dir, noConf), nil, 0o644)}
	for _, program := range []string{"charon-systemd", "swanctl"} {
		src, err := lab.LookPath(program)
		if err != nil {
			continue // a test that needs it has been skipped by lab.NeedRoot
		}
		b, err := os.ReadFile(src)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, program), b, 0o755)
		}
		errs = append(errs, err)
	}
	return dir, errors.Join(errs...)
})

// CleanUp removes what was prepared. TestMain calls it when all tests have ended.
func CleanUp() {
	if dir, _ := binaries(); dir != "" {
		os.RemoveAll(dir)
	}
}

// noConf is an empty strongswan.conf: the machine's own has no part in a test.
const noConf = "empty.conf"

// unconfined is the path of a prepared file.
func unconfined(program string) string {
	dir, err := binaries()
	if err != nil {
		return program
	}
	return filepath.Join(dir, program)
}

// binaryEnv names a ready esplanade binary to test instead of one built from this checkout.
const binaryEnv = "ESPLANADE_BINARY"

// raceEnv has the binary built with the race detector if it is set to anything. The tests need not be: what is looked for is a race
// in the daemon, and captures, bridges and transfers cost the detector much.
const raceEnv = "ESPLANADE_INTEGRATION_RACE"

// Binary is the path of the esplanade binary; the first call builds it.
var Binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(binaryEnv); path != "" {
		return path, nil
	}
	dir, err := binaries()
	if err != nil {
		return "", err
	}
	root, err := gates.Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "esplanade")
	// A clone that belongs to another user has no version control as git sees it, and needs none here.
	args := []string{"build", "-buildvcs=false", "-o", path}
	if os.Getenv(raceEnv) != "" {
		args = append(args, "-race") // a race in the daemon fails the test that ran into it
	}
	build := exec.Command("go", append(args, "./cmd/esplanade")...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/esplanade: %w\n%s", err, out)
	}
	return path, nil
})
