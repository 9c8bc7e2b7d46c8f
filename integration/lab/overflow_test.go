package lab

import (
	"errors"
	"testing"
)

func TestParseColumn(t *testing.T) {
	const snmp = "Ip: A B\nIp: 1 2\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\nUdp: 10 1 2 11 42 0\nUdpLite: X RcvbufErrors\nUdpLite: 1 7\n"
	if n, err := parseColumn(snmp, "Udp:", "RcvbufErrors"); err != nil || n != 42 {
		t.Errorf("%d, %v", n, err)
	}
	for _, bad := range []string{"", "Udp: RcvbufErrors\n", "Udp: A\nUdp: 1\n", "Udp: A RcvbufErrors\nUdp: 1 x\n", "Udp: A RcvbufErrors\nUdp: 1\n"} {
		if n, err := parseColumn(bad, "Udp:", "RcvbufErrors"); !errors.Is(err, errProc) {
			t.Errorf("%q: %d, %v", bad, n, err)
		}
	}
}

func TestParseSNMP6(t *testing.T) {
	if n, err := parseSNMP6("Udp6InErrors 3\nUdp6RcvbufErrors 4\n", "Udp6RcvbufErrors"); err != nil || n != 4 {
		t.Errorf("%d, %v", n, err)
	}
	for _, bad := range []string{"", "Udp6RcvbufErrors", "Udp6RcvbufErrors x", "Udp6RcvbufErrorsX 1"} {
		if n, err := parseSNMP6(bad, "Udp6RcvbufErrors"); !errors.Is(err, errProc) {
			t.Errorf("%q: %d, %v", bad, n, err)
		}
	}
}

func TestParseDeviceDrops(t *testing.T) {
	const dev = "Inter-|   Receive  | Transmit\n face |bytes |bytes\n    lo: 1 1 0 9 0 0 0 0 1 1 0 8 0 0 0 0\nipsec0: 1 1 0 2 0 0 0 0 1 1 0 17 0 0 0 0\n"
	if tun, backlog, err := parseDeviceDrops(dev); err != nil || tun != 17 || backlog != 11 {
		t.Errorf("%d, %d, %v", tun, backlog, err)
	}
	for _, bad := range []string{"ipsec0: 1 2 3", "ipsec0: 1 1 0 9 0 0 0 0 1 1 0 x 0 0 0 0", "ipsec0: 1 1 0 x 0 0 0 0 1 1 0 1 0 0 0 0"} {
		if tun, backlog, err := parseDeviceDrops(bad); !errors.Is(err, errProc) {
			t.Errorf("%q: %d, %d, %v", bad, tun, backlog, err)
		}
	}
}

func TestOverflowSums(t *testing.T) {
	a, b := Overflow{UDP: 1, TUN: 2, Backlog: 4}, Overflow{UDP: 8, TUN: 16, Backlog: 32}
	if got := a.Add(b); got.Total() != 63 || got.Sub(a) != b {
		t.Errorf("%+v", got)
	}
}
