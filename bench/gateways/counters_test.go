package gateways

import (
	"errors"
	"reflect"
	"testing"
)

const counters = `# HELP ipsec_drops_total Packets that were dropped.
# TYPE ipsec_drops_total counter
ipsec_drops_total{direction="in",reason="replay"} 3
ipsec_drops_total{direction="in",reason="icv"} 0
ipsec_drops_total{direction="out",reason="send_buffer"} 1.2e+06
ipsec_child_packets_total{child="net",connection="a b, c",direction="in"} 10
ipsec_child_packets_total{child="two",connection="x",direction="in"} 5
ipsec_child_packets_total{child="two",connection="x",direction="out"} 7
ipsec_rekeys_total{sa="child"} 4
ipsec_rekeys_total{sa="ike"} 2

go_memstats_heap_alloc_bytes 2.5e+06
`

func TestCounters(t *testing.T) {
	m, err := parseMetrics(counters)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]uint64{"in replay": 3, "out send_buffer": 1200000}
	if got := m.Drops(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if m.Packets("in") != 15 || m.Packets("out") != 7 || m.Rekeys("child") != 4 || m.Rekeys("ike") != 2 {
		t.Errorf("%v", m)
	}
	if m["go_memstats_heap_alloc_bytes"] != 2.5e6 {
		t.Errorf("%v", m)
	}
	for _, bad := range []string{"lonely\n", "name x\n", " 1\n"} {
		if _, err := parseMetrics(bad); !errors.Is(err, errFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestSub(t *testing.T) {
	got := Sub(map[string]uint64{"in replay": 5, "in icv": 2, "in short": 1}, map[string]uint64{"in replay": 3, "in icv": 2})
	if !reflect.DeepEqual(got, map[string]uint64{"in replay": 2, "in short": 1}) {
		t.Errorf("%v", got)
	}
}

func TestCounts(t *testing.T) {
	if got := Counts(map[string]float64{"overload": 3, "cookie_demanded": 12}); got != "cookie_demanded 12, overload 3" {
		t.Error(got)
	}
}
