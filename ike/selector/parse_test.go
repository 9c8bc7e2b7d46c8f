package selector

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
)

func mustParse(t testing.TB, text string) Selector {
	t.Helper()
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParse(t *testing.T) {
	tests := []struct {
		text       string
		start, end string
		proto      uint8
		from, to   uint16
		print      string // as String gives it; empty: the text itself
	}{
		{"10.0.0.0/24", "10.0.0.0", "10.0.0.255", 0, 0, 65535, ""},
		{"0.0.0.0/0", "0.0.0.0", "255.255.255.255", 0, 0, 65535, ""},
		{"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, 0, 65535, ""},
		{"10.1.0.7", "10.1.0.7", "10.1.0.7", 0, 0, 65535, "10.1.0.7/32"},
		{"fd00::1", "fd00::1", "fd00::1", 0, 0, 65535, "fd00::1/128"},
		{"10.1.0.1-10.1.0.9", "10.1.0.1", "10.1.0.9", 0, 0, 65535, ""},
		{"10.1.0.0 - 10.1.0.255", "10.1.0.0", "10.1.0.255", 0, 0, 65535, "10.1.0.0/24"},
		{"fd00::1-fd00::ffff", "fd00::1", "fd00::ffff", 0, 0, 65535, ""},
		{"10.0.0.0/24[tcp/80]", "10.0.0.0", "10.0.0.255", 6, 80, 80, ""},
		{"10.0.0.0/24[tcp/http]", "10.0.0.0", "10.0.0.255", 6, 80, 80, "10.0.0.0/24[tcp/80]"},
		{"10.0.0.0/24[TCP/HTTPS]", "10.0.0.0", "10.0.0.255", 6, 443, 443, "10.0.0.0/24[tcp/443]"},
		{"10.0.0.0/24[tcp/ftp-data]", "10.0.0.0", "10.0.0.255", 6, 20, 20, "10.0.0.0/24[tcp/20]"},
		{"10.0.0.0/24[17/1000-2000]", "10.0.0.0", "10.0.0.255", 17, 1000, 2000, "10.0.0.0/24[udp/1000-2000]"},
		{"10.0.0.0/24[tcp]", "10.0.0.0", "10.0.0.255", 6, 0, 65535, ""},
		{"10.0.0.0/24[tcp/any]", "10.0.0.0", "10.0.0.255", 6, 0, 65535, "10.0.0.0/24[tcp]"},
		{"10.0.0.0/24[tcp/0-65535]", "10.0.0.0", "10.0.0.255", 6, 0, 65535, "10.0.0.0/24[tcp]"},
		{"10.0.0.0/24[tcp/0]", "10.0.0.0", "10.0.0.255", 6, 0, 0, ""},
		{"10.0.0.0/24[any]", "10.0.0.0", "10.0.0.255", 0, 0, 65535, "10.0.0.0/24"},
		{"10.0.0.0/24[0]", "10.0.0.0", "10.0.0.255", 0, 0, 65535, "10.0.0.0/24"},
		{"10.0.0.0/24[/opaque]", "10.0.0.0", "10.0.0.255", 0, 65535, 0, "10.0.0.0/24[any/opaque]"},
		{"10.0.0.0/24[gre]", "10.0.0.0", "10.0.0.255", 47, 0, 65535, ""},
		{"10.0.0.0/24[253]", "10.0.0.0", "10.0.0.255", 253, 0, 65535, ""},
		{"10.0.0.0/24[esp/opaque]", "10.0.0.0", "10.0.0.255", 50, 65535, 0, ""},
		{"10.0.0.0/24[udp/opaque]", "10.0.0.0", "10.0.0.255", 17, 65535, 0, ""},
		{"10.0.0.0/24[icmp]", "10.0.0.0", "10.0.0.255", 1, 0, 65535, ""},
		{"10.0.0.0/24[icmp/8]", "10.0.0.0", "10.0.0.255", 1, 0x800, 0x8ff, ""},
		{"10.0.0.0/24[icmp/8-10]", "10.0.0.0", "10.0.0.255", 1, 0x800, 0xaff, ""},
		{"10.0.0.0/24[icmp/0]", "10.0.0.0", "10.0.0.255", 1, 0, 0xff, ""},
		{"10.0.0.0/24[icmp/772]", "10.0.0.0", "10.0.0.255", 1, 0x304, 0x304, ""},
		{"10.0.0.0/24[icmp/3(4)]", "10.0.0.0", "10.0.0.255", 1, 0x304, 0x304, "10.0.0.0/24[icmp/772]"},
		{"10.0.0.0/24[icmp/0(0)]", "10.0.0.0", "10.0.0.255", 1, 0, 0, ""},
		{"10.0.0.0/24[icmp/3(0)-3(4)]", "10.0.0.0", "10.0.0.255", 1, 0x300, 0x304, "10.0.0.0/24[icmp/768-772]"},
		{"fd00::/64[ipv6-icmp/128]", "fd00::", "fd00::ffff:ffff:ffff:ffff", 58, 0x8000, 0x80ff, ""},
		{"fd00::/64[icmpv6/128]", "fd00::", "fd00::ffff:ffff:ffff:ffff", 58, 0x8000, 0x80ff, "fd00::/64[ipv6-icmp/128]"},
		{"fd00::/64[mobility-header/5]", "fd00::", "fd00::ffff:ffff:ffff:ffff", 135, 0x500, 0x500, ""},
		{" 10.0.0.0/8 [ tcp / 22 ] ", "10.0.0.0", "10.255.255.255", 6, 22, 22, "10.0.0.0/8[tcp/22]"},
	}
	for _, tt := range tests {
		s, err := Parse(tt.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.text, err)
			continue
		}
		want := Selector{netip.MustParseAddr(tt.start), netip.MustParseAddr(tt.end), tt.proto, tt.from, tt.to}
		if s != want {
			t.Errorf("Parse(%q) = %#v, want %#v", tt.text, s, want)
		}
		print := tt.print
		if print == "" {
			print = tt.text
		}
		if got := s.String(); got != print {
			t.Errorf("Parse(%q).String() = %q, want %q", tt.text, got, print)
		}
	}
}

func TestParseWithoutAddresses(t *testing.T) {
	s := mustParse(t, "[udp/1000-2000]")
	if !s.Dynamic() || s.Valid() || s.Protocol != 17 || s.StartPort != 1000 || s.EndPort != 2000 {
		t.Fatalf("got %#v", s)
	}
	if s.String() != "dynamic[udp/1000-2000]" {
		t.Errorf("String() = %q", s)
	}
	r := s.Resolve(netip.MustParseAddr("::ffff:192.0.2.1"))
	if r.String() != "192.0.2.1/32[udp/1000-2000]" || !r.Valid() {
		t.Errorf("Resolve = %v", r)
	}
	if again := r.Resolve(netip.MustParseAddr("192.0.2.9")); again != r {
		t.Errorf("Resolve changed a selector that has addresses: %v", again)
	}
}

// TestParseErrors holds the messages too: they are what an operator sees, and must name the part and the cure.
func TestParseErrors(t *testing.T) {
	tests := []struct{ text, reason, want string }{
		{"", "empty", "10.1.0.0/24"},
		{"  ", "empty", "10.1.0.0/24"},
		{"dynamic", "no addresses of its own", "prefix"},
		{"10.0.0.1/24", "bits set beyond the prefix length", "write 10.0.0.0/24, or 10.0.0.1"},
		{"fd00::1/64", "bits set beyond", "fd00::/64"},
		{"10.0.0.0/33", "not a prefix", "10.1.0.0/24"},
		{"10.0.0.0/255.255.255.0", "netmask", "prefix length"},
		{"10.0.0.300", "not an address", "range"},
		{"host.example", "not an address", "range"},
		{"10.0.0.9-10.0.0.1", "first address is above its last", "write 10.0.0.1-10.0.0.9"},
		{"10.0.0.1-fd00::1", "one address family to the other", "two selectors"},
		{"10.0.0.1-", "\"\" is not an address", "range"},
		{"-10.0.0.1", "\"\" is not an address", "range"},
		{"fe80::1%eth0", "not an address", "range"},
		{"::ffff:10.0.0.1", "not an address", "range"},
		{"::ffff:10.0.0.0/120", "IPv4-mapped", "IPv4 prefix"},
		{"10.0.0.0/24[tcp", "closing ]", "[tcp/80]"},
		{"10.0.0.0/24[tcp]x", "closing ]", "[tcp/80]"},
		{"10.0.0.0/24[]", "not an IP protocol", "tcp"},
		{"10.0.0.0/24[tpc/80]", "\"tpc\" is not an IP protocol", "tcp, udp"},
		{"10.0.0.0/24[256]", "not an IP protocol", "0 to 255"},
		{"10.0.0.0/24[tcp/]", "\"\" is not a port", "65535"},
		{"10.0.0.0/24[tcp/65536]", "not a port", "65535"},
		{"10.0.0.0/24[tcp/-1]", "not a port", "65535"},
		{"10.0.0.0/24[tcp/20-10]", "above the last", "ascending"},
		{"10.0.0.0/24[tcp/1-2-3]", "not a port", "65535"},
		{"10.0.0.0/24[tcp/hptt]", "\"hptt\" is not a port", "https"},
		{"10.0.0.0/24[/80]", "a port needs a protocol", "tcp/80"},
		{"10.0.0.0/24[any/80]", "a port needs a protocol", "udp/80"},
		{"10.0.0.0/24[gre/80]", "gre has no ports", "[gre]"},
		{"10.0.0.0/24[icmp/256(1)]", "not a message type", "3(4)"},
		{"10.0.0.0/24[icmp/3(256)]", "not a message type", "3(4)"},
		{"10.0.0.0/24[icmp/3(4]", "not a message type", "3(4)"},
		{"10.0.0.0/24[icmp/http]", "not a message type", "3(4)"},
		{"10.0.0.0/24[ipv6-icmp]", "does not occur with IPv4", "write icmp"},
		{"fd00::/64[icmp]", "does not occur with IPv6", "write ipv6-icmp"},
		{"10.0.0.0/24, 10.0.1.0/24", "not a prefix", "prefix"},
		{strings.Repeat("1", 300), "too long", "one selector"},
	}
	for _, tt := range tests {
		s, err := Parse(tt.text)
		var pe *ParseError
		if !errors.As(err, &pe) {
			t.Errorf("Parse(%q) = %v, %v: want a *ParseError", tt.text, s, err)
			continue
		}
		if !strings.Contains(pe.Reason, tt.reason) || !strings.Contains(pe.Want, tt.want) {
			t.Errorf("Parse(%q): %q; %q — want %q and %q in them", tt.text, pe.Reason, pe.Want, tt.reason, tt.want)
		}
		if s != (Selector{}) {
			t.Errorf("Parse(%q) failed and gave %v", tt.text, s)
		}
	}
}

// TestStringRoundTrip walks random valid selectors of every protocol through text.
func TestStringRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 20000 {
		s := randomText(r)
		got, err := Parse(s.String())
		if err != nil || got != s {
			t.Fatalf("Parse(%q) = %#v, %v; want %#v", s, got, err, s)
		}
	}
}

