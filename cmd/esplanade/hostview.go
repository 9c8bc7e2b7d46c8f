package main

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"esplanade/tun"
)

// hostView is what a configuration is compared with: the addresses, routes and forwarding of the host that the command runs on. What
// can't be read is missing in it.
type hostView struct {
	addrs  []hostAddr
	routes []tun.HostRoute
	// forwards says of IPv4 and of IPv6 whether the host passes on packets of others.
	forwards4, forwards6 forwarding
	// started: the tunnel's device is up, and gets no more addresses.
	started bool
}

// hostAddr is an address of an interface, with the length of its network's prefix.
type hostAddr struct {
	prefix netip.Prefix
	device string
}

// forwarding is whether a host passes on packets of other hosts.
type forwarding uint8

const (
	forwardingUnknown forwarding = iota
	forwardingOff
	forwardingOn
)

// readHost looks at this host, without the tunnel's own device.
func readHost(device string) hostView {
	v := readAddresses(device)
	v.routes, _ = tun.HostRoutes(device) // without them nothing is said of them
	return v
}

// readAddresses is readHost without the routes, of which there may be a million.
func readAddresses(device string) hostView {
	v := hostView{
		forwards4: readForwarding("/proc/sys/net/ipv4/conf/*/forwarding"),
		forwards6: readForwarding("/proc/sys/net/ipv6/conf/*/forwarding"),
	}
	list, _ := net.Interfaces()
	for _, i := range list {
		addrs, err := i.Addrs()
		if err != nil || i.Name == device {
			continue
		}
		for _, a := range addrs {
			n, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			ip, ok := netip.AddrFromSlice(n.IP)
			if bits, _ := n.Mask.Size(); ok && !ip.IsLinkLocalUnicast() {
				v.addrs = append(v.addrs, hostAddr{netip.PrefixFrom(ip.Unmap(), bits), i.Name})
			}
		}
	}
	return v
}

// readForwarding reads the switches of all interfaces: one that is on is enough.
func readForwarding(pattern string) forwarding {
	files, _ := filepath.Glob(pattern)
	state := forwardingUnknown
	for _, f := range files {
		switch data, err := os.ReadFile(f); {
		case err != nil:
		case strings.TrimSpace(string(data)) != "0":
			return forwardingOn
		default:
			state = forwardingOff
		}
	}
	return state
}

// forwards is the state for an address's family.
func (v hostView) forwards(a netip.Addr) forwarding {
	if a.Is4() {
		return v.forwards4
	}
	return v.forwards6
}
