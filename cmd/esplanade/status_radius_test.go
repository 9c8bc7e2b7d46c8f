package main

import (
	"strings"
	"testing"
	"time"

	"esplanade/ike/vici"
)

// TestRADIUSLines: a server that does not answer is a line, and all servers are with --verbose.
func TestRADIUSLines(t *testing.T) {
	now := time.Now()
	g := vici.GatewayStatus{RecordsWaiting: 3, RADIUS: []vici.RADIUSStatus{
		{Server: "one", Service: "authentication", Address: "10.0.0.5:1812", Heard: now.Add(-3 * time.Second), Requests: 7, Answers: 7},
		{Server: "one", Service: "accounting", Address: "10.0.0.5:1813", Down: now.Add(-2 * time.Minute), Timeouts: 4},
		{Server: "two", Service: "authentication", Address: "10.0.0.6:1812", Down: now.Add(-time.Minute), Wrong: 9},
		{Server: "three", Service: "authentication", Address: "10.0.0.7:1812"},
	}}
	got := strings.Join(radiusLines(g, now, false), "\n")
	if want := "RADIUS server one (10.0.0.5:1813, accounting) does not answer, for 2m0s\nRADIUS server two (10.0.0.6:1812, authentication) gives no answer that can be believed, for 1m0s\n" +
		"records of accounting that wait for a RADIUS server: 3"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	all := radiusLines(g, now, true)
	if len(all) != 5 || !strings.Contains(all[0], "answered 3s ago; 7 requests, 7 answers, 0 timeouts, 0 wrong answers, 0 under way") || !strings.Contains(all[3], "was not asked yet") {
		t.Errorf("%q", all)
	}
	g.RADIUS, g.RecordsWaiting = g.RADIUS[:1], 1
	if lines := radiusLines(g, now, false); len(lines) != 0 {
		t.Errorf("nothing is wrong, and it says %q", lines)
	}
}
