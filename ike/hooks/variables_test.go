package hooks

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"esplanade/ike/sa"
)

// TestVariables: each variable of strongSwan's plugin updown, in the two situations that differ most.
func TestVariables(t *testing.T) {
	s := &sa.Snapshot{
		ID: 7, Connection: "road", LocalID: named(t, "gw.example"), RemoteID: named(t, "C=CH, O=strongSwan, CN=moon"),
		Path: sa.Path{Local: netip.MustParseAddrPort("192.0.2.1:4500"), Remote: netip.MustParseAddrPort("198.51.100.9:33333")},
		User: "alice", RemoteVIPs: []netip.Addr{netip.MustParseAddr("10.9.0.1"), netip.MustParseAddr("fd09::1"), netip.MustParseAddr("10.9.0.2")},
	}
	c := &call{sa: s, child: &sa.ChildSnapshot{Name: "net", ReqID: 3, UDP: true}, local: parse(t, "10.1.0.1-10.1.0.6[tcp/1000-2000]")[0],
		remote: parse(t, "10.9.0.1/32[tcp/443]")[0], device: "ipsec0", hostAccess: true}
	wants(t, c.environment(true), "PATH="+path, "PLUTO_VERSION=1.1", "PLUTO_VERB=up-client", "PLUTO_CONNECTION=net", "ESPLANADE_CONNECTION=road",
		"PLUTO_INTERFACE=ipsec0", "PLUTO_REQID=3", "PLUTO_PROTO=esp", "PLUTO_UNIQUEID=7", "PLUTO_ME=192.0.2.1", "PLUTO_MY_ID=gw.example",
		"PLUTO_MY_CLIENT=10.1.0.0/29", "PLUTO_MY_PORT=1000:2000", "PLUTO_MY_PROTOCOL=6", "PLUTO_PEER=198.51.100.9",
		"PLUTO_PEER_ID=C=CH, O=strongSwan, CN=moon", "PLUTO_PEER_CLIENT=10.9.0.1/32", "PLUTO_PEER_PORT=443", "PLUTO_PEER_PROTOCOL=6",
		"PLUTO_XAUTH_ID=alice", "PLUTO_PEER_SOURCEIP=10.9.0.1", "PLUTO_PEER_SOURCEIP4_1=10.9.0.1", "PLUTO_PEER_SOURCEIP6_1=fd09::1",
		"PLUTO_PEER_SOURCEIP4_2=10.9.0.2", "PLUTO_UDP_ENC=33333", "PLUTO_HOST_ACCESS=1")

	s = &sa.Snapshot{
		ID: 8, Connection: "home", LocalID: named(t, "me.example"), RemoteID: named(t, "gw.example"), User: "me", Client: true,
		Path:       sa.Path{Local: netip.MustParseAddrPort("[2001:db8::1]:500"), Remote: netip.MustParseAddrPort("[2001:db8::2]:500")},
		LocalVIPs:  []netip.Addr{netip.MustParseAddr("fd09::7")},
		Assignment: &sa.Assignment{DNS: []netip.Addr{netip.MustParseAddr("10.0.0.53"), netip.MustParseAddr("fd00::53")}},
	}
	c = &call{sa: s, child: &sa.ChildSnapshot{Name: "all", ReqID: 1}, local: parse(t, "2001:db8::1/128[ipv6-icmp/128(1)]")[0], remote: parse(t, "::/0[ipv6-icmp]")[0]}
	wants(t, c.environment(false), "PATH="+path, "PLUTO_VERSION=1.1", "PLUTO_VERB=down-host-v6", "PLUTO_CONNECTION=all", "ESPLANADE_CONNECTION=home",
		"PLUTO_INTERFACE=unknown", "PLUTO_REQID=1", "PLUTO_PROTO=esp", "PLUTO_UNIQUEID=8", "PLUTO_ME=2001:db8::1", "PLUTO_MY_ID=me.example",
		"PLUTO_MY_CLIENT=2001:db8::1/128", "PLUTO_MY_PORT=128", "PLUTO_MY_PROTOCOL=58", "PLUTO_PEER=2001:db8::2", "PLUTO_PEER_ID=gw.example",
		"PLUTO_PEER_CLIENT=::/0", "PLUTO_PEER_PORT=1", "PLUTO_PEER_PROTOCOL=58", "PLUTO_MY_SOURCEIP=fd09::7", "PLUTO_MY_SOURCEIP6_1=fd09::7",
		"PLUTO_DNS4_1=10.0.0.53", "PLUTO_DNS6_1=fd00::53")
}

func wants(t *testing.T, got []string, want ...string) {
	t.Helper()
	for _, x := range got {
		if !slices.Contains(want, x) {
			t.Errorf("%q is not wanted", x)
		}
	}
	for _, x := range want {
		if !slices.Contains(got, x) {
			t.Errorf("%q is missing", x)
		}
	}
}

// TestSafe: nothing that a shell would take for more than a word gets through, and what differs stays different.
func TestSafe(t *testing.T) {
	for in, want := range map[string]string{
		"moon.strongswan.org": "moon.strongswan.org", "C=CH, O=x, CN=*.example": "C=CH, O=x, CN=%2A.example", "alice@example.org": "alice@example.org",
		"$(reboot)": "%24%28reboot%29", "`id`;": "%60id%60%3B", "a\nb\x00": "a%0Ab%00", "-rf": "%2Drf", "a-b": "a-b", " x y": "%20x y", "100%": "100%25", "ü": "%C3%BC", "": "",
		`"'\|&<>?#~!{}[]^`: "%22%27%5C%7C%26%3C%3E%3F%23%7E%21%7B%7D%5B%5D%5E",
	} {
		if got := Safe(in); got != want {
			t.Errorf("Safe(%q) = %q, want %q", in, got, want)
		}
	}
	long := Safe(strings.Repeat("$", 5000))
	if len(long) > maxSafe || !strings.HasSuffix(long, "%24%") {
		t.Errorf("%d bytes, ends with %q", len(long), long[len(long)-5:])
	}
}
