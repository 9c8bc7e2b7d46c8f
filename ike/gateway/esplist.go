package gateway

import (
	"bytes"
	"maps"
	"slices"

	"esplanade/esp"
	"esplanade/ike/sa"
)

// ESPInfo is a copy of a CHILD SA as it is installed: what a kernel would list as its state.
type ESPInfo struct {
	Connection string
	Child      sa.ChildSnapshot
	Path       esp.Path
	// In and Out are the two directions. Their keys are there only if they were asked for, and then they are copies.
	In  esp.InboundConfig
	Out esp.OutboundConfig
	// HasIn and HasOut: the direction is installed.
	HasIn, HasOut bool
}

// ESPList copies the CHILD SAs that are installed, in turns of the event loop, as [Survey] does: those that come meanwhile are not in it.
// The methods belong to the event loop's goroutine.
type ESPList struct {
	g    *Manager
	keys bool
	ids  []uint64
	list []ESPInfo
}

// ESPList begins a copy. keys are copied as well only if that is wanted: whoever has them can read all traffic.
func (g *Manager) ESPList(keys bool) *ESPList {
	return &ESPList{g: g, keys: keys, ids: slices.Sorted(maps.Keys(g.installed))}
}

// Continue copies what is next. It reports whether there is more.
func (l *ESPList) Continue() (more bool) {
	n := min(surveyTurn, len(l.ids))
	for _, id := range l.ids[:n] {
		if i := l.g.installed[id]; i != nil {
			l.list = append(l.list, l.copy(i))
		}
	}
	l.ids = l.ids[n:]
	return len(l.ids) > 0
}

// List is what was copied.
func (l *ESPList) List() []ESPInfo { return l.list }

func (l *ESPList) copy(i *installed) ESPInfo {
	c := i.child
	x := ESPInfo{Child: sa.SnapshotChild(c), Path: c.Path, In: c.Inbound, Out: c.Outbound}
	if i.owner.conn != nil {
		x.Connection = i.owner.conn.conf.Name
	}
	x.HasIn, x.HasOut = c.Installed()
	if !l.keys {
		x.In.EncrKey, x.In.IntegKey, x.Out.EncrKey, x.Out.IntegKey = nil, nil, nil, nil
		return x
	}
	for _, k := range []*[]byte{&x.In.EncrKey, &x.In.IntegKey, &x.Out.EncrKey, &x.Out.IntegKey} {
		*k = bytes.Clone(*k)
	}
	return x
}
