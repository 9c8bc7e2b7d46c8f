package gateway

import (
	"cmp"
	"slices"
	"time"

	"esplanade/ike/diag"
)

// What goes out and comes in through the CHILD SAs with a peer is looked at after a liveness check, of either side. That is asked when
// nothing comes in: "If there has only been outgoing traffic on all of the SAs associated with an IKE SA, it is essential to confirm
// liveness of the other endpoint to avoid black holes." https://www.rfc-editor.org/rfc/rfc7296#section-2.4
// It says that the peer is there; whether its ESP is, it does not say. Traffic that goes one way by nature is no reason to doubt
// that, so only packets that ask for an answer count. And the hosts behind the peer may be what does not answer: nothing is concluded but
// that it is so.

// espWatch is what was seen of a child's CHILD SAs with one peer.
type espWatch struct {
	// in, out and asking are what had gone through when the wait for an answer began; newest is the newest CHILD SA.
	in, out, asking, newest uint64
	// came: ESP has come in, through these or those that they have replaced.
	came bool
	// seen is what had asked at the latest look, and asked when one has seen that it was more; zero for not yet.
	seen  uint64
	asked time.Time
	// since is when a look saw first that something has asked and had no answer. looks are those, far enough from each other, that
	// saw that more has asked; counted is the latest of them.
	since, counted time.Time
	looks          int
	// remark is set while that lasts.
	remark *diag.Repeat
}

const (
	// oneWayAfter is how long an answer is waited for, and how far from each other the looks are that count.
	oneWayAfter = 10 * time.Second
	// oneWayLooks and oneWayAsking are in how many looks more has asked, and how many packets have, before nothing that comes in is
	// worth a remark. A TCP connection to a host that is off begins seven times in two minutes (RFC 6298, as Linux does it).
	oneWayLooks, oneWayAsking = 2, 8
	// provenLooks and provenAsking are the same where ESP has come in before: then it is the hosts behind the peer that are off, mostly.
	provenLooks, provenAsking = 4, 30
	// oneWayMemory is how long after the last packet that asks its answer is missed.
	oneWayMemory = 3 * time.Minute
	// maxRemarks bounds what a child shows of its peers.
	maxRemarks = 8
)

// look compares with what has gone through now; newest is the newest of the CHILD SAs. It reports when to look again, zero for not before
// something else suggests it, and what has ended the wait for an answer, if that is over.
func (w *espWatch) look(now time.Time, c Counters, newest uint64) (again time.Time, ended string) {
	switch {
	case c.InPackets > w.in:
		ended = "ESP comes in again"
	case w.replaced(c, newest):
		ended = "the CHILD SA without ESP was replaced"
	case c.Asking == w.seen && !w.asked.IsZero() && now.Sub(w.asked) >= oneWayMemory:
		ended = "nothing has asked for an answer any more"
	}
	if ended != "" {
		*w = espWatch{in: c.InPackets, out: c.OutPackets, asking: c.Asking, seen: c.Asking, came: w.came || c.InPackets > 0, newest: newest}
		return time.Time{}, ended
	}
	w.newest = newest
	if c.Asking == w.seen {
		return time.Time{}, ""
	}
	w.seen, w.asked = c.Asking, now
	if w.remark != nil {
		w.remark.Last = now
		return time.Time{}, ""
	}
	if w.looks == 0 || now.Sub(w.counted) >= oneWayAfter {
		w.looks, w.counted = w.looks+1, now
	}
	if w.looks == 1 {
		w.since = w.counted
		return w.since.Add(oneWayAfter), ""
	}
	looks, asking := oneWayLooks, uint64(oneWayAsking)
	if w.came {
		looks, asking = provenLooks, provenAsking
	}
	if w.looks >= looks && w.seen-w.asking >= asking {
		w.remark = &diag.Repeat{Count: 1, First: w.since, Last: now}
	}
	return time.Time{}, ""
}

// replaced reports whether the CHILD SAs are not those of the last look.
func (w *espWatch) replaced(c Counters, newest uint64) bool {
	return w.newest != 0 && newest != w.newest || c.InPackets < w.in || c.OutPackets < w.out || c.Asking < w.seen
}

