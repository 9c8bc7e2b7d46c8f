package lab

import (
	"fmt"
	"strconv"
	"strings"
)

// Overflow is how many packets a host's kernel has thrown away because the program that should have taken them
// wasn't given the processor in time: full UDP receive buffers and full TUN queues, or because the kernel itself wasn't:
// the backlog of what came in at a device. On an overloaded machine that happens to any gateway; it says nothing about
// its protocol. TCP takes it for congestion.
type Overflow struct {
	// UDP are those in receive buffers of sockets. A run of packets that the kernel keeps together counts as one.
	UDP int
	// TUN are those in the queues of the gateways' devices, Backlog those that came in at any device.
	TUN, Backlog int
}

// Total is all of them.
func (o Overflow) Total() int { return o.UDP + o.TUN + o.Backlog }

// Add is both together.
func (o Overflow) Add(p Overflow) Overflow {
	return Overflow{UDP: o.UDP + p.UDP, TUN: o.TUN + p.TUN, Backlog: o.Backlog + p.Backlog}
}

// Sub is what has come since an earlier reading.
func (o Overflow) Sub(earlier Overflow) Overflow {
	return Overflow{UDP: o.UDP - earlier.UDP, TUN: o.TUN - earlier.TUN, Backlog: o.Backlog - earlier.Backlog}
}

func (o Overflow) String() string {
	return fmt.Sprintf("%d in UDP receive buffers, %d in TUN queues, %d in backlogs", o.UDP, o.TUN, o.Backlog)
}

// parseColumn reads a column of a table as /proc/net/snmp and /proc/net/netstat have them: a line of names and a line of
// values.
func parseColumn(text, table, name string) (int, error) {
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
	return 0, fmt.Errorf("%w: table %s has no %s", errProc, table, name)
}

// parseSNMP6 reads a line of /proc/net/snmp6, which has a name and a value.
func parseSNMP6(text, name string) (int, error) {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == name {
			return number(f[1])
		}
	}
	return 0, fmt.Errorf("%w: snmp6 has no %s", errProc, name)
}

// parseDeviceDrops adds up two columns "drop" of /proc/net/dev: that of the transmit half for the gateways' TUN devices, which
// both strongSwan and Esplanade call ipsec0, and that of the receive half for all devices. What a cable could not hand
// over is in the transmit half of one end and in the receive half of the other, and counts once.
func parseDeviceDrops(text string) (tun, backlog int, err error) {
	const rxDrop, txDrop = 3, 8 + 3 // after bytes, packets, errs of each half; the first has eight columns
	for line := range strings.Lines(text) {
		name, counters, ok := strings.Cut(line, ":")
		if !ok {
			continue // the heading
		}
		f := strings.Fields(counters)
		if len(f) <= txDrop {
			return 0, 0, fmt.Errorf("%w: net/dev: %.80q", errProc, line)
		}
		rx, err := number(f[rxDrop])
		if err != nil {
			return 0, 0, err
		}
		tx, err := number(f[txDrop])
		if err != nil {
			return 0, 0, err
		}
		backlog += rx
		if strings.HasPrefix(strings.TrimSpace(name), "ipsec") {
			tun += tx
		}
	}
	return tun, backlog, nil
}

func number(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errProc, err)
	}
	return n, nil
}
