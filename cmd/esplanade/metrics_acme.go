package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"esplanade/ike/pki/acme"
)

// collectACME gives how it goes with the certificate of the ACME server.
func (c *collector) collectACME(gauge func(*prometheus.Desc, float64, ...string), count func(*prometheus.Desc, uint64, ...string)) {
	var s acme.State
	if c.g.acme != nil {
		s = c.g.acme.State()
	}
	if !s.NotAfter.IsZero() {
		gauge(c.acmeEnd, float64(s.NotAfter.Unix()))
	}
	gauge(c.acmeFailures, float64(s.Failures))
	count(c.acmeIssued, s.Issued)
}
