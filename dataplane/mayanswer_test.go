package dataplane

import "testing"

// An ICMP error is sent to one host, about a packet to one host, and never about an error: otherwise one packet could have many
// hosts answered, or many gateways answer.
func TestWhatMayBeAnswered(t *testing.T) {
	from := func(src string) []byte { return udpPacket(ipSpec{src: src, dst: v4.dst}, 1, 2, nil) }
	to := func(dst string) []byte { return udpPacket(ipSpec{src: v4.src, dst: dst}, 1, 2, nil) }
	from6 := func(src string) []byte { return udpPacket(ipSpec{src: src, dst: v6.dst}, 1, 2, nil) }
	later := v4
	later.frag = 10
	for name, c := range map[string]struct {
		packet []byte
		want   bool
	}{
		"a host":                    {from("10.1.0.5"), true},
		"from a group":              {from("224.0.0.5"), false},
		"from the end of groups":    {from("239.255.255.255"), false},
		"from all hosts":            {from("255.255.255.255"), false},
		"from a reserved address":   {from("240.0.0.1"), false},
		"from nobody":               {from("0.0.0.0"), false},
		"from the loopback":         {from("127.0.0.1"), false},
		"to a group":                {to("224.0.0.5"), false},
		"to all hosts":              {to("255.255.255.255"), false},
		"a host of IPv6":            {from6("fd01::5"), true},
		"from a group of IPv6":      {from6("ff02::1"), false},
		"from nobody of IPv6":       {from6("::"), false},
		"from the loopback of IPv6": {from6("::1"), false},
		"to a group of IPv6":        {udpPacket(ipSpec{src: v6.src, dst: "ff0e::1"}, 1, 2, nil), true}, // RFC 4443 section 2.4 (e.3)
		"a fragment, not the first": {later.build(protoUDP, fill(100, 1)), false},
		"an echo request":           {v4.build(protoICMP, fill8(8)), true},
		"unreachable":               {v4.build(protoICMP, fill8(3)), false},
		"source quench":             {v4.build(protoICMP, fill8(4)), false},
		"redirect":                  {v4.build(protoICMP, fill8(5)), false},
		"time exceeded":             {v4.build(protoICMP, fill8(11)), false},
		"parameter problem":         {v4.build(protoICMP, fill8(12)), false},
		"an echo request of IPv6":   {v6.build(protoICMPv6, fill8(128)), true},
		"unreachable of IPv6":       {v6.build(protoICMPv6, fill8(1)), false},
		"too big of IPv6":           {v6.build(protoICMPv6, fill8(2)), false},
		"an unknown error of IPv6":  {v6.build(protoICMPv6, fill8(127)), false},
		"ICMPv6 that is not there":  {v6.build(protoICMPv6, nil), true},
	} {
		var h innerHeader
		if !h.parse(c.packet) {
			t.Fatalf("%s: not a packet", name)
		}
		if got := mayAnswer(c.packet, &h); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// fill8 is the beginning of an ICMP message of a type.
func fill8(kind byte) []byte { return append([]byte{kind, 0}, fill(30, 1)...) }
