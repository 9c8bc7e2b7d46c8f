package tun

import (
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	wgtun "golang.zx2c4.com/wireguard/tun"
)

// DefaultName is the device's name when none is given.
const DefaultName = "ipsec0"

// create opens the device itself, so that it can tell what is wrong, and leaves the rest to wireguard/tun.
func create(name string, mtu int) (Device, error) {
	const op = "create"
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, &DeviceError{Op: op, Name: name, Reason: ErrSystem, Fix: useNetstack, Err: err}
	}
	defer h.Close()
	fd, err := openClone(op, name)
	if err != nil {
		return nil, err
	}
	if _, err := attach(h, op, name, []int{fd}, unix.IFF_TUN|unix.IFF_NO_PI|unix.IFF_VNET_HDR); err != nil {
		unix.Close(fd)
		return nil, err
	}
	file := os.NewFile(uintptr(fd), cloneDevice)
	dev, err := wgtun.CreateTUNFromFile(file, mtu)
	if err != nil {
		file.Close()
		return nil, &DeviceError{Op: op, Name: name, Reason: reasonOf(err), Detail: "cannot set it up", Fix: "look at the system's error; " + useNetstack, Err: err}
	}
	return dev, nil
}
