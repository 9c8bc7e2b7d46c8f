package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"esplanade/ike/policy"
	"esplanade/ike/selector"
)

// maxVIPs bounds the addresses that a client asks for: several of each family, from several pools.
const maxVIPs = 8

// readVIPs reads the addresses that a client asks its gateway for: "0.0.0.0" and "::" for any, or certain ones.
func readVIPs(t *table) (out []netip.Addr) {
	const want = `write "0.0.0.0" for any IPv4 address, "::" for any IPv6 address, or the address that the gateway is to give`
	items, ok := t.list("vips")
	if ok && len(items) == 0 {
		t.emptyList("vips", want)
	}
	for _, it := range items {
		a, err := netip.ParseAddr(strings.TrimSpace(it.text))
		if err != nil || a.Zone() != "" || a.Is4In6() || a.IsLoopback() || a.IsMulticast() || a.IsLinkLocalUnicast() {
			t.errorf(it.at, want, "%s: %s is not an address that a gateway can give", t.name("vips"), quote(it.text))
			continue
		}
		if !a.IsUnspecified() && slices.Contains(out, a) {
			t.errorf(it.at, "write every address once", "%s has %s twice", t.name("vips"), a)
			continue
		}
		out = append(out, a)
	}
	if len(out) > maxVIPs {
		t.errorf(t.at("vips"), fmt.Sprintf("write at most %d", maxVIPs), "%s has %d addresses", t.name("vips"), len(out))
	}
	return out
}

// Client reports whether the connection is that of a client, which is given addresses by its gateway.
func (c *Connection) Client() bool { return len(c.VIPs) > 0 }

// OtherVersions are, of a client that has every address of one IP version in a remote_ts, those of the version that the child has nothing of:
// with the host's other routes their packets would leave in the clear.
func (c *Connection) OtherVersions(h *Child) (out []selector.Selector) {
	if !c.Client() || c.OtherIPVersion == policy.OtherAllow {
		return nil
	}
	all := addressesOf(slices.DeleteFunc(slices.Clone(h.RemoteTS), selector.Selector.Dynamic))
	every := Everything()
	for i, e := range every {
		other := every[1-i]
		if selector.Covered([]selector.Selector{e}, all) && !slices.ContainsFunc(all, func(s selector.Selector) bool { return s.Is4() == other.Is4() }) {
			out = append(out, other)
		}
	}
	return out
}

// Full reports whether selectors of the other side are every address of an IP version, as those of a client are that sends everything
// through its gateway.
func Full(remote []selector.Selector) bool {
	all := addressesOf(slices.DeleteFunc(slices.Clone(remote), selector.Selector.Dynamic))
	return slices.ContainsFunc(Everything(), func(e selector.Selector) bool { return selector.Covered([]selector.Selector{e}, all) })
}

// checkClients reports what keeps a client from being one.
func (c *Config) checkClients(r *reader) {
	for _, n := range c.Connections {
		if !n.Client() {
			for key, written := range map[string]bool{"split_include": n.SplitInclude, "install_dns": n.Has("install_dns"), "other_ip_version": n.Has("other_ip_version")} {
				if written {
					r.warnf(n.At(key), `write vips = ["0.0.0.0"], or leave it out`, "%s.%s has no effect: the connection has no vips, and is that of no client", n.Source.name, key)
				}
			}
			continue
		}
		at := n.At("vips")
		if c.TUN.Device == DeviceNetstack {
			r.errorf(at, "leave it out, and write tun.addresses", "%s.vips needs a device of the operating system, and tun.device is \"netstack\"", n.Source.name)
		}
		if !n.CanInitiate() {
			r.errorf(at, "write the gateway's address or DNS name into remote_addrs", "%s.vips asks a gateway for addresses, and the connection has no remote address to call", n.Source.name)
		}
		for _, h := range n.Children {
			if !h.DynamicLocal() {
				r.warnf(h.At("local_ts"), `leave it out, or write "dynamic"`, "%s.local_ts has no \"dynamic\", so that it does not carry the addresses of vips", h.fullName())
			}
			for _, o := range n.OtherVersions(h) {
				if h.StartAction == policy.StartNone || n.Has("other_ip_version") {
					continue // which checkHeld speaks of, or which is meant
				}
				r.warnf(h.At("remote_ts"), fmt.Sprintf(`write %q there too if the gateway has it, or other_ip_version in [%s]: "refuse" if that is what you want, or "allow"`, o.String(), n.Source.name),
					"%s has all of one IP version and nothing of the other: packets to %s are dropped, and do not leave in the clear", h.fullName(), o)
			}
		}
	}
}
