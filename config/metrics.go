package config

import (
	"net"
	"net/netip"
	"strconv"
)

// Metrics is where Prometheus finds the daemon: the table [metrics].
type Metrics struct {
	Source
	// Listen is host:port for HTTP, path /metrics. Empty, which is the default, is none.
	Listen string `key:"listen"`
}

func readMetrics(t *table) (m Metrics) {
	var at Position
	const advice = `write an address and a port, such as "127.0.0.1:9700"`
	m.Listen, at = t.strAs("listen", "", advice)
	if m.Listen != "" {
		host, port, err := net.SplitHostPort(m.Listen)
		n, errPort := strconv.ParseUint(port, 10, 16)
		a, errHost := netip.ParseAddr(host)
		if err != nil || errPort != nil || host != "" && errHost != nil && !isHostname(host) {
			t.errorf(at, advice, "metrics.listen is %s", quote(m.Listen))
		} else if reason, want := badListen(a); errHost == nil && reason != "" {
			t.errorf(at, want, "metrics.listen is %s: %s", quote(m.Listen), reason)
		} else if n == 0 {
			t.warnf(at, "write a port that Prometheus can be told", "metrics.listen has port 0: the system chooses one")
		}
	}
	m.Source = t.done()
	return m
}
