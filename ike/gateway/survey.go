package gateway

import (
	"maps"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
)

const (
	// surveyTurn is how many IKE SAs, CHILD SAs and children a turn of a [Survey] copies: well below a millisecond of the event loop, and
	// a millisecond or two while the garbage collector has it help.
	surveyTurn = 64
	// surveyCounters is how many counters are read for what one copy costs. Those of a child are read in one turn, as what is gone
	// meanwhile would be counted twice or not at all.
	surveyCounters = 8
	// maxHalfOpenShown is how many half-open responders of a connection are copied one by one; the others are counted.
	maxHalfOpenShown = 8
)

// Survey makes a copy of the daemon's state in turns of the event loop, so that thousands of tunnels do not keep it from its other
// work. What changes between two turns is seen as it is when its turn comes. The methods belong to the event loop's goroutine.
type Survey struct {
	d     *Manager
	loads int // of the configuration: after another one it begins again
	info  Info
	heard map[*sa.Machine]time.Time // when the peers of IKE SAs were heard last

	only  string        // the connection that is asked for; "" for all
	conns []*connection // that are still to be looked at; the first may be half done
	half  *halfSurveyed
}

// halfSurveyed is the connection that a survey is at.
type halfSurveyed struct {
	info     ConnInfo
	failures diag.Lasts
	entries  []*entry // to be copied
	children []*child // to be copied; the first may be half done
	child    *ChildInfo
	live     []uint64 // CHILD SAs of that child to be copied
	hole     int      // the MTU of the path that it has a remark on; 0 for none
	hidden   int      // half-open responders that are counted only
}

// Survey begins a copy of the state.
func (g *Manager) Survey() *Survey { return g.SurveyOf("") }

// SurveyOf begins a copy of the state with one connection only, if a name is given.
func (g *Manager) SurveyOf(name string) *Survey {
	s := &Survey{d: g, only: name}
	s.begin()
	return s
}

func (s *Survey) begin() {
	d := s.d
	s.loads, s.conns, s.half, s.heard = d.loads, slices.Clone(d.conns), nil, map[*sa.Machine]time.Time{}
	if s.only != "" {
		s.conns = nil
		if c := d.dir.byName[s.only]; c != nil {
			s.conns = []*connection{c}
		}
	}
	s.info = Info{Since: d.since, Loaded: d.loaded.at, ReloadFailed: d.loaded.failed, ReloadError: d.loaded.err, File: d.conf.File,
		HalfOpen: len(d.table.byInit), Refused: len(d.table.refused.bySPI), Pools: d.book.Stats()}
	for _, r := range d.failures.All() {
		if r.Failure.Connection == "" {
			s.info.Strangers = append(s.info.Strangers, r)
		}
	}
}

// Continue copies what is next. It reports whether there is more.
func (s *Survey) Continue() (more bool) {
	if s.loads != s.d.loads {
		s.begin()
	}
	for budget := surveyTurn; len(s.conns) > 0; {
		if budget <= 0 {
			return true
		}
		if s.half == nil {
			c := s.conns[0]
			if c.gone {
				// It was unloaded since, or another one has its place.
				if c = s.d.dir.byName[c.conf.Name]; c == nil || slices.Contains(s.conns, c) {
					s.conns = s.conns[1:]
					budget--
					continue
				}
			}
			s.half = s.d.halfSurveyed(c)
		}
		if budget = s.step(budget); s.half.done() {
			s.info.Conns = append(s.info.Conns, s.half.info)
			s.info.IKESAs += s.half.hidden
			s.conns, s.half = s.conns[1:], nil
		}
	}
	return false
}

// Take are the connections that were copied since the last time; they are in Info no more. Where the configuration is loaded again in between, the
// copy begins again, and has those of before once more.
func (s *Survey) Take() []ConnInfo {
	list := s.info.Conns
	s.info.Conns = nil
	return list
}

// Info is what was copied. The IKE SAs are counted all, also where only one connection was asked for.
func (s *Survey) Info() Info {
	out := s.info
	if s.only != "" {
		out.IKESAs = s.d.table.open
	}
	return out
}

