package diag

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// addressFailures are those of addresses for clients.
func addressFailures(w Where) map[string]*Failure {
	return map[string]*Failure{
		"PoolEmpty":       PoolEmpty(w, []PoolState{{"office", 254, 254}, {"spare", 6, 6}}, false),
		"PoolEmpty/none":  PoolEmpty(w, nil, true),
		"AddressTaken":    AddressTaken(w, netip.MustParseAddr("10.30.0.7"), "bob"),
		"PoolUnknown":     PoolUnknown(w, "ofice", []string{"office"}),
		"LeaseNotKept":    LeaseNotKept(w, errors.New("write /var/lib/esplanade/leases.db: no space left on device")),
		"AddressNotAsked": AddressNotAsked(w),
	}
}

// The failures say which pool, how full it is, which user and who has the address.
func TestAddressTexts(t *testing.T) {
	all := addressFailures(Where{Connection: "rw", PeerID: "carol", ConfigLine: "gw.toml:9"})
	for name, want := range map[string][]string{
		"PoolEmpty":      {"'carol'", "office (254 of 254 online)", "spare (6 of 6 online)", "an IPv4 address", "make pools.office or pools.spare larger"},
		"PoolEmpty/none": {"no pool with IPv6 addresses", "connections.rw.pools"},
		"AddressTaken":   {"its own address 10.30.0.7", "in use by 'bob'", "'carol'"},
		"PoolUnknown":    {"'ofice'", "the pools office", "[pools.ofice]"},
		"LeaseNotKept":   {"no space left on device", "ike.lease_file"},
	} {
		for _, w := range want {
			if s := all[name].Error(); !strings.Contains(s, w) {
				t.Errorf("%s has no %q: %s", name, w, s)
			}
		}
	}
}
