package vici

import (
	"maps"
	"slices"
)

// fill writes what had to be put back of the host's routing.
func (r *Routing) fill(m *Message) {
	restored := m.Sub("restored")
	for _, what := range slices.Sorted(maps.Keys(r.Restored)) {
		restored.Setf(what, "%d", r.Restored[what])
	}
	setTime(m, "last", r.Last)
	m.SetYes("contested", r.Contested)
	m.SetNonEmpty("missing", cut(r.Missing, maxText))
}

func (p *parser) routing(m *Message) *Routing {
	r := &Routing{Restored: map[string]uint64{}, Last: p.time(m, "last"), Contested: m.Get("contested") == "yes", Missing: m.Get("missing")}
	s := m.Section("restored")
	for e := range s.All() {
		r.Restored[e.Name] = p.uint64(s, e.Name)
	}
	return r
}
