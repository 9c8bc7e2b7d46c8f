package gateways

import (
	"slices"
	"testing"

	"esplanade/integration/lab"
)

func TestAccount(t *testing.T) {
	metrics := func(in, out, replay, sendBuffer, device, tooBig float64) Metrics {
		return Metrics{
			`ipsec_child_packets_total{child="net",connection="c",direction="in"}`:  in,
			`ipsec_child_packets_total{child="net",connection="c",direction="out"}`: out,
			`ipsec_drops_total{direction="in",reason="replay"}`:                     replay,
			`ipsec_drops_total{direction="out",reason="send_buffer"}`:               sendBuffer,
			`ipsec_drops_total{direction="in",reason="device"}`:                     device,
			`ipsec_drops_total{direction="out",reason="too_big"}`:                   tooBig,
		}
	}
	before := NewAccount(metrics(10, 20, 0, 0, 0, 0), metrics(20, 10, 0, 0, 0, 1), lab.Overflow{UDP: 1})
	if before.Missing() != 0 || before.Congestion() != 1 || !slices.Equal(before.OtherReasons(), []string{"out too_big"}) {
		t.Errorf("%+v", before)
	}
	// Of 100 sealed, 88 were opened, two of which the device refused; 3 met a full socket, 4 were replays; so 5 are missing.
	a := NewAccount(metrics(50, 80, 3, 3, 2, 0), metrics(68, 50, 1, 0, 0, 1), lab.Overflow{UDP: 5, TUN: 1}).Since(before)
	if a.Sealed != 100 || a.Opened != 88 || a.Missing() != 5 || a.Congestion() != 3+2+4+1 || !slices.Equal(a.OtherReasons(), []string{"in replay"}) {
		t.Errorf("%+v: missing %d, congestion %d, others %v", a, a.Missing(), a.Congestion(), a.OtherReasons())
	}
}
