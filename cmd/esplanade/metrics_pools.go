package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"esplanade/ike/pool"
)

// poolDescs are the metrics of the addresses for clients, by the pools of the configuration.
type poolDescs struct{ size, online, offline *prometheus.Desc }

func newPoolDescs(d func(name, help string, labels ...string) *prometheus.Desc) poolDescs {
	return poolDescs{
		size:    d("pool_addresses", "Addresses that a pool has.", "pool"),
		online:  d("pool_online", "Addresses of a pool that clients have.", "pool"),
		offline: d("pool_offline", "Addresses of a pool that clients had, and get again.", "pool"),
	}
}

func (p poolDescs) all() []*prometheus.Desc { return []*prometheus.Desc{p.size, p.online, p.offline} }

func (p poolDescs) collect(gauge func(*prometheus.Desc, float64, ...string), list []pool.Stats) {
	for _, s := range list {
		gauge(p.size, float64(s.Size), s.Name)
		gauge(p.online, float64(s.Online), s.Name)
		gauge(p.offline, float64(s.Offline), s.Name)
	}
}
