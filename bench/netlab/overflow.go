package netlab

import (
	"fmt"
	"strconv"
	"strings"
)

// Overflow is how many packets the kernel of a host has thrown away because the program that should have taken them did not
// do so in time. On a machine without a CPU to spare that happens to any program; TCP takes it for congestion.
type Overflow struct {
	// UDP are those in receive buffers of sockets. A run of packets that the kernel keeps together counts as one.
	UDP int
	// Device are those at devices: the queue of the one that leads to the gateway, the backlog of what came in.
	Device int
}

// Total is all of them.
func (o Overflow) Total() int { return o.UDP + o.Device }

// Sub is what has come since an earlier reading.
func (o Overflow) Sub(earlier Overflow) Overflow {
	return Overflow{UDP: o.UDP - earlier.UDP, Device: o.Device - earlier.Device}
}

// parseBufferErrors reads column RcvbufErrors of table Udp of /proc/net/snmp, which is a line of names and a line of values.
func parseBufferErrors(snmp string) (int, error) {
	var names []string
	for line := range strings.Lines(snmp) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i := range min(len(names), len(f)) {
			if names[i] == "RcvbufErrors" {
				return strconv.Atoi(f[i])
			}
		}
	}
	return 0, fmt.Errorf("%w: net/snmp has no RcvbufErrors", errProc)
}

// parseDeviceDrops adds up the columns drop of /proc/net/dev, both halves of all devices.
func parseDeviceDrops(dev string) (int, error) {
	const rxDrop, txDrop = 3, 8 + 3 // after bytes, packets and errs of each half, which has eight columns
	sum := 0
	for line := range strings.Lines(dev) {
		_, counters, ok := strings.Cut(line, ":")
		if !ok {
			continue // the heading
		}
		f := strings.Fields(counters)
		if len(f) <= txDrop {
			return 0, fmt.Errorf("%w: net/dev: %.80q", errProc, line)
		}
		for _, i := range []int{rxDrop, txDrop} {
			n, err := strconv.Atoi(f[i])
			if err != nil {
				return 0, fmt.Errorf("%w: net/dev: %w", errProc, err)
			}
			sum += n
		}
	}
	return sum, nil
}
