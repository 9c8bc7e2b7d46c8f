package netlab

import "testing"

func TestParseBufferErrors(t *testing.T) {
	const snmp = "Ip: A B\nIp: 1 2\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\nUdp: 10 1 2 11 42 0\nUdpLite: X RcvbufErrors\nUdpLite: 1 7\n"
	if n, err := parseBufferErrors(snmp); err != nil || n != 42 {
		t.Errorf("%d, %v", n, err)
	}
	for _, bad := range []string{"", "Udp: RcvbufErrors\n", "Udp: A\nUdp: 1\n", "Udp: A RcvbufErrors\nUdp: 1 x\n", "Udp: A RcvbufErrors\nUdp: 1\n"} {
		if n, err := parseBufferErrors(bad); err == nil {
			t.Errorf("%q: %d", bad, n)
		}
	}
}

func TestParseDeviceDrops(t *testing.T) {
	const dev = "Inter-|   Receive  | Transmit\n face |bytes |bytes\n    lo: 1 1 0 9 0 0 0 0 1 1 0 8 0 0 0 0\nipsec0: 1 1 0 0 0 0 0 0 1 1 0 17 0 0 0 0\n"
	if n, err := parseDeviceDrops(dev); err != nil || n != 34 {
		t.Errorf("%d, %v", n, err)
	}
	for _, bad := range []string{"ipsec0: 1 2 3", "ipsec0: 1 1 0 9 0 0 0 0 1 1 0 x 0 0 0 0", "ipsec0: 1 1 0 x 0 0 0 0 1 1 0 1 0 0 0 0"} {
		if n, err := parseDeviceDrops(bad); err == nil {
			t.Errorf("%q: %d", bad, n)
		}
	}
}
