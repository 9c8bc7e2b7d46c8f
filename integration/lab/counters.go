//go:build linux

package lab

import "os"

// Overflow reads the host's counters.
func (h *Host) Overflow() (o Overflow, err error) {
	err = h.Do(func() error {
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
		udp4, err := parseColumn(string(v4), "Udp:", "RcvbufErrors")
		if err != nil {
			return err
		}
		udp6, err := parseSNMP6(string(v6), "Udp6RcvbufErrors")
		if err != nil {
			return err
		}
		o.UDP = udp4 + udp6
		o.TUN, o.Backlog, err = parseDeviceDrops(string(dev))
		return err
	})
	return o, err
}

// Overflow is that of both gateways' hosts.
func (l *Lab) Overflow() (sum Overflow, err error) {
	for _, s := range l.Sites() {
		o, err := s.Overflow()
		if err != nil {
			return sum, err
		}
		sum = sum.Add(o)
	}
	return sum, nil
}

// OutOfOrder is how many TCP segments have come to the host out of order so far: behind a gap that another segment, lost
// or overtaken, has left.
func (h *Host) OutOfOrder() (n int, err error) {
	err = h.Do(func() error {
		text, err := os.ReadFile("/proc/thread-self/net/netstat")
		if err != nil {
			return err
		}
		n, err = parseColumn(string(text), "TcpExt:", "TCPOFOQueue")
		return err
	})
	return n, err
}