func randomText(r *rand.Rand) Selector {
	var a, b [16]byte
	for i := range a {
		a[i], b[i] = byte(r.Uint32()), byte(r.Uint32())
		if r.IntN(3) != 0 {
			b[i] = a[i]
		}
	}
	var s Selector
	if r.IntN(2) == 0 {
		s.Start, s.End = netip.AddrFrom4([4]byte(a[:4])), netip.AddrFrom4([4]byte(b[:4]))
	} else {
		a[0], b[0] = 0xfd, 0xfd // never IPv4-mapped
		s.Start, s.End = netip.AddrFrom16(a), netip.AddrFrom16(b)
	}
	if s.End.Less(s.Start) {
		s.Start, s.End = s.End, s.Start
	}
	s.Protocol = []uint8{0, 6, 17, 132, 135, 1, 1, 47, 99}[r.IntN(9)]
	if s.Protocol == ProtocolICMP && s.Is6() {
		s.Protocol = ProtocolICMPv6
	}
	s.StartPort, s.EndPort = 0, 65535
	if r.IntN(4) == 0 {
		s.StartPort, s.EndPort = 65535, 0
	} else if hasPorts(s.Protocol) {
		near := []uint16{0, 1, 0xff, 0x100, 0x101, 0x1ff, 0x200, 0xff00, 0xfffe, 0xffff}
		for {
			s.StartPort, s.EndPort = near[r.IntN(len(near))], near[r.IntN(len(near))]
			if s.StartPort <= s.EndPort {
				break
			}
		}
	}
	return s
}

