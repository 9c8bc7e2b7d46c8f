package sim

import (
	"time"

	"esplanade/config"
	"esplanade/ike/gateway"
)

// load has a command change the connections of a host, or take one away, and later another one give them back as they were. Commands whose
// times are mixed undo each other, as those of two operators do.
func (w *World) load() {
	h := w.hosts[w.rng.IntN(len(w.hosts))]
	v := variant{times: time.Duration(w.rng.IntN(20)) * time.Second}
	if !w.plan.gentle {
		switch w.rng.IntN(5) {
		case 0:
			v.without = true
		case 1:
			v.moved = true
		case 2:
			v.other = true
		default:
			v = variant{unloaded: h.plan.ends[w.rng.IntN(len(h.plan.ends))].peer}
		}
	}
	h.change(v)
	w.after(w.between(0, 60*time.Second), func() { h.change(variant{}) })
}

// change changes the connections of a host as commands do.
func (h *Host) change(v variant) {
	w := h.w
	w.logf("%s: load %+v", h.name, v)
	if !w.plan.gentle {
		w.check.destroyed(h, "load")
	}
	w.check.stats.Loads++
	if v.unloaded != "" {
		w.check.stats.Unloads++
	}
	var names []string
	for _, e := range h.plan.ends {
		names = append(names, e.peer)
	}
	h.put(v, func(now time.Time, g *gateway.Manager, c *config.Config) { g.Change(now, c, names) })
}
