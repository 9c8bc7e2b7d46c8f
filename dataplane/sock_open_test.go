package dataplane

import (
	"net/netip"
	"testing"
)

// TestFindLinkLocal: a socket at a link-local address is found with and without the interface, and of two with the same
// address the one on the interface that is meant.
func TestFindLinkLocal(t *testing.T) {
	set := &socketSet{}
	for i, a := range []string{"[fe80::1%eth0]:500", "[fe80::1%eth1]:500", "[2001:db8::1]:500"} {
		set.groups = append(set.groups, []*boundSocket{{v6: true, local: netip.MustParseAddrPort(a), group: i}})
	}
	for _, tt := range []struct {
		local string
		want  int // the group; -1: none
	}{
		{"[fe80::1%eth0]:500", 0}, {"[fe80::1%eth1]:500", 1}, {"[fe80::1%eth2]:500", -1}, {"[fe80::1]:500", 0},
		{"[fe80::2%eth0]:500", -1}, {"[2001:db8::1]:500", 2}, {"[2001:db8::1%eth0]:500", 2}, {"[fe80::1%eth0]:4500", -1},
	} {
		got := -1
		if b := set.find(netip.MustParseAddrPort(tt.local), true, func(*boundSocket) bool { return true }); b != nil {
			got = b.group
		}
		if got != tt.want {
			t.Errorf("%s: group %d, want %d", tt.local, got, tt.want)
		}
	}
}
