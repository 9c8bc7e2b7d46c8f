package gateway

import (
	"slices"
	"time"
)

// maxLingering is how many closed IKE SAs of one peer stay in the table to repeat their last answer. A peer that rekeys and deletes
// its IKE SA as fast as it is answered would leave some ten thousands behind otherwise. Of one that was dropped earlier a repeated
// request gets no answer: its sender takes the IKE SA for gone, which it is.
const maxLingering = 256

// maxLingeringAll is the same for all peers together. One that may take many identities, with a pattern for them and one key, would
// leave that many times as much behind.
const maxLingeringAll = 4096

// linger keeps a closed IKE SA of an authenticated peer for a while. The one that has been there longest goes when there are too
// many, of that peer or of all. One whose inbound CHILD SAs are still in the data plane stays as long as these.
func (g *Manager) linger(now time.Time, e *entry) {
	if !e.closed || e.lingers || e.peer == (peerKey{}) {
		return
	}
	list := append(g.table.lingering[e.peer], e)
	e.lingers, g.table.lingering[e.peer] = true, list
	g.table.lingeringAll = append(g.table.lingeringAll, e)
	switch {
	case len(list) > maxLingering:
	case len(g.table.lingeringAll) > maxLingeringAll:
		list = g.table.lingeringAll
	default:
		return
	}
	if i := slices.IndexFunc(list, func(x *entry) bool { return len(x.retired.late) == 0 && !x.draining && x != e }); i >= 0 {
		g.drop(now, list[i])
	}
}

// unlinger undoes linger.
func (t *table) unlinger(e *entry) {
	if !e.lingers {
		return
	}
	e.lingers = false
	if i := slices.Index(t.lingeringAll, e); i >= 0 {
		t.lingeringAll = slices.Delete(t.lingeringAll, i, i+1)
	}
	list := t.lingering[e.peer]
	if i := slices.Index(list, e); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 {
		delete(t.lingering, e.peer)
	} else {
		t.lingering[e.peer] = list
	}
}
