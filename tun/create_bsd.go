//go:build darwin || freebsd || openbsd

package tun

import (
	"net"
	"runtime"

	wgtun "golang.zx2c4.com/wireguard/tun"
)

func create(name string, mtu int) (Device, error) {
	const op = "create"
	if _, err := net.InterfaceByName(name); err == nil {
		return nil, &DeviceError{Op: op, Name: name, Reason: ErrNameTaken, Detail: "there is an interface of that name",
			Fix: bsdFix(runtime.GOOS, ErrNameTaken)}
	}
	dev, err := wgtun.CreateTUN(name, mtu)
	if err != nil {
		reason := reasonOf(err)
		return nil, &DeviceError{Op: op, Name: name, Reason: reason, Fix: bsdFix(runtime.GOOS, reason), Err: err}
	}
	return dev, nil
}

func openQueues(o QueueOptions) (QueueDevice, error) {
	return nil, &DeviceError{Op: "open", Name: o.Name, Reason: ErrUnsupported,
		Detail: runtime.GOOS, Fix: "use Create, whose device works everywhere"}
}
