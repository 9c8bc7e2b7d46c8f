package tun

import (
	"net/netip"
	"testing"
)

func TestPreferredSource(t *testing.T) {
	addrs := []netip.Addr{}
	for _, s := range []string{"127.0.0.1", "203.0.113.10", "10.10.0.1", "10.10.0.2", "::ffff:10.11.0.1", "::1", "fe80::1%eth0", "2001:db8::1", "fd00:10::1", "169.254.1.1"} {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	for _, c := range []struct {
		dst   string
		local []string
		want  string
	}{
		{"10.20.0.0/16", []string{"10.10.0.0/16"}, "10.10.0.1"},
		{"10.20.0.0/16", []string{"10.11.0.0/16"}, "10.11.0.1"}, // IPv4 in IPv6 is IPv4
		{"10.20.0.0/16", []string{"10.12.0.0/16"}, "invalid IP"},
		{"10.20.0.0/16", []string{"10.12.0.0/16", "10.10.0.2/32"}, "10.10.0.2"},
		{"0.0.0.0/0", []string{"0.0.0.0/0"}, "203.0.113.10"}, // not loopback
		{"10.20.0.0/16", []string{"169.254.0.0/16", "127.0.0.0/8"}, "invalid IP"},
		{"10.20.0.0/16", []string{"fd00::/8"}, "invalid IP"},
		{"fd00:20::/32", []string{"fd00:10::/32"}, "fd00:10::1"},
		{"::/0", []string{"::/0", "0.0.0.0/0"}, "2001:db8::1"}, // not link-local
		{"fd00:20::/32", []string{"10.10.0.0/16"}, "invalid IP"},
		{"10.20.0.0/16", nil, "invalid IP"},
	} {
		var local []netip.Prefix
		for _, s := range c.local {
			local = append(local, netip.MustParsePrefix(s))
		}
		if got := PreferredSource(netip.MustParsePrefix(c.dst), local, addrs); got.String() != c.want {
			t.Errorf("to %s within %v: %v, want %s", c.dst, c.local, got, c.want)
		}
	}
	if got := PreferredSource(netip.MustParsePrefix("10.0.0.0/8"), []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}, []netip.Addr{{}}); got.IsValid() {
		t.Errorf("the zero Addr was preferred: %v", got)
	}
}

func TestLocalAddresses(t *testing.T) {
	addrs, err := LocalAddresses()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if !a.IsValid() || a.Is4In6() {
			t.Errorf("address %v", a)
		}
	}
}
