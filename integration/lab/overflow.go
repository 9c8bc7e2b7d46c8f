//go:build linux

package lab

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Overflow is how many packets a host's kernel has thrown away because the program that should have taken them
// wasn't given the processor in time: full UDP receive buffers and full TUN queues, or because the kernel itself wasn't:
// the backlog of what came in at a device. On an overloaded machine that happens to any gateway; it says nothing about
// its protocol.
type Overflow struct{ UDP, TUN, Backlog int }

// Total is all of them.
func (o Overflow) Total() int { return o.UDP + o.TUN + o.Backlog }

func (o Overflow) String() string {
	return fmt.Sprintf("%d in UDP receive buffers, %d in TUN queues, %d in backlogs", o.UDP, o.TUN, o.Backlog)
}

// Overflow reads the host's counters.
func (h *Host) Overflow() (Overflow, error) {
	var o Overflow
	err := h.Do(func() error {
		v4, err := os.ReadFile("/proc/thread-self/net/snmp")
		if err != nil {
			return err
		}
		v6, err := os.ReadFile("/proc/thread-self/net/snmp6")
		if err != nil {
			return err
		}
		dev, err := os.ReadFile("/proc/thread-self/net/dev")
		if err != nil {
			return err
		}
		o.UDP = snmpColumn(string(v4), "Udp:", "RcvbufErrors") + snmp6Value(string(v6), "Udp6RcvbufErrors")
		o.TUN, o.Backlog = deviceDrops(string(dev))
		return nil
	})
	return o, err
}

// OutOfOrder is how many TCP segments have come to the host out of order so far: behind a gap that another segment, lost
// or overtaken, has left.
func (h *Host) OutOfOrder() (int, error) {
	n := 0
	err := h.Do(func() error {
		text, err := os.ReadFile("/proc/thread-self/net/netstat")
		n = snmpColumn(string(text), "TcpExt:", "TCPOFOQueue")
		return err
	})
	return n, err
}

// snmpColumn reads a table of /proc/net/snmp, which is a line of names and a line of values.
func snmpColumn(text, table, name string) int {
	var names []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != table {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i := range min(len(names), len(f)) {
			if names[i] == name {
				return number(f[i])
			}
		}
	}
	return 0
}

func snmp6Value(text, name string) int {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == name {
			return number(f[1])
		}
	}
	return 0
}

// deviceDrops adds up two columns "drop" of /proc/net/dev: that of the transmit half for the gateways' TUN devices, which
// both strongSwan and Esplanade call ipsec0, and that of the receive half for all devices.
func deviceDrops(text string) (tun, backlog int) {
	const rxDrop, txDrop = 3, 8 + 3 // after bytes, packets, errs of each half; the first has eight columns
	for line := range strings.Lines(text) {
		name, counters, ok := strings.Cut(line, ":")
		f := strings.Fields(counters)
		if !ok || len(f) <= txDrop {
			continue
		}
		backlog += number(f[rxDrop])
		if strings.HasPrefix(strings.TrimSpace(name), "ipsec") {
			tun += number(f[txDrop])
		}
	}
	return tun, backlog
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
