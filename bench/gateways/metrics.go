package gateways

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Metrics are the samples of a scrape: value by name and labels, as in `name{a="b"}`.
type Metrics map[string]float64

// errFormat is wrapped by errors about what was read.
var errFormat = errors.New("gateways: not the text format of Prometheus")

const (
	// maxText bounds what is read, and scrapeLimit how long that may take.
	maxText     = 16 << 20
	scrapeLimit = time.Minute
)

// parseMetrics reads the text format. Comments and timestamps are left out.
func parseMetrics(text string) (Metrics, error) {
	m := Metrics{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		// A label's value may have spaces in it.
		end := strings.LastIndexByte(line, '}') + 1
		if end == 0 {
			end = strings.IndexByte(line, ' ')
		}
		f := strings.Fields(line[max(end, 0):])
		if end < 1 || len(f) == 0 {
			return nil, fmt.Errorf("%w: %.80q", errFormat, line)
		}
		v, err := strconv.ParseFloat(f[0], 64)
		if err != nil {
			return nil, fmt.Errorf("%w: %.80q: %w", errFormat, line, err)
		}
		m[line[:end]] = v
	}
	return m, nil
}

// Sum adds up the samples of a name that have all these labels, each as in `reason="cookie_demanded"`.
func (m Metrics) Sum(name string, labels ...string) (sum float64) {
next:
	for k, v := range m {
		rest, ok := strings.CutPrefix(k, name)
		if !ok || rest != "" && rest[0] != '{' {
			continue
		}
		for _, l := range labels {
			if !strings.Contains(rest, "{"+l) && !strings.Contains(rest, ","+l) {
				continue next
			}
		}
		sum += v
	}
	return sum
}

// Labelled gives the samples of a name by the value of one label.
func (m Metrics) Labelled(name, by string) map[string]float64 {
	out := map[string]float64{}
	for sample, v := range m {
		if labels, ok := labelsOf(sample, name); ok {
			if value := label(labels, by); value != "" {
				out[value] += v
			}
		}
	}
	return out
}

// labelsOf gives what is between the braces of a sample of a name; false for one of another name, or without labels.
func labelsOf(sample, name string) (labels string, ok bool) {
	rest, ok := strings.CutPrefix(sample, name+"{")
	return strings.TrimSuffix(rest, "}"), ok
}

// label is the value of one of the labels; empty if it is not there, which is the same to Prometheus.
func label(labels, name string) string {
	for l := range strings.SplitSeq(labels, ",") {
		if k, v, _ := strings.Cut(l, "="); k == name {
			return strings.Trim(v, `"`)
		}
	}
	return ""
}

// scraper reads the metrics of one daemon.
type scraper struct {
	client http.Client
	url    string
}

// newScraper makes a scraper of the metrics at addr. enter runs a function in the daemon's network namespace.
func newScraper(addr string, enter func(call func() error) error) *scraper {
	dial := func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		err = enter(func() error {
			var d net.Dialer
			c, err = d.DialContext(ctx, network, addr)
			return err
		})
		return c, err
	}
	// A connection for each scrape: they are rare, and a daemon that was restarted is found again.
	return &scraper{client: http.Client{Timeout: scrapeLimit, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}},
		url: "http://" + addr + "/metrics"}
}

// scrape reads the metrics once.
func (s *scraper) scrape(ctx context.Context) (Metrics, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxText))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("gateways: metrics: %s", resp.Status)
	}
	return parseMetrics(string(b))
}
