package dataplane

import "testing"

// A packet that is sent whole although the path takes less has to fit into a datagram all the same: with what ESP and UDP add.
func TestTooBigForADatagram(t *testing.T) {
	ip := ipSpec{src: v4.src, dst: v4.dst}
	for payload, sent := range map[int]int{1000: 1, 65000: 1, 65500 - 28: 0} {
		l := narrow(t, plainEnds, 600, "10.1.0.0/16[udp]", "10.2.0.0/16[udp/2]")
		if s := l.out(udpPacket(ip, 1, 2, fill(payload, 1))); len(s) != sent {
			t.Errorf("%d octets: %d sent", payload, len(s))
		}
		want := "[]"
		if sent == 0 {
			want = "[out too_big:1]"
		}
		l.wantDrops(want)
	}
}
