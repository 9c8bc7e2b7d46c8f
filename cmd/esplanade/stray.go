package main

import "time"

// lastStray is the last packet that no child selects, as text; empty if there was none.
func (g *gateway) lastStray() (packet string, at time.Time) {
	if p, at, ok := g.engine.LastStray(); ok {
		return p.String(), at
	}
	return "", time.Time{}
}
