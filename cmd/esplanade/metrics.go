package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"esplanade/dataplane"
	ikegw "esplanade/ike/gateway"
	"esplanade/ike/sa"
)

// metricsServer serves /metrics.
type metricsServer struct {
	l         net.Listener
	s         *http.Server
	durations *durations
}

// collectTimeout bounds how long a scrape waits for the event loop.
const collectTimeout = 5 * time.Second

func newMetricsServer(addr string, g *gateway) (*metricsServer, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	reg := prometheus.NewRegistry()
	d := newDurations()
	reg.MustRegister(newCollector(g), d.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := metricsMux(promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorLog: log.New(&httpLog{log: g.log}, "", 0)}))
	s, limit := newHTTPServer(mux, g.log)
	return &metricsServer{l: limitListener{l, limit}, s: s, durations: d}, nil
}

// metricsMux has the metrics at /metrics, and a page that leads there.
func metricsMux(metrics http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/metrics", metrics)
	mux.HandleFunc("GET /{$}", rootPage)
	return mux
}

// rootPage leads whoever looks at the port with a browser to the metrics.
func rootPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!DOCTYPE html>\n<title>Esplanade</title>\n<h1>Esplanade</h1>\n<p><a href=\"/metrics\">Metrics</a></p>\n")
}

func (m *metricsServer) serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		c, cancel := context.WithTimeout(context.Background(), metricsCloseTimeout)
		defer cancel()
		if m.s.Shutdown(c) != nil {
			m.s.Close()
		}
	})
	defer stop()
	if err := m.s.Serve(m.l); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// durations is told of exchanges and keeps how long those took that this side began.
type durations struct {
	seconds *prometheus.HistogramVec
}

func newDurations() *durations {
	return &durations{seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "ipsec_exchange_duration_seconds",
		Help: "Time from the request to the peer's response, of exchanges that this side began.",
		// From a LAN to the last retransmission of the default 2s × 1.8ⁿ.
		Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 2, 4, 8, 16, 32, 64},
	}, []string{"exchange"})}
}

// Observe implements gateway.Observer: only exchanges matter.
func (d *durations) Observe(e ikegw.Event) {
	if x, ok := e.(ikegw.Exchange); ok && x.Initiated {
		d.seconds.WithLabelValues(ikegw.ExchangeLabel(x.ExchangeDone.Exchange)).Observe(x.Took.Seconds())
	}
}

func (m *metricsServer) close() { m.s.Close(); m.l.Close() }

// collector makes metrics of what the daemon and the engine know at the time of a scrape.
type collector struct {
	g *gateway

	build, configured, up, childUp, pathMTU, trouble, ikeSAs, halfOpen, refused    *prometheus.Desc
	bytes, packets, drops, failures, exchanges, rekeys, retransmits, moves         *prometheus.Desc
	ignored, inboxDropped, sendErrors, established, lastReload, started            *prometheus.Desc
	loadedAt, redirects, restored, contested, desired, connFailures, establishedAt *prometheus.Desc
	revocations                                                                    revocationDescs
	radius                                                                         radiusDescs
	guesses                                                                        guessDescs
	pools                                                                          poolDescs
	hooks                                                                          hookDescs
	workWaiting, workDone, workDropped                                             *prometheus.Desc
	acmeEnd, acmeFailures, acmeIssued                                              *prometheus.Desc
	unanswered, lastPacket                                                         *prometheus.Desc
}

