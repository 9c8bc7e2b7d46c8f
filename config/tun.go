package config

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"esplanade/ike/policy"
	"esplanade/ike/selector"
)

// TUN is the device of the inner networks: the table [tun].
type TUN struct {
	Source
	// Name is the device's name. Where it is not written, macOS and OpenBSD choose a number: utunN, tunN.
	Name string `key:"name" default:"ipsec0"`
	// Device is the kind.
	Device DeviceKind `key:"device" default:"tun"`
	// MTU is that of the device, in bytes. Default, and what 0 in the file stands for, is [DefaultMTU].
	MTU int `key:"mtu"`
	// Addresses are put on the device, with the length of their network's prefix. Default none.
	Addresses []netip.Prefix `key:"addresses"`
	// StateFile is where it is noted what of this host's resolver has been changed, so that it is put back after a crash.
	StateFile string `key:"state_file" default:"/var/lib/esplanade/host.json"`
	// BlockWhenStopped leaves routes behind that refuse the packets of the tunnels while no gateway runs.
	BlockWhenStopped bool `key:"block_when_stopped" default:"false"`
}

// DefaultMTU makes full inner packets fill an outer packet of 1500 bytes with any cipher: the ESP plaintext is then
// 1408 bytes, a whole number of 128-byte blocks.
const DefaultMTU = 1406

// DeviceKind is what carries the packets of the inner networks.
type DeviceKind uint8

// The kinds of [TUN].
const (
	DeviceTUN      DeviceKind = iota // a TUN device of the operating system
	DeviceNetstack                   // a TCP/IP stack within the process: needs no privilege
)

// Words implements [policy.Word].
func (DeviceKind) Words() []string { return []string{"tun", "netstack"} }

// String is the word of the configuration.
func (k DeviceKind) String() string { return policy.Name(k) }

// maxDeviceName is the longest name of a network device (IFNAMSIZ less the final NUL).
const maxDeviceName = 15

// Bounds of the MTU: below the first, IPv4 hosts need not cope; IPv6 needs the second (RFC 8200, section 5).
const (
	minMTU     = 576
	minIPv6MTU = 1280
	maxMTU     = 65535
)

func readTUN(t *table) (u TUN) {
	t.fill(&u)
	if u.Name == "" || len(u.Name) > maxDeviceName || u.Name == "." || u.Name == ".." ||
		strings.ContainsFunc(u.Name, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' || r == ':' || r == '%' }) {
		t.errorf(t.at("name"), fmt.Sprintf("write at most %d letters, digits and the like, such as \"ipsec0\"", maxDeviceName),
			"tun.name is %s, which can't be a network device", quote(u.Name))
	}
	mtu, at := t.integer("mtu", 0, 0, maxMTU)
	if u.MTU = int(mtu); mtu == 0 {
		u.MTU = DefaultMTU
	} else if mtu < minMTU {
		t.errorf(at, fmt.Sprintf("write a number from %d to %d, or 0 for the default, %d", minMTU, maxMTU, DefaultMTU),
			"tun.mtu is %d", mtu)
	}
	items, _ := t.list("addresses")
	for _, it := range items {
		p, ok := readDeviceAddress(t, it)
		if !ok {
			continue
		}
		for _, q := range u.Addresses {
			if q.Addr() == p.Addr() {
				t.errorf(it.at, "write every address once", "tun.addresses has %s twice", p.Addr())
			}
		}
		u.Addresses = append(u.Addresses, p)
	}
	if !filepath.IsAbs(u.StateFile) || strings.ContainsRune(u.StateFile, 0) {
		t.errorf(t.at("state_file"), `write an absolute path on a disk that survives a restart, such as "/var/lib/esplanade/host.json"`, "tun.state_file is %s", quote(u.StateFile))
	}
	u.Source = t.done()
	if u.Device == DeviceNetstack && u.BlockWhenStopped {
		t.errorf(u.At("block_when_stopped"), "leave it out: the host's packets do not go into a netstack device",
			"tun.block_when_stopped needs a device of the operating system")
	}
	if u.Device == DeviceNetstack && len(u.Addresses) == 0 {
		t.errorf(u.At("device"), "write addresses = [\"10.10.0.1/24\"] with the gateway's own inner address",
			"the netstack device has no addresses")
	}
	return u
}

func readDeviceAddress(t *table, it item) (netip.Prefix, bool) {
	s := strings.TrimSpace(it.text)
	p, err := netip.ParsePrefix(s)
	if a, errA := netip.ParseAddr(s); errA == nil && a.Zone() == "" {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	a := p.Addr()
	if err != nil || a.Is4In6() || a.IsUnspecified() || a.IsMulticast() {
		t.errorf(it.at, "write an address with the length of its network's prefix, such as \"10.10.0.1/24\"",
			"%s is not an address for the device", quote(it.text))
		return p, false
	}
	if p.Bits() < a.BitLen()-1 && a.Is4() && p.Masked().Addr() == a {
		t.warnf(it.at, "write the gateway's own address, not that of the network", "%s is the address of a network", p)
	}
	return p, true
}

// checkMTU reports an MTU on which IPv6 can't work.
func (c *Config) checkMTU(r *reader) {
	if c.TUN.MTU >= minIPv6MTU || c.TUN.MTU < minMTU {
		return
	}
	at := c.TUN.At("mtu")
	for _, p := range c.TUN.Addresses {
		if p.Addr().Is6() {
			r.errorf(at, "write at least 1280, which IPv6 needs", "tun.mtu is %d and tun.addresses has %s", c.TUN.MTU, p)
			return
		}
	}
	for _, n := range c.Connections {
		for _, h := range n.Children {
			if slices.ContainsFunc(h.LocalTS, selector.Selector.Is6) || slices.ContainsFunc(h.RemoteTS, selector.Selector.Is6) {
				r.errorf(at, "write at least 1280, which IPv6 needs", "tun.mtu is %d and %s carries IPv6", c.TUN.MTU, h.fullName())
				return
			}
		}
	}
}
