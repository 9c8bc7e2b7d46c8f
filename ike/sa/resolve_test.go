package sa

import (
	"net/netip"
	"testing"

	"esplanade/ike/selector"
)

// A dynamic selector stands for the virtual addresses of its side where it has any, for each of them, and never for those of the other side.
func TestResolveVirtual(t *testing.T) {
	tcp := selector.Selector{Protocol: selector.ProtocolTCP, StartPort: 22, EndPort: 22}
	net10 := selector.FromPrefix(netip.MustParsePrefix("10.0.0.0/8"))
	path := Path{Local: netip.MustParseAddrPort("192.0.2.1:500"), Remote: netip.MustParseAddrPort("198.51.100.1:4500")}
	four, six := netip.MustParseAddr("10.3.0.7"), netip.MustParseAddr("2001:db8:3::7")
	for _, c := range []struct {
		name          string
		local, remote []selector.Selector
		own, peer     []netip.Addr
		want          string
	}{
		{"no virtual addresses", nil, nil, nil, nil, "192.0.2.1/32 === 198.51.100.1/32"},
		{"of the peer", []selector.Selector{net10}, nil, nil, []netip.Addr{four, six}, "10.0.0.0/8 === 10.3.0.7/32 2001:db8:3::7/128"},
		{"of this side", nil, []selector.Selector{net10}, []netip.Addr{four}, nil, "10.3.0.7/32 === 10.0.0.0/8"},
		{"with a protocol", []selector.Selector{net10, tcp}, []selector.Selector{net10, tcp}, nil, []netip.Addr{four},
			"10.0.0.0/8 192.0.2.1/32[tcp/22] === 10.0.0.0/8 10.3.0.7/32[tcp/22]"},
		{"not dynamic", []selector.Selector{net10}, []selector.Selector{net10}, []netip.Addr{six}, []netip.Addr{four}, "10.0.0.0/8 === 10.0.0.0/8"},
	} {
		cfg := ChildConfig{ChildFixed: ChildFixed{LocalTS: c.local, RemoteTS: c.remote}}
		if got := cfg.Resolve(path, c.own, c.peer).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
