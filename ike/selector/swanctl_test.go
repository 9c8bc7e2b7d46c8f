package selector

import (
	"net/netip"
	"testing"
)

// What charon 5.9.8 has printed for the same selectors.
func TestSwanctl(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"10.0.0.0/8", "10.0.0.0/8"},
		{"192.0.2.7", "192.0.2.7/32"},
		{"10.10.0.1-10.10.0.6[icmp]", "10.10.0.1..10.10.0.6[icmp]"},
		{"fd00::1-fd00::6", "fd00::1..fd00::6"},
		{"10.0.0.0-10.0.0.255", "10.0.0.0/24"},
		{"10.0.0.0/24[tcp]", "10.0.0.0/24[tcp]"},
		{"10.0.0.0/24[tcp/22]", "10.0.0.0/24[tcp/ssh]"},
		{"10.0.0.0/24[udp/53]", "10.0.0.0/24[udp/domain]"},
		{"10.0.0.0/24[tcp/514]", "10.0.0.0/24[tcp/shell]"},
		{"10.0.0.0/24[udp/514]", "10.0.0.0/24[udp/syslog]"},
		{"10.0.0.0/24[udp/22]", "10.0.0.0/24[udp/22]"},
		{"10.0.0.0/24[sctp/22]", "10.0.0.0/24[sctp/22]"},
		{"10.0.0.0/24[tcp/9999]", "10.0.0.0/24[tcp/9999]"},
		{"10.0.0.0/24[udp/1000-2000]", "10.0.0.0/24[udp/1000-2000]"},
		{"10.0.0.0/24[udp/opaque]", "10.0.0.0/24[udp/OPAQUE]"},
		{"10.0.0.0/24[any/opaque]", "10.0.0.0/24[0/OPAQUE]"},
		{"10.0.0.0/24[253]", "10.0.0.0/24[253]"},
		{"10.0.0.0/24[94]", "10.0.0.0/24[ipip]"},
		{"10.0.0.0/24[icmp/772]", "10.0.0.0/24[icmp/3(4)]"},
		{"10.0.0.0/24[icmp/8(0)]", "10.0.0.0/24[icmp/8]"},
		{"10.0.0.0/24[icmp/8]", "10.0.0.0/24[icmp/8-8(255)]"},
		{"10.0.0.0/24[icmp/3(1)-3(4)]", "10.0.0.0/24[icmp/3(1)-3(4)]"},
		{"fd00::/64[ipv6-icmp/135(0)]", "fd00::/64[ipv6-icmp/135]"},
		{"fd00::/64[mh/5]", "fd00::/64[mobility-header/1280]"},
		{"[tcp/22]", "dynamic[tcp/ssh]"},
	} {
		s := mustParse(t, tt.text)
		if got := s.Swanctl(); got != tt.want {
			t.Errorf("%s is %q, want %q", tt.text, got, tt.want)
		}
		if s.Dynamic() {
			continue // that word is read by package config
		}
		again, err := Parse(tt.want)
		if err != nil {
			t.Errorf("%v", err)
		} else if again != s && tt.text != "10.0.0.0/24[icmp/8(0)]" && tt.text != "fd00::/64[ipv6-icmp/135(0)]" {
			t.Errorf("%s is read as %v", tt.want, again)
		}
	}
	if got := (Selector{EndPort: AnyEndPort}).Swanctl(); got != "dynamic" {
		t.Errorf("dynamic is %q", got)
	}
	a := netip.MustParseAddr("10.0.0.9")
	if got := (Selector{Start: a, End: netip.MustParseAddr("10.0.0.1")}).Swanctl(); got == "" {
		t.Error("an invalid selector has no text")
	}
}
