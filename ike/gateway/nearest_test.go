package gateway

import (
	"net/netip"
	"testing"
)

func TestCommonBits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"192.0.2.1", "192.0.2.1", 32}, {"192.0.2.1", "192.0.2.0", 31}, {"192.0.2.1", "64.0.2.1", 0}, {"10.1.0.0", "10.0.255.255", 15},
		{"2001:db8::1", "2001:db8::1", 128}, {"2001:db8::1", "2001:db8::", 127}, {"2001:db8:0:1::", "2001:db8::", 63}, {"2001:db8::", "3001:db8::", 3},
		{"192.0.2.1", "::ffff:192.0.2.1", 0}, {"2001:db8::1", "192.0.2.1", 0},
	} {
		a, b := netip.MustParseAddr(c.a), netip.MustParseAddr(c.b)
		if n, m := commonBits(a, b), commonBits(b, a); n != c.want || m != n {
			t.Errorf("%s and %s: %d and %d, want %d", a, b, n, m, c.want)
		}
	}
	if n := commonBits(netip.Addr{}, netip.Addr{}); n != 0 {
		t.Errorf("no address: %d", n)
	}
}
