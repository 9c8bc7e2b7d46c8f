package tun

import (
	wgtun "golang.zx2c4.com/wireguard/tun"
)

// Device is a layer 3 network interface whose packets this process reads and writes. It is the interface of
// golang.zx2c4.com/wireguard/tun, unchanged, so that its devices and its netstack can be used directly.
type Device = wgtun.Device

// Event is a change of a Device's state, see [Device.Events].
type Event = wgtun.Event

// The events a Device reports.
const (
	EventUp        = wgtun.EventUp
	EventDown      = wgtun.EventDown
	EventMTUUpdate = wgtun.EventMTUUpdate
)

// Headroom is the smallest offset to pass to Read and Write of any Device of this package. Linux puts a virtio header
// of [VNetHdrLen] octets in front of the packet, the BSDs an address family of 4; both go into the caller's buffer.
const Headroom = 16

// MinMTU is the smallest MTU a device is created with: every IPv4 host can take a datagram of 576 octets
// (RFC 791 section 3.1, https://www.rfc-editor.org/rfc/rfc791#section-3.1). Below 1280 the device carries no IPv6
// (RFC 8200 section 5, https://www.rfc-editor.org/rfc/rfc8200#section-5).
const MinMTU = 576

// MaxMTU is the largest MTU a device is created with.
const MaxMTU = 65535

// Create makes the TUN device called name through wireguard/tun. The empty name stands for [DefaultName]. The device
// is down and has no addresses; see [Configure]. Receive from its Events until they are closed: the goroutine of
// wireguard/tun that reports them waits for that. Every error is a [*DeviceError].
func Create(name string, mtu int) (Device, error) {
	if name == "" {
		name = DefaultName
	}
	if err := checkRequest("create", name, mtu); err != nil {
		return nil, err
	}
	return create(name, mtu)
}
