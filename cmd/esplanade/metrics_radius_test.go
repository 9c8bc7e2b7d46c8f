package main

import (
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"esplanade/ike/radius"
)

// radiusCollector gives the metrics of a report.
type radiusCollector struct {
	d radiusDescs
	r radius.Report
}

func newRADIUSCollector(r radius.Report) radiusCollector {
	return radiusCollector{newRADIUSDescs(func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("ipsec_"+name, help, labels, nil)
	}), r}
}

func (c radiusCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.d.all() {
		ch <- d
	}
}

func (c radiusCollector) Collect(ch chan<- prometheus.Metric) {
	as := func(kind prometheus.ValueType) func(*prometheus.Desc, float64, ...string) {
		return func(d *prometheus.Desc, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, kind, v, labels...)
		}
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		as(prometheus.CounterValue)(d, float64(v), labels...)
	}
	c.d.collect(as(prometheus.GaugeValue), count, as(prometheus.CounterValue), c.r)
}

// radiusFamilies are the metrics of two services of a server.
func radiusFamilies(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	down := radius.Stats{Server: "one", Service: radius.Accounting, Addr: netip.MustParseAddrPort("10.0.0.5:1813"), Down: time.Now()}
	up := radius.Stats{Server: "one", Service: radius.Authentication, Accepts: 3, Rejects: 1, Latency: 2 * time.Second}
	up.Dropped[radius.DropAuthenticator] = 5
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(newRADIUSCollector(radius.Report{Services: []radius.Stats{up, down}, Ledger: radius.LedgerStats{Waiting: 7}}))
	list, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]*dto.MetricFamily{}
	for _, f := range list {
		m[f.GetName()] = f
	}
	return m
}

// TestMetricsOfRADIUS: each service of a server has its own numbers, and without servers there are none.
func TestMetricsOfRADIUS(t *testing.T) {
	m := radiusFamilies(t)
	auth, acct := []string{"server=one", "service=authentication"}, []string{"server=one", "service=accounting"}
	if value(t, m, "ipsec_radius_up", auth...) != 1 || value(t, m, "ipsec_radius_up", acct...) != 0 {
		t.Error("which of them is up")
	}
	if value(t, m, "ipsec_radius_answers_total", append(auth, "answer=accept")...) != 3 || value(t, m, "ipsec_radius_answer_seconds_total", auth...) != 2 ||
		value(t, m, "ipsec_radius_dropped_total", append(auth, "reason=authenticator")...) != 5 || value(t, m, "ipsec_radius_accounting_waiting") != 7 {
		t.Error("the numbers are others")
	}
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(newRADIUSCollector(radius.Report{}))
	if list, err := reg.Gather(); err != nil || len(list) != 0 {
		t.Errorf("without servers: %v, %v", list, err)
	}
}
