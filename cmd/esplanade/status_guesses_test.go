package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"esplanade/ike/eap"
	"esplanade/ike/eap/guess"
	"esplanade/ike/vici"
)

// TestGuessLines: a pause after wrong passwords is a line that says whose, and from where; the numbers are there with --verbose.
func TestGuessLines(t *testing.T) {
	now := time.Now()
	if g := guessStatus(guess.Report{Stats: guess.Stats{Right: 9}}, now); g != nil {
		t.Errorf("nothing was wrong, and there is %+v", g)
	}
	r := guess.Report{Stats: guess.Stats{Right: 1, Wrong: 85, Refused: 7}, Paused: [eap.Pauses]int{2, 1, 1}, Shown: []guess.Paused{
		{Pause: eap.Pause{Of: eap.PauseOfUser, Wrong: 7, Left: 8 * time.Second}, Name: "alice", Source: netip.MustParseAddr("192.0.2.1")},
		{Pause: eap.Pause{Of: eap.PauseOfName, Wrong: 20, Left: 2 * time.Second}, Name: "bob"},
		{Pause: eap.Pause{Of: eap.PauseOfSource, Wrong: 60, Left: time.Minute}, Source: netip.MustParseAddr("198.51.100.7")},
	}}
	g := vici.GatewayStatus{Guesses: guessStatus(r, now)}
	want := `7 wrong passwords of user "alice" from 192.0.2.1: the next one is compared in 8s (E-EAP-PAUSED)
20 wrong passwords of user "bob" from everywhere: the next one is compared in 2s (E-EAP-PAUSED)
60 wrong passwords of the users from 198.51.100.7: the next one is compared in 1m0s (E-EAP-PAUSED)
and 1 pause more after wrong passwords`
	if got := strings.Join(guessLines(g, now, false), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want += "\npasswords: 85 were wrong, 7 were not compared during a pause"
	if got := strings.Join(guessLines(g, now, true), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if lines := guessLines(vici.GatewayStatus{}, now, true); len(lines) != 0 {
		t.Errorf("%q", lines)
	}
}
