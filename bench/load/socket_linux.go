package load

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batch is how many packets go with one system call.
	batch = 64
	// packetRoom holds any packet that is sent here.
	packetRoom = 2048
	// receiveBuffer is asked for at the receiver, so that it is not what loses packets; as root it is granted.
	receiveBuffer = 32 << 20
	sendBuffer    = 4 << 20
	// patience bounds each blocking call, so that a thread notices when it is to end.
	patience = 50 * time.Millisecond
	// nice is the priority of the threads that make and count traffic; it takes effect with CAP_SYS_NICE.
	nice = -10
)

// openUDP opens a socket between two addresses. It stays in the network namespace of the calling thread.
func openUDP(local, remote netip.AddrPort) (fd int, err error) {
	family := unix.AF_INET
	if local.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	opened := fd // an error below returns another fd
	defer func() {
		if err != nil {
			unix.Close(opened)
		}
	}()
	// Without CAP_NET_ADMIN the system's limits apply, which is what the second call asks for.
	for _, o := range []struct{ force, plain, n int }{
		{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, receiveBuffer}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, sendBuffer},
	} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, o.force, o.n) != nil {
			if err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, o.plain, o.n); err != nil {
				return -1, os.NewSyscallError("setsockopt", err)
			}
		}
	}
	tv := unix.NsecToTimeval(int64(patience))
	for _, o := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, o, &tv); err != nil {
			return -1, os.NewSyscallError("setsockopt", err)
		}
	}
	if err = unix.Bind(fd, sockaddr(local)); err != nil {
		return -1, fmt.Errorf("bind %s: %w", local, err)
	}
	if err = unix.Connect(fd, sockaddr(remote)); err != nil {
		return -1, fmt.Errorf("connect %s to %s: %w", local, remote, err)
	}
	return fd, nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is6() {
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}

// mmsghdr is struct mmsghdr.
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
}

// messages are headers and buffers for sendmmsg and recvmmsg. The pointers in them make that the collector keeps the
// buffers, and it does not move anything.
type messages struct {
	hdrs [batch]mmsghdr
	iovs [batch]unix.Iovec
	bufs [batch][]byte
}

func newMessages(size int) *messages {
	m := new(messages)
	for i := range m.hdrs {
		m.bufs[i] = make([]byte, size)
		m.iovs[i].Base = &m.bufs[i][0]
		m.iovs[i].SetLen(size)
		m.hdrs[i].hdr.Iov = &m.iovs[i]
		m.hdrs[i].hdr.SetIovlen(1)
	}
	return m
}

func (m *messages) send(fd, n int) (int, error) {
	r, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.hdrs[0])), uintptr(n), 0, 0, 0)
	runtime.KeepAlive(m)
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}

// receive waits for at least one packet.
func (m *messages) receive(fd int) (int, error) {
	r, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.hdrs[0])), batch, unix.MSG_WAITFORONE, 0, 0)
	runtime.KeepAlive(m)
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}

// transient reports whether a call on a socket is simply repeated: the time is up, or an ICMP message said that nobody
// listened a moment ago.
func transient(err error) bool {
	switch err {
	case unix.EAGAIN, unix.EINTR, unix.ECONNREFUSED:
		return true
	}
	return false
}

// ownThread makes the calling goroutine's thread one for measuring. It is not unlocked: with the goroutine the thread ends,
// and its priority with it.
func ownThread() {
	runtime.LockOSThread()
	// Both are improvements only, and the first is refused without privilege.
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, nice)
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(time.Microsecond), 0, 0, 0)
}

// nap sleeps more exactly than time.Sleep, whose timers are only as exact as the runtime's poller.
func nap(d time.Duration) {
	if d > 0 {
		ts := unix.NsecToTimespec(int64(d))
		_ = unix.Nanosleep(&ts, nil) // an early end does no harm
	}
}
