package gateways

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const text = `# HELP ipsec_ignored_messages_total IKE messages
# TYPE ipsec_ignored_messages_total counter
ipsec_ignored_messages_total{reason="cookie_demanded"} 12
ipsec_ignored_messages_total{reason="overload"} 3e+01
ipsec_ignored_messages_total_created{reason="overload"} 7
ipsec_connection_up{connection="a b",x="y"} 1 1712345678
ipsec_connection_up{connection="c",x="y"} 0
up 1
`

func TestParseMetrics(t *testing.T) {
	m, err := parseMetrics(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		got, want float64
	}{
		{m["up"], 1},
		{m.Sum("up"), 1},
		{m.Sum("ipsec_ignored_messages_total"), 42},
		{m.Sum("ipsec_ignored_messages_total", `reason="overload"`), 30},
		{m.Sum("ipsec_connection_up", `connection="a b"`, `x="y"`), 1},
		{m.Sum("ipsec_connection_up", `connection="c"`, `x="y"`), 0},
		{m.Sum("ipsec_connection_up", `x="z"`), 0},
		{m.Sum("absent"), 0},
	} {
		if c.got != c.want {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
	if got := m.Labelled("ipsec_ignored_messages_total", "reason"); !maps.Equal(got, map[string]float64{"cookie_demanded": 12, "overload": 30}) {
		t.Errorf("by reason: %v", got)
	}
	for _, bad := range []string{"name", "name x", "{", `a{b="c"}`, `a{b="c"} x`, "<html>"} {
		if _, err := parseMetrics(bad); !errors.Is(err, errFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestScrape(t *testing.T) {
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}))
	defer s.Close()
	entered := 0
	x := newScraper(strings.TrimPrefix(s.URL, "http://"), func(call func() error) error { entered++; return call() })
	m, err := x.scrape(t.Context())
	if err != nil || m["up"] != 1 || entered != 1 {
		t.Errorf("%v, %v; entered %d times", m, err, entered)
	}
	status = http.StatusNotFound
	if _, err := x.scrape(t.Context()); err == nil {
		t.Error("a page that is not there was taken")
	}
}
