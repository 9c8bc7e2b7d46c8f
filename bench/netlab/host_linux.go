package netlab

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Host is one of the two: a network namespace that a thread of this process holds.
type Host struct {
	Name string

	namespace *os.File
	calls     chan func()
	gone      chan struct{}
}

func newHost(name string) (*Host, error) {
	h := &Host{Name: name, calls: make(chan func()), gone: make(chan struct{})}
	ready := make(chan error)
	go h.hold(ready)
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("netlab: host %s: %w", name, err)
	}
	return h, nil
}

// hold is the thread. It is never unlocked, so that it ends with the goroutine.
func (h *Host) hold(ready chan<- error) {
	defer close(h.gone)
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		ready <- os.NewSyscallError("unshare", err)
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

func (h *Host) close() {
	close(h.calls)
	<-h.gone
}

// path names the namespace to other programs.
func (h *Host) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.namespace.Fd()) }

// onThread runs a function on the thread that holds the namespace. Programs are started there, because the kernel ends them
// with the thread that started them, and this one lives as long as the host.
func (h *Host) onThread(call func() error) error {
	result := make(chan error, 1)
	h.calls <- func() { result <- call() }
	return <-result
}

// ListenUDP opens an IPv4 socket in the namespace.
func (h *Host) ListenUDP(local netip.AddrPort) (c *net.UDPConn, err error) {
	err = h.Do(func() error {
		c, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(local))
		return err
	})
	return c, err
}

// Do runs a function in the namespace, on a thread of its own. Sockets that it opens stay there.
func (h *Host) Do(call func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread must not run anything else
		if err := unix.Setns(int(h.namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			result <- os.NewSyscallError("setns", err)
			return
		}
		result <- call()
	}()
	return <-result
}
