package fetch

import (
	"errors"
	"net/netip"
	"testing"
)

// TestGuard: every kind of address that is not of the public Internet is forbidden; private ones and loopback are left to the operator.
func TestGuard(t *testing.T) {
	own := func() []netip.Addr {
		return []netip.Addr{netip.MustParseAddr("198.41.0.4"), netip.MustParseAddr("2a00::5")}
	}
	g := Guard{Own: own}
	for _, x := range []struct {
		addr             string
		certificate, own bool // may be connected to, when it is from a certificate, or the operator's
	}{
		{"1.1.1.1", true, true}, {"198.41.0.5", true, true}, {"2a00::1", true, true}, {"2606:4700::1111", true, true}, {"::ffff:1.1.1.1", true, true},
		{"64:ff9b::1.1.1.1", true, true}, {"11.0.0.0", true, true}, {"172.32.0.1", true, true}, {"100.128.0.1", true, true}, {"223.255.255.255", true, true},

		{"127.0.0.1", false, true}, {"127.255.255.254", false, true}, {"::1", false, true}, {"::ffff:127.0.0.1", false, true},
		{"10.0.0.1", false, true}, {"172.16.0.1", false, true}, {"172.31.255.255", false, true}, {"192.168.1.1", false, true}, {"::ffff:10.0.0.1", false, true},
		{"100.64.0.1", false, true}, {"100.127.255.255", false, true}, {"fc00::1", false, true}, {"fd12::1", false, true},
		{"198.41.0.4", false, true}, {"2a00::5", false, true}, {"::ffff:198.41.0.4", false, true}, // this host's own
		{"64:ff9b::10.0.0.1", false, true}, {"64:ff9b::127.0.0.1", false, true},

		{"0.0.0.0", false, false}, {"0.1.2.3", false, false}, {"169.254.169.254", false, false}, {"169.254.0.1", false, false}, {"::ffff:169.254.169.254", false, false},
		{"64:ff9b::169.254.169.254", false, false}, {"224.0.0.1", false, false}, {"239.255.255.255", false, false}, {"240.0.0.1", false, false},
		{"255.255.255.255", false, false}, {"192.0.0.1", false, false}, {"192.0.2.1", false, false}, {"198.18.0.1", false, false}, {"198.51.100.1", false, false},
		{"203.0.113.1", false, false}, {"192.88.99.1", false, false},
		{"::", false, false}, {"::2", false, false}, {"::127.0.0.1", false, false}, {"fe80::1", false, false}, {"fe80::1%eth0", false, false}, {"fec0::1", false, false},
		{"ff02::1", false, false}, {"ff0e::1", false, false}, {"2001::1", false, false}, {"2001:db8::1", false, false}, {"2002:7f00:1::", false, false},
		{"2002:a00:1::", false, false}, {"64:ff9b:1::10.0.0.1", false, false}, {"100::1", false, false}, {"5f00::1", false, false}, {"3fff::1", false, false},
		{"4000::1", false, false}, {"2a00::1%eth0", false, false},
	} {
		a := netip.MustParseAddr(x.addr)
		for configured, want := range map[bool]bool{false: x.certificate, true: x.own} {
			err := g.Check(a, configured)
			var f *ForbiddenError
			if (err == nil) != want || err != nil && (!errors.As(err, &f) || f.What == "") {
				t.Errorf("%s, configured %v: %v", x.addr, configured, err)
			}
		}
		allowing := Guard{Own: own, Allowed: []netip.Prefix{netip.PrefixFrom(a.Unmap().WithZone(""), a.Unmap().BitLen())}}
		if err := allowing.Check(a, false); err != nil {
			t.Errorf("%s is allowed, and is not: %v", x.addr, err)
		}
	}
	if (&Guard{}).Check(netip.Addr{}, true) == nil {
		t.Error("no address at all is one")
	}
	narrow := Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	if narrow.Check(netip.MustParseAddr("10.1.2.3"), false) != nil || narrow.Check(netip.MustParseAddr("10.2.0.1"), false) == nil {
		t.Error("a network that is allowed is not the one that is allowed")
	}
}