func newCollector(g *gateway) *collector {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("ipsec_"+name, help, labels, nil)
	}
	return &collector{
		g:             g,
		build:         d("build_info", "What runs; always 1.", "version"),
		configured:    d("connection_configured", "1 for each connection of the configuration.", "connection"),
		up:            d("connection_up", "1 if at least one child of the connection is up, or its IKE SA where it has none.", "connection"),
		childUp:       d("child_up", "1 if traffic of the child could flow a moment ago: there is an SA, and its peer does not count as dead.", "connection", "child"),
		desired:       d("child_desired", "1 if the child is wanted up at present.", "connection", "child"),
		unanswered:    d("ike_unanswered_requests", "IKE SAs and attempts whose request was sent again twice or more and has no answer yet.", "connection"),
		lastPacket:    d("child_last_packet_timestamp_seconds", "When the last packet went through, in seconds since 1970; none before the first.", "connection", "child", "direction"),
		pathMTU:       d("child_path_mtu_bytes", "The largest outer packet that the path to the peer takes, as far as is known.", "connection", "child"),
		trouble:       d("child_trouble", "1 while a trouble lasts that does not take the child down, by its code.", "connection", "child", "reason"),
		ikeSAs:        d("ike_sas", "IKE SAs of the connection, without those of peers that have not authenticated.", "connection"),
		halfOpen:      d("half_open_ike_sas", "Responders that wait for IKE_AUTH."),
		refused:       d("refused_attempts", "Attempts that were refused a moment ago, whose answers are kept."),
		bytes:         d("child_bytes_total", "Bytes of inner packets.", "connection", "child", "direction"),
		packets:       d("child_packets_total", "Inner packets.", "connection", "child", "direction"),
		drops:         d("drops_total", "Packets that were dropped.", "direction", "reason"),
		failures:      d("exchange_failures_total", "Failures by their codes, from the first one on.", "connection", "exchange", "reason"),
		exchanges:     d("exchanges_total", "Complete exchanges; role is that of this side.", "exchange", "role"),
		connFailures:  d("connection_failures_total", "Failures of the connection, whatever their code.", "connection"),
		rekeys:        d("rekeys_total", "SAs that were replaced by rekeying.", "connection", "sa"),
		redirects:     d("redirects_total", "Redirects to other gateways, followed by this one as client or sent to peers.", "role"),
		restored:      d("routing_restored_total", "What vanished of the tunnels' routing on this host, and was put back.", "what"),
		contested:     d("routing_contested", "1 while it is taken away again and again."),
		retransmits:   d("retransmits_total", "Requests that were sent again.", "connection"),
		moves:         d("address_changes_total", "How often the addresses of an IKE SA or of its ESP have changed."),
		ignored:       d("ignored_messages_total", "IKE messages that had no effect.", "reason"),
		inboxDropped:  d("inbox_dropped_total", "Input that was dropped because the event loop was too busy."),
		revocations:   newRevocationDescs(d),
		radius:        newRADIUSDescs(d),
		guesses:       newGuessDescs(d),
		pools:         newPoolDescs(d),
		hooks:         newHookDescs(d),
		workWaiting:   d("work_waiting", "Key exchanges that wait for a worker, by the kind of their peers.", "from"),
		workDone:      d("work_done_total", "Key exchanges that were made, by the event loop or by workers.", "by"),
		workDropped:   d("work_dropped_total", "Key exchanges that were not made: too many waited, or this one waited for too long.", "reason"),
		sendErrors:    d("ike_send_errors_total", "IKE messages that the system did not send."),
		established:   d("ike_established_total", "IKE SAs that were established, other than by rekeying.", "connection"),
		establishedAt: d("ike_established_timestamp_seconds", "When the latest IKE SA of the connection was established, other than by rekeying, in seconds since 1970.", "connection"),
		lastReload:    d("config_last_reload_successful", "Whether the last loading of the configuration succeeded."),
		loadedAt:      d("config_last_reload_success_timestamp_seconds", "When the configuration in force was loaded, in seconds since 1970."),
		acmeEnd:       d("acme_certificate_not_after_timestamp_seconds", "When the certificate of the ACME server ends, in seconds since 1970; none before the first."),
		acmeFailures:  d("acme_consecutive_failures", "Attempts in a row that have brought no certificate of the ACME server."),
		acmeIssued:    d("acme_certificates_total", "Certificates of the ACME server that were issued."),
		started:       d("start_time_seconds", "When the daemon started, in seconds since 1970."),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.build, c.configured, c.up, c.childUp, c.pathMTU, c.trouble, c.ikeSAs, c.halfOpen, c.refused, c.bytes, c.packets, c.drops, c.failures, c.exchanges,
		c.rekeys, c.retransmits, c.moves, c.ignored, c.inboxDropped, c.sendErrors, c.established, c.lastReload, c.loadedAt, c.started,
		c.redirects, c.restored, c.contested, c.workWaiting, c.workDone, c.workDropped, c.desired, c.connFailures, c.establishedAt, c.unanswered, c.lastPacket,
		c.acmeEnd, c.acmeFailures, c.acmeIssued,
	} {
		ch <- d
	}
	for _, d := range slices.Concat(c.revocations.all(), c.radius.all(), c.pools.all(), c.guesses.all(), c.hooks.all()) {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	seconds := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	routing, contested := c.g.routes.state(), 0.0
	for _, what := range restorables() {
		n := uint64(0)
		if routing != nil {
			n = routing.Restored[what]
		}
		count(c.restored, n, what)
	}
	if routing != nil && routing.Contested {
		contested = 1
	}
	gauge(c.contested, contested)
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
	defer cancel()
	info, err := c.g.commands.Info(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(c.build, err)
		return
	}
	gauge(c.build, 1, fullVersion())
	gauge(c.lastReload, number(info.ReloadError == ""))
	gauge(c.loadedAt, float64(info.Loaded.UnixMilli())/1000)
	gauge(c.started, float64(info.Since.Unix()))
	gauge(c.halfOpen, float64(info.HalfOpen))
	c.pools.collect(gauge, info.Pools)
	gauge(c.refused, float64(info.Refused))
	for _, n := range info.Conns {
		name := n.Conf.Name
		gauge(c.configured, 1, name)
		gauge(c.ikeSAs, float64(n.IKESAs()), name)
		gauge(c.unanswered, float64(silent(n.SAs)), name)
		c.collectLives(gauge, count, name, n.Lives)
		up := len(n.Children) == 0 && slices.ContainsFunc(n.SAs, func(s sa.Snapshot) bool { return s.State == sa.StateEstablished || s.State == sa.StateRekeying })
		for _, h := range n.Children {
			up = up || h.Up()
			gauge(c.childUp, number(h.Up()), name, h.Conf.Name)
			gauge(c.desired, number(h.Wanted()), name, h.Conf.Name)
			if h.Path.MTU > 0 {
				gauge(c.pathMTU, float64(h.Path.MTU), name, h.Conf.Name)
			}
			for _, code := range ikegw.RemarkCodes() {
				gauge(c.trouble, number(h.Remarked(code)), name, h.Conf.Name, code.Reason())
			}
			count(c.bytes, h.Counters.InBytes, name, h.Conf.Name, "in")
			count(c.bytes, h.Counters.OutBytes, name, h.Conf.Name, "out")
			count(c.packets, h.Counters.InPackets, name, h.Conf.Name, "in")
			count(c.packets, h.Counters.OutPackets, name, h.Conf.Name, "out")
			c.lastPackets(gauge, h, name)
		}
		gauge(c.up, number(up), name)
	}
	work := c.g.daemon.Work()
	gauge(c.workWaiting, float64(work.Peers), "known")
	gauge(c.workWaiting, float64(work.Strangers), "stranger")
	count(c.workDone, work.AtOnce, "loop")
	count(c.workDone, work.Worked, "workers")
	count(c.workDropped, work.Full, "full")
	count(c.workDropped, work.Late, "late")
	c.collectACME(gauge, count)
	drops := c.g.engine.Drops()
	for _, r := range dataplane.DropReasons() {
		count(c.drops, drops[r], r.Direction().String(), r.String())
	}
	c.revocations.collect(gauge, count, c.g.daemon.Revocations())
	c.hooks.collect(gauge, count, c.g.updown, c.g.feed)
	c.radius.collect(gauge, count, seconds, c.g.daemon.RADIUS())
	c.guesses.collect(gauge, count, c.g.daemon.Guesses())
	c.collectStats(count, c.g.daemon.Stats())
}

