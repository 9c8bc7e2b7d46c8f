package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"esplanade/dataplane"
	"esplanade/ike/diag"
	"esplanade/ike/sa"
)

// scrape asks a gateway for its metrics and parses them as Prometheus does.
func scrape(t *testing.T, n *node) map[string]*dto.MetricFamily {
	t.Helper()
	r, err := http.Get("http://" + n.http.l.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Fatal(r.Status)
	}
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// value is that of the one metric of a family with these labels, given as "name=value".
func value(t *testing.T, families map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	want := slices.Sorted(slices.Values(labels))
	for _, m := range families[name].GetMetric() {
		var have []string
		for _, l := range m.Label {
			have = append(have, l.GetName()+"="+l.GetValue())
		}
		slices.Sort(have)
		if !slices.Equal(have, want) {
			continue
		}
		switch {
		case m.Gauge != nil:
			return m.Gauge.GetValue()
		case m.Counter != nil:
			return m.Counter.GetValue()
		case m.Histogram != nil:
			return float64(m.Histogram.GetSampleCount())
		}
	}
	t.Errorf("there is no %s%v", name, labels)
	return -1
}

// TestMetrics scrapes a gateway whose tunnel is up and has been rekeyed, and one whose peer is silent.
func TestMetrics(t *testing.T) {
	l := newLab(t)
	left, right := l.pair(nil)
	echo(t, left, right, "some octets")
	for _, name := range []string{"net", "lab"} {
		if code, _, stderr := cli("rekey", name, "--socket", left.socket); code != exitOK {
			t.Fatal(stderr)
		}
	}
	left.seen.await(t, "the rekeyings", func(w *watcher) bool { return w.childRekeys == 1 && w.ikeRekeys == 1 })

	m := scrape(t, left)
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"ipsec_build_info", []string{"version=" + fullVersion()}, 1},
		{"ipsec_connection_configured", []string{"connection=lab"}, 1},
		{"ipsec_connection_up", []string{"connection=lab"}, 1},
		{"ipsec_child_up", []string{"connection=lab", "child=net"}, 1},
		{"ipsec_child_trouble", []string{"connection=lab", "child=net", "reason=mtu"}, 0},
		{"ipsec_half_open_ike_sas", nil, 0},
		{"ipsec_refused_attempts", nil, 0},
		{"ipsec_ike_established_total", []string{"connection=lab"}, 1},
		{"ipsec_child_desired", []string{"connection=lab", "child=net"}, 1},
		{"ipsec_connection_failures_total", []string{"connection=lab"}, 0},
		{"ipsec_ignored_messages_total", []string{"reason=malformed"}, 0},
		{"ipsec_rekeys_total", []string{"connection=lab", "sa=child"}, 1},
		{"ipsec_rekeys_total", []string{"connection=lab", "sa=ike"}, 1},
		{"ipsec_exchanges_total", []string{"exchange=IKE_SA_INIT", "role=initiator"}, 1},
		{"ipsec_exchanges_total", []string{"exchange=IKE_AUTH", "role=initiator"}, 1},
		{"ipsec_exchanges_total", []string{"exchange=CREATE_CHILD_SA", "role=initiator"}, 2},
		{"ipsec_exchange_duration_seconds", []string{"exchange=IKE_AUTH"}, 1},
		{"ipsec_exchange_duration_seconds", []string{"exchange=CREATE_CHILD_SA"}, 2},
		{"ipsec_work_waiting", []string{"from=known"}, 0},
		{"ipsec_work_waiting", []string{"from=stranger"}, 0},
		// A private value and a shared secret each: of the handshake and of two rekeyings.
		{"ipsec_work_done_total", []string{"by=loop"}, 6},
		{"ipsec_work_done_total", []string{"by=workers"}, 0},
		{"ipsec_work_dropped_total", []string{"reason=full"}, 0},
		{"ipsec_work_dropped_total", []string{"reason=late"}, 0},
		{"ipsec_retransmits_total", []string{"connection=lab"}, 0},
		{"ipsec_address_changes_total", nil, 0},
		{"ipsec_config_last_reload_successful", nil, 1},
		{"ipsec_drops_total", []string{"direction=in", "reason=replay"}, 0},
		{"ipsec_drops_total", []string{"direction=out", "reason=no_policy"}, 0},
	} {
		if got := value(t, m, c.name, c.labels...); got != c.want {
			t.Errorf("%s%v is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	for _, name := range []string{"ipsec_child_bytes_total", "ipsec_child_packets_total"} {
		for _, direction := range []string{"in", "out"} {
			if v := value(t, m, name, "connection=lab", "child=net", "direction="+direction); v <= 0 {
				t.Errorf("%s %s is %v", name, direction, v)
			}
		}
	}
	if v := value(t, m, "ipsec_ike_established_timestamp_seconds", "connection=lab"); v < value(t, m, "ipsec_start_time_seconds") {
		t.Errorf("established at %v", v)
	}
	if n := len(m["ipsec_ignored_messages_total"].GetMetric()); n != len(sa.IgnoreReasons()) {
		t.Errorf("%d reasons of ignored messages", n)
	}
	if v := value(t, m, "ipsec_child_path_mtu_bytes", "connection=lab", "child=net"); v < dataplane.MinPathMTU {
		t.Errorf("path MTU %v", v)
	}
	if v := value(t, m, "ipsec_config_last_reload_success_timestamp_seconds"); v < value(t, m, "ipsec_start_time_seconds")-60 {
		t.Errorf("loaded at %v", v)
	}
	if n := len(m["ipsec_drops_total"].GetMetric()); n != len(dataplane.DropReasons()) {
		t.Errorf("%d reasons of drops", n)
	}
}

// TestMetricsRootPage: whoever finds the port finds the metrics.
func TestMetricsRootPage(t *testing.T) {
	for path, want := range map[string]int{"/": http.StatusOK, "/other": http.StatusNotFound} {
		w := httptest.NewRecorder()
		metricsMux(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want || want == http.StatusOK && !strings.Contains(w.Body.String(), `<a href="/metrics">`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestMetricsOfWhatIsWanted: an alert on what is wanted and not up is silent about what is idle, and about what a command keeps down.
func TestMetricsOfWhatIsWanted(t *testing.T) {
	l := newLab(t)
	left, _ := l.pair(nil)
	wanted := func() (desired, up float64) {
		m := scrape(t, left)
		return value(t, m, "ipsec_child_desired", "connection=lab", "child=net"), value(t, m, "ipsec_child_up", "connection=lab", "child=net")
	}
	if d, u := wanted(); d != 1 || u != 1 {
		t.Errorf("up: desired %v, up %v", d, u)
	}
	if code, _, stderr := cli("terminate", "lab", "--socket", left.socket, "--timeout", "10s"); code != exitOK {
		t.Fatal(stderr)
	}
	if d, u := wanted(); d != 0 || u != 0 {
		t.Errorf("terminated: desired %v, up %v", d, u)
	}
}

// TestMetricsOfFailures: configured but down, with the reason. That is the alert which people ask for most.
func TestMetricsOfFailures(t *testing.T) {
	l := newLab(t)
	n := l.start(leftSide(unusedPort(t)))
	// What an ICMP error says of the first attempt is counted at its end: with the second attempt's failure it has been.
	n.seen.await(t, "the failure", func(w *watcher) bool { return len(w.failures) > 1 })
	m := scrape(t, n)
	if value(t, m, "ipsec_connection_configured", "connection=lab") != 1 || value(t, m, "ipsec_connection_up", "connection=lab") != 0 ||
		value(t, m, "ipsec_child_up", "connection=lab", "child=net") != 0 {
		t.Error("it is not configured but down")
	}
	n.seen.mu.Lock()
	f := n.seen.failures[0]
	n.seen.mu.Unlock()
	if _, ok := diag.ParseCode(f.Reason()); !ok {
		t.Errorf("the reason %q is no code", f.Reason())
	}
	if v := value(t, m, "ipsec_exchange_failures_total", "connection=lab", "exchange=IKE_SA_INIT", "reason="+f.Reason()); v < 1 {
		t.Errorf("%v failures", v)
	}
	if v := value(t, m, "ipsec_connection_failures_total", "connection=lab"); v < 1 {
		t.Errorf("%v failures of the connection", v)
	}
	if m["ipsec_ike_established_timestamp_seconds"] != nil {
		t.Error("there is a time of what was never established")
	}
	if v := value(t, m, "ipsec_retransmits_total", "connection=lab"); v < 1 {
		t.Errorf("%v retransmissions", v)
	}
}

// TestMetricsFollowTheRules holds names, units and labels to what Prometheus asks for, and to few labels: what has no
// bound, such as an SPI, is never one. The table of the documentation has to have the same metrics.
func TestMetricsFollowTheRules(t *testing.T) {
	l := newLab(t)
	left, right := l.pair(nil)
	echo(t, left, right, "a packet has its time from the first one on")
	bad := l.start(side{name: "bad", peer: "right", inner: "10.3.0.1", peerInner: "10.2.0.1", port: unusedPort(t),
		ike: "lease_file = " + strconv.Quote(filepath.Join(t.TempDir(), "leases.db")), top: "[pools.office]\naddrs = \"10.30.0.0/24\"\n"})
	bad.seen.await(t, "the failure", func(w *watcher) bool { return len(w.failures) > 1 })
	families := scrape(t, left)
	maps.Copy(families, scrape(t, bad)) // has failures, which are no family before there is one
	maps.Copy(families, radiusFamilies(t))
	allowed := []string{"server", "service", "answer", "connection", "child", "direction", "reason", "exchange", "role", "sa", "version", "what", "by", "from", "kind", "result", "pool"}
	documented := documentedMetrics(t)
	seen := map[string]bool{}
	for name, f := range families {
		if !strings.HasPrefix(name, "ipsec_") {
			continue // those of Go and of the process
		}
		seen[name] = true
		if (f.GetType() == dto.MetricType_COUNTER) != strings.HasSuffix(name, "_total") {
			t.Errorf("%s is a %s", name, f.GetType())
		}
		if f.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
		var labels []string
		for _, m := range f.Metric {
			for _, p := range m.Label {
				if !slices.Contains(labels, p.GetName()) {
					labels = append(labels, p.GetName())
				}
				if !slices.Contains(allowed, p.GetName()) {
					t.Errorf("%s has the label %s", name, p.GetName())
				}
			}
		}
		slices.Sort(labels)
		d, ok := documented[name]
		if !ok {
			t.Errorf("%s is not in docs/operations.md", name)
			continue
		}
		if !slices.Equal(labels, d) {
			t.Errorf("%s has the labels %v, docs/operations.md says %v", name, labels, d)
		}
	}
	for name := range documented {
		// There is no time of a packet before the first, and none of a certificate.
		if !seen[name] && name != "ipsec_child_last_packet_timestamp_seconds" && name != "ipsec_acme_certificate_not_after_timestamp_seconds" {
			t.Errorf("docs/operations.md has %s, which there is not", name)
		}
	}
}

var metricRow = regexp.MustCompile("(?m)^\\| `(ipsec_[a-z_]+)` \\| ([^|]*) ?\\| [^|]+ \\|$")

// documentedMetrics reads the labels of each metric from the table of docs/operations.md.
func documentedMetrics(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, row := range metricRow.FindAllStringSubmatch(string(text), -1) {
		var labels []string
		for _, label := range strings.Split(row[2], ",") {
			if label = strings.TrimSpace(label); label != "" {
				labels = append(labels, label)
			}
		}
		slices.Sort(labels)
		out[row[1]] = labels
	}
	if len(out) < 15 {
		t.Fatalf("only %d metrics are documented", len(out))
	}
	return out
}
