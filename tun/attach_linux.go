package tun

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const cloneDevice = "/dev/net/tun"

// useNetstack ends every fix that may be out of the reach of who runs a container.
const useNetstack = `or set device = "netstack", which needs neither`

// openClone opens /dev/net/tun: a descriptor that is no device's yet.
func openClone(op, name string) (int, error) {
	for {
		fd, err := unix.Open(cloneDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err == nil {
			return fd, nil
		}
		if err != unix.EINTR {
			return -1, cloneError(op, name, err)
		}
	}
}

// cloneError explains why /dev/net/tun cannot be opened.
func cloneError(op, name string, err error) error {
	e := &DeviceError{Op: op, Name: name, Err: &os.PathError{Op: "open", Path: cloneDevice, Err: err}}
	switch err {
	case unix.ENOENT, unix.ENXIO, unix.ENODEV:
		e.Reason = ErrNoTUN
		e.Fix = "load the module (modprobe tun); in a container pass --device /dev/net/tun and --cap-add NET_ADMIN; " + useNetstack
	case unix.EACCES, unix.EPERM:
		e.Reason = ErrPermission
		e.Detail = "the file's mode or the container's device rules forbid it"
		e.Fix = "run as root; in a container pass --device /dev/net/tun and --cap-add NET_ADMIN; " + useNetstack
	default:
		e.Reason = ErrSystem
		e.Fix = "look at the system's error; " + useNetstack
	}
	return e
}

// setIffError explains why TUNSETIFF failed.
func setIffError(op, name string, err error) error {
	e := &DeviceError{Op: op, Name: name, Err: os.NewSyscallError("TUNSETIFF", err)}
	switch err {
	case unix.EPERM, unix.EACCES:
		e.Reason = ErrPermission
		e.Detail = "this process has no CAP_NET_ADMIN here"
		e.Fix = "run as root or with CAP_NET_ADMIN (container: --cap-add NET_ADMIN), have an administrator make the device with " +
			"\"ip tuntap add dev " + name + " mode tun user " + fmt.Sprint(os.Geteuid()) + "\", give it the MTU and the addresses of [tun] and set it up, and set " +
			"install_routes = false, " + useNetstack
	case unix.EBUSY:
		e.Reason = ErrNameTaken
		e.Detail = "another process uses this device"
		e.Fix = "stop that process, or choose another name"
	case unix.EINVAL:
		e.Reason = ErrSystem
		e.Detail = "the kernel refuses these flags for this device"
		e.Fix = "choose another name, or turn the optional features (vnet_hdr, several queues) off"
	default:
		e.Reason = ErrSystem
		e.Fix = "look at the system's error; " + useNetstack
	}
	return e
}

// existing is what is known of an interface that already has the wanted name.
type existing struct {
	found      bool
	multiQueue bool
}

// lookUp finds out whether name may be used: nobody has it, or a persistent TUN device without a user.
func lookUp(h *netlink.Handle, op, name string) (existing, error) {
	link, err := h.LinkByName(name)
	var notFound netlink.LinkNotFoundError
	if errors.As(err, &notFound) {
		return existing{}, nil
	}
	if err != nil {
		return existing{}, &DeviceError{Op: op, Name: name, Reason: ErrSystem, Detail: "cannot look for the name",
			Fix: "look at the system's error", Err: err}
	}
	taken := func(detail, fix string) (existing, error) {
		return existing{}, &DeviceError{Op: op, Name: name, Reason: ErrNameTaken, Detail: detail, Fix: fix}
	}
	t, ok := link.(*netlink.Tuntap)
	switch {
	case !ok:
		return taken("by an interface of type "+link.Type(), "choose another name, or delete it: ip link delete "+name)
	case t.Mode == netlink.TUNTAP_MODE_TAP:
		return taken("by a TAP (layer 2) device", "choose another name, or delete it: ip link delete "+name)
	case t.NonPersist || t.Queues > 0:
		return taken("by a TUN device that another process uses", "stop that process, or choose another name")
	}
	return existing{found: true, multiQueue: t.Flags&netlink.TUNTAP_MULTI_QUEUE != 0}, nil
}

// setIff makes fd a queue of the device called name.
func setIff(fd int, name string, flags uint16) error {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	ifr.SetUint16(flags)
	return unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
}

// attach makes fds queues of one device. The first descriptor creates it, unless it is there. The result is how many of fds are queues: fewer than wanted when a device that was there has a single queue.
func attach(h *netlink.Handle, op, name string, fds []int, flags uint16) (n int, err error) {
	old, err := lookUp(h, op, name)
	if err != nil {
		return 0, err
	}
	switch {
	case !old.found:
		// IFF_TUN_EXCL: should the name be taken this moment, the kernel must not make us a further queue of that.
		flags |= unix.IFF_TUN_EXCL
	case old.multiQueue:
		flags |= unix.IFF_MULTI_QUEUE // whether it has one or many is up to who made it
	default:
		flags &^= unix.IFF_MULTI_QUEUE
		fds = fds[:1]
	}
	for _, fd := range fds {
		if err := setIff(fd, name, flags); err != nil {
			return 0, setIffError(op, name, err)
		}
		flags &^= unix.IFF_TUN_EXCL
	}
	return len(fds), nil
}