func TestNoDuplicateNames(t *testing.T) {
	check := func(seen map[string]bool, names []string) {
		for _, n := range names {
			if seen[n] || n != strings.ToLower(n) {
				t.Errorf("the name %q is there twice or not in lower case", n)
			}
			seen[n] = true
		}
	}
	protocols, ports := map[string]bool{}, map[string]bool{}
	for _, e := range protocolNames() {
		check(protocols, e.names)
	}
	type place struct {
		port uint16
		over transports
	}
	taken := map[place]bool{}
	for _, s := range services() {
		check(ports, s.names)
		for _, over := range []transports{overTCP, overUDP, overSCTP} {
			if p := (place{s.port, over}); s.over&over != 0 {
				if taken[p] {
					t.Errorf("port %d has two names with one protocol", s.port)
				}
				taken[p] = true
			}
		}
	}
}

// FuzzParse holds what every parser here must: no panic, and what it accepts survives printing.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"10.0.0.0/24", "10.1.0.1-10.1.0.9", "fd00::/48[udp/1-2]", "[icmp/8]", "[icmp/3(4)]",
		"10.0.0.0/24[tcp/http]", "0.0.0.0/0[any/opaque]", "::/0[ipv6-icmp/128-129]", "[", "]", "1-2", "/", "[mh/5]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			if s != (Selector{}) || err.Error() == "" {
				t.Fatalf("Parse(%q) = %v, %v", text, s, err)
			}
			return
		}
		if !s.Valid() && !s.Dynamic() {
			t.Fatalf("Parse(%q) = invalid %#v", text, s)
		}
		if s.Dynamic() {
			s = s.Resolve(netip.MustParseAddr("2001:db8::1"))
			if s.Protocol == ProtocolICMP {
				s = Selector{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.1"), s.Protocol, s.StartPort, s.EndPort}
			}
		}
		if again, err := Parse(s.String()); err != nil || again != s {
			t.Fatalf("Parse(%q) printed as %q, which gives %v, %v", text, s, again, err)
		}
		if again, err := Parse(s.Swanctl()); err != nil || again != s && !onePort(s.Protocol) {
			t.Fatalf("Parse(%q) printed as %q, which gives %v, %v", text, s.Swanctl(), again, err)
		}
	})
}
