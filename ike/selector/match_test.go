package selector

import (
	"net/netip"
	"testing"
)

func list(t testing.TB, texts ...string) []Selector {
	t.Helper()
	var out []Selector
	for _, x := range texts {
		out = append(out, mustParse(t, x))
	}
	return out
}

func packet(src, dst string, proto uint8, ports ...uint16) Packet {
	p := Packet{Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst), Protocol: proto}
	if len(ports) > 0 {
		p.HasPorts, p.SrcPort, p.DstPort = true, ports[0], ports[len(ports)-1]
	}
	return p
}

func TestPairMatch(t *testing.T) {
	const echo, reply, unreachable = 8 << 8, 0, 3<<8 | 1
	tests := []struct {
		name          string
		local, remote []string
		p             Packet // as sent from this side; for "in" the reverse way
		out, in       bool
	}{
		{"plain", []string{"10.1.0.0/24"}, []string{"10.2.0.0/24"}, packet("10.1.0.5", "10.2.0.5", 6, 5, 80), true, false},
		{"plain, inbound", []string{"10.1.0.0/24"}, []string{"10.2.0.0/24"}, packet("10.2.0.5", "10.1.0.5", 6, 5, 80), false, true},
		{"last address", []string{"10.1.0.1-10.1.0.5"}, []string{"10.2.0.0/24"}, packet("10.1.0.5", "10.2.0.0", 6, 5, 80), true, false},
		{"beyond last", []string{"10.1.0.1-10.1.0.5"}, []string{"10.2.0.0/24"}, packet("10.1.0.6", "10.2.0.0", 6, 5, 80), false, false},
		{"any of several with any of several", []string{"10.1.0.0/24", "10.3.0.0/24"}, []string{"10.2.0.0/24", "10.4.0.0/24"},
			packet("10.3.0.1", "10.2.0.1", 17, 1, 2), true, false},
		{"families don't mix", []string{"0.0.0.0/0"}, []string{"0.0.0.0/0"}, packet("fd00::1", "fd00::2", 6, 1, 2), false, false},
		{"both families", []string{"0.0.0.0/0", "::/0"}, []string{"0.0.0.0/0", "::/0"}, packet("fd00::1", "fd00::2", 6, 1, 2), true, true},
		{"destination port", []string{"10.1.0.0/24"}, []string{"10.2.0.0/24[tcp/80]"}, packet("10.1.0.5", "10.2.0.5", 6, 5, 80), true, false},
		{"other port", []string{"10.1.0.0/24"}, []string{"10.2.0.0/24[tcp/80]"}, packet("10.1.0.5", "10.2.0.5", 6, 80, 81), false, false},
		{"other protocol", []string{"10.1.0.0/24"}, []string{"10.2.0.0/24[tcp/80]"}, packet("10.1.0.5", "10.2.0.5", 17, 5, 80), false, false},
		{"answer from the port", []string{"10.1.0.0/24"}, []string{"10.2.0.0/24[tcp/80]"}, packet("10.2.0.5", "10.1.0.5", 6, 80, 5), false, true},
		{"a later fragment is not of a port", []string{"10.1.0.0/24"}, []string{"10.2.0.0/24[udp/53]"}, packet("10.1.0.5", "10.2.0.5", 17), false, false},
		{"a later fragment is of ANY", []string{"10.1.0.0/24"}, []string{"10.2.0.0/24[udp]"}, packet("10.1.0.5", "10.2.0.5", 17), true, false},
		{"a later fragment is OPAQUE", []string{"10.1.0.0/24[udp/opaque]"}, []string{"10.2.0.0/24[udp/opaque]"}, packet("10.1.0.5", "10.2.0.5", 17), true, false},
		{"known ports are not OPAQUE", []string{"10.1.0.0/24[udp/opaque]"}, []string{"10.2.0.0/24"}, packet("10.1.0.5", "10.2.0.5", 17, 65535, 0), false, false},
		{"fragments of port and OPAQUE", []string{"10.1.0.0/24"}, []string{"10.2.0.0/24[udp/53]", "10.2.0.0/24[udp/opaque]"}, packet("10.1.0.5", "10.2.0.5", 17), true, false},
		{"protocol without ports", []string{"10.1.0.0/24[gre]"}, []string{"10.2.0.0/24[gre]"}, packet("10.1.0.5", "10.2.0.5", 47), true, false},

		// https://www.rfc-editor.org/rfc/rfc4301#section-4.4.1.3, B: example 1, send and receive
		{"icmp both", []string{"10.1.0.0/24[icmp/8]"}, []string{"10.2.0.0/24[icmp/8]"}, packet("10.1.0.5", "10.2.0.5", 1, echo), true, false},
		{"icmp both, in", []string{"10.1.0.0/24[icmp/8]"}, []string{"10.2.0.0/24[icmp/8]"}, packet("10.2.0.5", "10.1.0.5", 1, echo), false, true},
		{"icmp both, other type", []string{"10.1.0.0/24[icmp/8]"}, []string{"10.2.0.0/24[icmp/8]"}, packet("10.1.0.5", "10.2.0.5", 1, reply), false, false},
		{"icmp code", []string{"10.1.0.0/24[icmp/3(1)]"}, []string{"10.2.0.0/24[icmp]"}, packet("10.1.0.5", "10.2.0.5", 1, unreachable), true, false},
		{"icmp other code", []string{"10.1.0.0/24[icmp/3(4)]"}, []string{"10.2.0.0/24[icmp]"}, packet("10.1.0.5", "10.2.0.5", 1, unreachable), false, false},
		// example 2, send only
		{"icmp send only", []string{"10.1.0.0/24[icmp/8]"}, []string{"10.2.0.0/24[icmp/opaque]"}, packet("10.1.0.5", "10.2.0.5", 1, echo), true, false},
		{"icmp send only, in", []string{"10.1.0.0/24[icmp/8]"}, []string{"10.2.0.0/24[icmp/opaque]"}, packet("10.2.0.5", "10.1.0.5", 1, echo), false, false},
		// example 3, receive only
		{"icmp receive only", []string{"10.1.0.0/24[icmp/opaque]"}, []string{"10.2.0.0/24[icmp/8]"}, packet("10.1.0.5", "10.2.0.5", 1, echo), false, false},
		{"icmp receive only, in", []string{"10.1.0.0/24[icmp/opaque]"}, []string{"10.2.0.0/24[icmp/8]"}, packet("10.2.0.5", "10.1.0.5", 1, echo), false, true},
		// ping one way: echo requests out, replies in
		{"ping out", []string{"10.1.0.0/24[icmp/8]"}, []string{"10.2.0.0/24[icmp/0]"}, packet("10.1.0.5", "10.2.0.5", 1, echo), true, false},
		{"pong in", []string{"10.1.0.0/24[icmp/8]"}, []string{"10.2.0.0/24[icmp/0]"}, packet("10.2.0.5", "10.1.0.5", 1, reply), false, true},
		{"no ping in", []string{"10.1.0.0/24[icmp/8]"}, []string{"10.2.0.0/24[icmp/0]"}, packet("10.2.0.5", "10.1.0.5", 1, echo), false, false},
		{"icmp in any protocol", []string{"10.1.0.0/24"}, []string{"10.2.0.0/24"}, packet("10.1.0.5", "10.2.0.5", 1, echo), true, false},
		{"empty", nil, []string{"10.2.0.0/24"}, packet("10.1.0.5", "10.2.0.5", 1, echo), false, false},
	}
	for _, tt := range tests {
		p := Pair{Local: list(t, tt.local...), Remote: list(t, tt.remote...)}
		if got := p.MatchOut(tt.p); got != tt.out {
			t.Errorf("%s: MatchOut(%s) = %v", tt.name, tt.p, got)
		}
		if got := p.MatchIn(tt.p); got != tt.in {
			t.Errorf("%s: MatchIn(%s) = %v", tt.name, tt.p, got)
		}
		if p.Swap().MatchIn(tt.p) != tt.out || p.Swap().MatchOut(tt.p) != tt.in {
			t.Errorf("%s: the peer sees it otherwise", tt.name)
		}
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	p := Pair{Local: list(t, "10.1.0.0/24", "10.3.0.0/24"), Remote: list(t, "10.2.0.0/24[tcp/1-100]", "10.4.0.0/24")}
	k := packet("10.3.0.1", "10.4.0.1", 17, 1, 2)
	if n := testing.AllocsPerRun(100, func() {
		if !p.MatchOut(k) || p.MatchIn(k) {
			t.Error("wrong answer")
		}
	}); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func TestPairSets(t *testing.T) {
	net := Pair{Local: list(t, "10.1.0.0/16"), Remote: list(t, "10.2.0.0/16")}
	half := Pair{Local: list(t, "10.1.0.0/17", "10.1.128.0/17"), Remote: list(t, "10.2.0.0/16")}
	sub := Pair{Local: list(t, "10.1.7.0/24"), Remote: list(t, "10.2.0.0/16[tcp]")}
	other := Pair{Local: list(t, "10.1.0.0/16"), Remote: list(t, "10.3.0.0/16")}
	if !net.Equal(half) || !half.Equal(net) || net.Equal(sub) {
		t.Error("Equal is wrong")
	}
	if !net.Contains(sub) || sub.Contains(net) {
		t.Error("Contains is wrong")
	}
	if !net.Overlaps(sub) || net.Overlaps(other) {
		t.Error("Overlaps is wrong")
	}
	if net.Empty() || !(Pair{Local: net.Local}).Empty() {
		t.Error("Empty is wrong")
	}
	if got := half.String(); got != "10.1.0.0/17 10.1.128.0/17 === 10.2.0.0/16" {
		t.Errorf("String() = %q", got)
	}
	if got := (Pair{}).String(); got != "(none) === (none)" {
		t.Errorf("String() = %q", got)
	}
}

func TestPacketString(t *testing.T) {
	for _, tt := range []struct {
		p    Packet
		want string
	}{
		{packet("10.1.0.5", "10.2.0.9", 6, 4711, 80), "10.1.0.5:4711 > 10.2.0.9:80 tcp"},
		{packet("fd00::1", "fd00::2", 17, 1, 53), "[fd00::1]:1 > [fd00::2]:53 udp"},
		{packet("10.1.0.5", "10.2.0.9", 1, 0x0301), "10.1.0.5 > 10.2.0.9 icmp/3(1)"},
		{packet("10.1.0.5", "10.2.0.9", 47), "10.1.0.5 > 10.2.0.9 gre"},
		{packet("10.1.0.5", "10.2.0.9", 253), "10.1.0.5 > 10.2.0.9 253"},
	} {
		if got := tt.p.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
