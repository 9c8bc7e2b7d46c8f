package main

import (
	"fmt"
	"slices"
	"time"

	"esplanade/ike"
	"esplanade/ike/radius"
	"esplanade/ike/vici"
)

// radiusStatus is how the RADIUS servers do, and how many records of accounting none of them has taken.
func radiusStatus(d *ike.Daemon) (list []vici.RADIUSStatus, waiting int) {
	r := d.RADIUS()
	for _, s := range r.Services {
		wrong := uint64(0)
		for drop, n := range s.Dropped {
			if radius.Drop(drop) != radius.DropLate {
				wrong += n
			}
		}
		list = append(list, vici.RADIUSStatus{
			Server: s.Server, Service: s.Service.String(), Address: s.Addr.String(), Down: s.Down, Heard: s.Heard, Outstanding: s.Outstanding,
			Requests: s.Requests, Answers: s.Answers(), Timeouts: s.Timeouts, Wrong: wrong,
		})
	}
	return list, r.Ledger.Waiting
}

// radiusLines are what is said of the servers: of all of them, or of those that do not answer.
func radiusLines(g vici.GatewayStatus, now time.Time, all bool) (lines []string) {
	for _, s := range g.RADIUS {
		line := fmt.Sprintf("RADIUS server %s (%s, %s)", s.Server, s.Address, s.Service)
		switch {
		case !s.Down.IsZero() && s.Wrong > 0:
			line += fmt.Sprintf(" gives no answer that can be believed, for %s", short(now.Sub(s.Down)))
		case !s.Down.IsZero():
			line += fmt.Sprintf(" does not answer, for %s", short(now.Sub(s.Down)))
		case !all:
			continue
		case s.Heard.IsZero():
			line += " was not asked yet"
		default:
			line += fmt.Sprintf(" answered %s ago", short(now.Sub(s.Heard)))
		}
		if all {
			line += fmt.Sprintf("; %d requests, %d answers, %d timeouts, %d wrong answers, %d under way", s.Requests, s.Answers, s.Timeouts, s.Wrong, s.Outstanding)
		}
		lines = append(lines, line)
	}
	down := slices.ContainsFunc(g.RADIUS, func(s vici.RADIUSStatus) bool { return !s.Down.IsZero() })
	if n := g.RecordsWaiting; n > 0 && (all || down) {
		lines = append(lines, fmt.Sprintf("records of accounting that wait for a RADIUS server: %d", n))
	}
	return lines
}
