package main

import (
	"fmt"
	"time"

	"esplanade/ike/eap"
	"esplanade/ike/eap/guess"
	"esplanade/ike/vici"
)

// guessStatus are the wrong passwords of users; nil if there were none.
func guessStatus(r guess.Report, now time.Time) *vici.GuessStatus {
	if r.Wrong+r.Refused == 0 {
		return nil
	}
	g := &vici.GuessStatus{Wrong: r.Wrong, Refused: r.Refused,
		Users: r.Paused[eap.PauseOfUser], Names: r.Paused[eap.PauseOfName], Sources: r.Paused[eap.PauseOfSource]}
	for _, p := range r.Shown {
		x := vici.PauseStatus{User: p.Name, Wrong: p.Wrong, Until: now.Add(p.Left)}
		if p.Source.IsValid() {
			x.Source = p.Source.String()
		}
		g.Pauses = append(g.Pauses, x)
	}
	return g
}

// guessLines are what is said of wrong passwords: the pauses that there are, and all numbers.
func guessLines(g vici.GatewayStatus, now time.Time, all bool) (lines []string) {
	x := g.Guesses
	if x == nil {
		return nil
	}
	for _, p := range x.Pauses {
		whose := "the users"
		if p.User != "" {
			whose = fmt.Sprintf("user %q", p.User)
		}
		from := "everywhere"
		if p.Source != "" {
			from = p.Source
		}
		lines = append(lines, fmt.Sprintf("%d wrong passwords of %s from %s: the next one is compared in %s (E-EAP-PAUSED)", p.Wrong, whose, from, short(p.Until.Sub(now))))
	}
	if n := x.Users + x.Names + x.Sources - len(x.Pauses); n > 0 {
		lines = append(lines, fmt.Sprintf("and %s more after wrong passwords", plural(n, "pause")))
	}
	if all {
		lines = append(lines, fmt.Sprintf("passwords: %d were wrong, %d were not compared during a pause", x.Wrong, x.Refused))
	}
	return lines
}