func (g *Manager) halfSurveyed(c *connection) *halfSurveyed {
	h := &halfSurveyed{info: ConnInfo{Conf: c.conf, Shut: c.refusesPeers(), Lives: c.lives, Client: c.clientInfo()}, failures: g.failures.Lasts(c.conf.Name), children: slices.Clone(c.children)}
	h.info.Refused = g.failures.Refused(c.conf.Name)
	h.entries = slices.DeleteFunc(c.entries.sorted(), func(e *entry) bool {
		if !e.stranger || e.closed {
			return false
		}
		h.info.HalfOpen++
		return h.info.HalfOpen > maxHalfOpenShown
	})
	h.hidden = max(h.info.HalfOpen-maxHalfOpenShown, 0)
	h.info.Last = h.failures.Of("")
	return h
}

func (h *halfSurveyed) done() bool { return len(h.entries) == 0 && len(h.children) == 0 }

// step copies one part of the connection that it is at, and takes what that has cost from the budget.
func (s *Survey) step(budget int) int {
	h := s.half
	switch {
	case len(h.entries) > 0:
		e := h.entries[0]
		h.entries = h.entries[1:]
		if !e.closed {
			x := e.m.Snapshot()
			h.info.SAs, s.heard[e.m] = append(h.info.SAs, x), x.Heard
			h.info.Lines = append(h.info.Lines, LineInfo{e.first, maps.Clone(e.past)})
			s.info.IKESAs++
		}
		return budget - 1 - len(e.m.Children())
	case len(h.children) == 0:
		return budget - 1 // a connection without children
	case h.child == nil:
		c := h.children[0]
		i := s.d.childInfo(c)
		if c.machine != nil {
			i.Heard = s.heardOn(c.machine)
		}
		i.Last = h.failures.Concerning(c.cfg.Name)
		h.child = &i
		h.live, h.hole = slices.Sorted(maps.Keys(c.live)), 0
		for _, id := range h.live {
			if n, ok := s.d.o.DataPlane.Counters(id); ok {
				h.child.Counters.add(n)
			}
			s.path(id)
		}
		budget -= 1 + len(h.live)/surveyCounters
	}
	c := h.children[0]
	for len(h.live) > 0 && budget > 0 {
		id := h.live[0]
		h.live = h.live[1:]
		budget--
		if x := c.live[id]; x != nil { // else it is gone since the last turn
			if i := s.d.installed[id]; i != nil {
				h.child.Heard = later(h.child.Heard, s.heardOn(i.owner.m))
				s.d.remark(h.child, c, i.owner)
			}
			h.child.SAs = append(h.child.SAs, sa.SnapshotChild(x))
		}
	}
	if len(h.live) == 0 {
		h.info.Children = append(h.info.Children, *h.child)
		h.child, h.children = nil, h.children[1:]
	}
	return budget
}

// path looks at the path of a CHILD SA of the child that it is at, and remarks on the narrowest of those that swallow large packets.
func (s *Survey) path(id uint64) {
	p, ok := s.d.o.DataPlane.PathState(id)
	i := s.d.installed[id]
	if !ok || i == nil {
		return
	}
	h := s.half.child
	h.Path = h.Path.narrower(p)
	if !p.BlackHole || s.half.hole != 0 && s.half.hole <= p.MTU {
		return
	}
	s.half.hole = p.MTU
	h.Remarks = slices.DeleteFunc(h.Remarks, func(r diag.Repeat) bool { return r.Failure.Code == diag.CodeMTU })
	f := diag.BlackHole(s.d.where(p.Since, i.owner, i.child), p.MTU, p.Was)
	h.Remarks = append(h.Remarks, diag.Repeat{Failure: f, Count: 1, First: p.Since, Last: p.Since})
}

// childInfo is what there is to know of a child, but for its CHILD SAs and its failure.
func (g *Manager) childInfo(h *child) ChildInfo {
	i := ChildInfo{
		Conf: h.conf, Desired: desired(h), Phase: string(h.state), Since: h.since, Held: h.held, Shut: h.shut,
		Counters: h.past, before: h.before, WaitsFor: h.waitsFor(),
	}
	if h.state == phaseWaiting {
		i.NextTry = h.backoff.next
	}
	if i.Silence = g.silence(h); h.state == phaseUp && i.Silence != nil && !i.Silence.Dead.IsZero() {
		i.Phase, i.Since, i.WaitsFor = string(phaseDead), i.Silence.Dead, "the peer, which may come back from another address"
	}
	return i
}

// heardOn is when the peer of an IKE SA, which may be another connection's, was heard last.
func (s *Survey) heardOn(m *sa.Machine) time.Time {
	t, ok := s.heard[m]
	if !ok {
		t = m.Heard()
		s.heard[m] = t
	}
	return t
}