// throughChild is what has gone through the CHILD SAs of a child with one peer, and the number of the newest of them.
type throughChild struct {
	Counters
	newest uint64
}

// throughPeer sums up what has gone through the CHILD SAs of each child with the peer of an IKE SA, in the order of the configuration.
func (g *Manager) throughPeer(e *entry) (children []*child, sums map[*child]*throughChild, udp bool) {
	sums = map[*child]*throughChild{}
	for x := range g.table.peers[e.peer] {
		if x.kin != e.kin {
			continue
		}
		for _, c := range x.m.Children() {
			n, ok := g.o.DataPlane.Counters(c.ID)
			h := x.child(c.Config)
			if !ok || h == nil || h.live[c.ID] == nil {
				continue
			}
			if sums[h] == nil {
				sums[h] = &throughChild{}
				children = append(children, h)
			}
			sums[h].add(n)
			sums[h].newest = max(sums[h].newest, c.ID)
			udp = udp || c.Path.UDP
		}
	}
	slices.SortFunc(children, func(a, b *child) int { return cmp.Compare(a.order, b.order) })
	return children, sums, udp
}

// watchESP looks at the children that an IKE SA, whose peer has just shown that it is there, has with it.
func (g *Manager) watchESP(now time.Time, e *entry) {
	if e.kin == nil || !e.up {
		return
	}
	children, sums, udp := g.throughPeer(e)
	for h := range e.kin.esp {
		if sums[h] == nil {
			delete(e.kin.esp, h)
		}
	}
	for _, h := range children {
		w := e.kin.esp[h]
		if w == nil {
			if e.kin.esp == nil {
				e.kin.esp = map[*child]*espWatch{}
			}
			w = &espWatch{}
			e.kin.esp[h] = w
		}
		had := w.remark != nil
		w.came = w.came || e.past[h.cfg.Name].InPackets > 0
		again, ended := w.look(now, sums[h].Counters, sums[h].newest)
		if !again.IsZero() {
			e.m.AskAt(again)
		}
		switch {
		case w.remark != nil && w.asked.Equal(now):
			g.oneWay(now, e, h, w, sums[h].Counters, udp)
		case had && ended != "":
			g.logger(e).Info(ended, "child", h.cfg.Name)
		}
	}
}

// oneWay says once what a watch has found, and keeps what has asked since.
func (g *Manager) oneWay(now time.Time, e *entry, h *child, w *espWatch, c Counters, udp bool) {
	said := w.remark.Failure != nil
	p := e.m.Path()
	f := diag.OneWay(diag.Where{
		Connection: h.conn.conf.Name, Child: h.cfg.Name, Lone: h.conn.cfg.Lone, Local: p.Local, Remote: p.Remote, PeerID: e.m.RemoteID().String(), ConfigLine: h.cfg.Line, Time: now,
	}, diag.Traffic{Out: c.OutPackets - w.out, Asking: c.Asking - w.asking, Came: w.came, UDP: udp})
	w.remark.Failure = f
	if said {
		return
	}
	if r, log := g.provisional.Add(f, now); log {
		g.logger(e).Warn(f.Summary()+r.Suffix(), "failure", f.Brief())
	}
}

// remark adds to what is known of a child what a peer of it is remarked for. What has come in, or was replaced, since the last look counts.
func (g *Manager) remark(i *ChildInfo, h *child, e *entry) {
	if e.kin == nil {
		return
	}
	w := e.kin.esp[h]
	if w == nil || w.remark == nil || len(i.Remarks) >= maxRemarks ||
		slices.ContainsFunc(i.Remarks, func(r diag.Repeat) bool { return r.Failure == w.remark.Failure }) {
		return
	}
	if _, sums, _ := g.throughPeer(e); sums[h] != nil && sums[h].InPackets == w.in && !w.replaced(sums[h].Counters, sums[h].newest) {
		i.Remarks = append(i.Remarks, *w.remark)
	}
}
