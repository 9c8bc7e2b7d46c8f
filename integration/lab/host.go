//go:build linux

package lab

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// Host is one machine of the lab: a network namespace held by one OS thread.
type Host struct {
	// Name is short and unique in its lab: "a", "b", "r".
	Name string
	// Dir is the host's own directory for configurations, logs and sockets.
	Dir string

	namespace *os.File    // handle that other threads enter
	calls     chan func() // run one after the other by the thread that holds the namespace
	gone      chan struct{}
}

func newHost(name, dir string) (*Host, error) {
	h := &Host{Name: name, Dir: filepath.Join(dir, name), calls: make(chan func()), gone: make(chan struct{})}
	if err := os.MkdirAll(h.Dir, 0o755); err != nil {
		return nil, err
	}
	ready := make(chan error)
	go h.hold(ready)
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("host %s: %w", name, err)
	}
	return h, nil
}

// hold makes the namespace and keeps its thread until the host is closed. The thread isn't given back to the
// scheduler (no UnlockOSThread), so it ends with the goroutine.
func (h *Host) hold(ready chan<- error) {
	defer close(h.gone)
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		ready <- fmt.Errorf("unshare(CLONE_NEWNET): %w", err)
		return
	}
	f, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		ready <- err
		return
	}
	h.namespace = f
	close(ready)
	for call := range h.calls {
		call()
	}
	f.Close()
}

// close ends the host; its programs must have been stopped.
func (h *Host) close() {
	close(h.calls)
	<-h.gone
}

// namespacePath names the namespace to other programs, such as "ip link set netns".
func (h *Host) namespacePath() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.namespace.Fd())
}

// onThread runs call on the thread that holds the namespace. Only for what must happen on that very thread,
// which is starting processes: the kernel kills them when the thread that started them ends.
func (h *Host) onThread(call func() error) error {
	result := make(chan error, 1)
	h.calls <- func() { result <- call() }
	return <-result
}

// Do runs call in the host's namespace, on a thread of its own. Sockets that call makes stay in the namespace
// and may be used anywhere afterwards. call must not start goroutines that make sockets.
func (h *Host) Do(call func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // not unlocked: this thread must never run anything else
		if err := unix.Setns(int(h.namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			result <- fmt.Errorf("enter host %s: %w", h.Name, err)
			return
		}
		result <- call()
	}()
	return <-result
}

// ListenUDP opens an IPv4 socket in the host's namespace.
func (h *Host) ListenUDP(local netip.AddrPort) (c *net.UDPConn, err error) {
	err = h.Do(func() error {
		c, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(local))
		return err
	})
	return c, err
}
