package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	ikegw "esplanade/ike/gateway"
	"esplanade/ike/sa"
)

// silent counts the IKE SAs whose peers do not answer.
func silent(list []sa.Snapshot) (n int) {
	for _, s := range list {
		if s.Silence != nil {
			n++
		}
	}
	return n
}

// lastPackets says when packets of a child went through last. A direction without any has no value: 0 would be the year 1970.
func (c *collector) lastPackets(gauge func(*prometheus.Desc, float64, ...string), h ikegw.ChildInfo, connection string) {
	for direction, t := range map[string]time.Time{"in": h.Counters.LastIn, "out": h.Counters.LastOut} {
		if !t.IsZero() {
			gauge(c.lastPacket, float64(t.UnixMilli())/1000, connection, h.Conf.Name, direction)
		}
	}
}