// collectLives gives the counters of a connection, which are there before their first event. What is counted by code is not: there are too
// many codes for that.
func (c *collector) collectLives(gauge func(*prometheus.Desc, float64, ...string), count func(*prometheus.Desc, uint64, ...string), name string, l ikegw.Lives) {
	count(c.established, l.Established, name)
	count(c.rekeys, l.IKERekeys, name, "ike")
	count(c.rekeys, l.ChildRekeys, name, "child")
	count(c.retransmits, l.Retransmits, name)
	count(c.connFailures, l.Failures, name)
	if !l.Last.IsZero() {
		gauge(c.establishedAt, float64(l.Last.UnixMilli())/1000, name)
	}
}

func (c *collector) collectStats(count func(d *prometheus.Desc, v uint64, labels ...string), s ikegw.Stats) {
	for k, n := range s.Failures {
		count(c.failures, n, k.Connection, k.Exchange, k.Reason)
	}
	for k, n := range s.Exchanges {
		role := "responder"
		if k.Initiated {
			role = "initiator"
		}
		count(c.exchanges, n, k.Exchange, role)
	}
	for _, r := range sa.IgnoreReasons() {
		count(c.ignored, s.Ignored[r], string(r))
	}
	count(c.redirects, s.Redirected, "client")
	count(c.redirects, s.Redirecting, "gateway")
	count(c.moves, s.Moves)
	count(c.inboxDropped, s.InboxDropped)
	count(c.sendErrors, s.SendErrors)
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
