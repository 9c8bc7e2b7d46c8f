package config

import (
	"net/netip"
	"strings"
)

// withoutHostBits is the text of an element of local_addrs, local_ts and the like in which a prefix has no bits set beyond its length.
// What has some stands for the network that the address is in, as in strongSwan, and gets a warning: perhaps the one address is meant.
func (t *table) withoutHostBits(it item, key string) string {
	addrs, rest, found := strings.Cut(it.text, "[")
	p, err := netip.ParsePrefix(strings.TrimSpace(addrs))
	if err != nil || p == p.Masked() || p.Addr().Is4In6() {
		return it.text
	}
	t.warnf(it.at, "write "+quote(p.Masked().String())+", or "+quote(p.Addr().String())+" for the one address",
		"%s: %s has bits set beyond the prefix length: %s is taken", t.name(key), quote(it.text), p.Masked())
	if found {
		rest = "[" + rest
	}
	return p.Masked().String() + rest
}
