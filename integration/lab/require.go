//go:build linux

package lab

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// requireEnv is the environment variable that turns a skip into a failure: with the value "require" a machine
// that can't run an integration test fails it, so that CI can't pass by skipping.
const requireEnv = "ESPLANADE_INTEGRATION"

// required reports whether this run must not skip.
func required() bool { return os.Getenv(requireEnv) == "require" }

// Missing says what this machine lacks for a lab and for some programs; it is empty when there is nothing. The names are those
// of executables; Debian's packages for them are in integration/deps/install.
func Missing(programs ...string) []string {
	var missing []string
	if os.Geteuid() != 0 {
		missing = append(missing, "root (for network namespaces and TUN devices)")
	} else {
		if err := tryNamespace(); err != nil {
			missing = append(missing, fmt.Sprintf("CAP_SYS_ADMIN to make a network namespace (%v)", err))
		}
		if err := tryTUN(); err != nil {
			missing = append(missing, fmt.Sprintf("a usable /dev/net/tun (%v)", err))
		}
	}
	for _, p := range append([]string{"ip", "ethtool"}, programs...) {
		if _, err := LookPath(p); err != nil {
			missing = append(missing, "the program "+p+" (integration/deps/install, as root on Debian)")
		}
	}
	return missing
}

// NeedRoot skips the test, saying why, unless it may make network namespaces and TUN devices and the named
// programs are there.
func NeedRoot(t T, programs ...string) {
	t.Helper()
	missing := Missing(programs...)
	if len(missing) == 0 {
		return
	}
	reason := "TEST NOT RUN, the machine lacks: " + strings.Join(missing, "; ")
	if required() {
		t.Fatal(reason + "; and " + requireEnv + "=require forbids skipping")
	}
	t.Skip(reason)
}

// LookPath finds a program also in the sbin directories, which an ordinary user's PATH lacks on Debian.
func LookPath(program string) (string, error) {
	if p, err := exec.LookPath(program); err == nil {
		return p, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if p, err := exec.LookPath(dir + "/" + program); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s: not in PATH nor in /usr/sbin", program)
}

func tryNamespace() error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, and the namespace with it
		done <- unix.Unshare(unix.CLONE_NEWNET)
	}()
	return <-done
}

func tryTUN() error {
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return f.Close()
}
