package dataplane

import "testing"

// Packets that whoever gets them has to answer are counted; all others, one-way UDP above all, are not.
func TestPacketsThatAskForAnAnswer(t *testing.T) {
	echo := func(ip ipSpec, protocol uint8, kind byte) []byte {
		return ip.build(protocol, []byte{kind, 0, 0, 0, 0, 1, 0, 1})
	}
	middle := v4
	middle.frag = 100
	for name, c := range map[string]struct {
		packet []byte
		asks   bool
	}{
		"SYN":             {tcpSpec{sport: 1, dport: 2, flags: tcpSYN}.build(v4, nil), true},
		"SYN, IPv6":       {tcpSpec{sport: 1, dport: 2, flags: tcpSYN}.build(v6, nil), true},
		"SYN ACK":         {tcpSpec{sport: 1, dport: 2, flags: tcpSYN | tcpACK}.build(v4, nil), false},
		"data of TCP":     {tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(v4, fill(100, 1)), false},
		"ping":            {echo(v4, protoICMP, 8), true},
		"its answer":      {echo(v4, protoICMP, 0), false},
		"ping, IPv6":      {echo(v6, protoICMPv6, 128), true},
		"its answer, v6":  {echo(v6, protoICMPv6, 129), false},
		"ICMPv6 in IPv4":  {echo(v4, protoICMPv6, 128), false},
		"UDP":             {udpPacket(v4, 514, 514, fill(100, 1)), false},
		"a late fragment": {echo(middle, protoICMP, 8), false},
		"a short packet":  {v4.build(protoTCP, []byte{0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x50}), false},
		"an empty one":    {v4.build(protoICMP, nil), false},
	} {
		a, _ := labPair(t, plainEnds, pair(t, ts4Local, ts4Remote), gcm128())
		if c.packet[0]>>4 == 6 {
			a, _ = labPair(t, plainEnds, pair(t, ts6Local, ts6Remote), gcm128())
		}
		a.out(c.packet, c.packet)
		want := uint64(0)
		if c.asks {
			want = 2
		}
		if n, _ := a.e.Counters(childA); n.Asking != want || n.OutPackets != 2 {
			t.Errorf("%s: %+v", name, n)
		}
	}
}
