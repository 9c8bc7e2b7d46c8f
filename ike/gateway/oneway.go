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
	// in, out and asking are what had gone through when something had come in last.
	in, out, asking uint64
	// since is when packets were seen first that have asked and had no answer; zero for none.
	since time.Time
	// remark is set while that lasts.
	remark *diag.Repeat
}

const (
	// oneWayAfter is how long an answer is waited for. TCP has begun a connection four times by then (RFC 6298).
	oneWayAfter = 10 * time.Second
	// maxRemarks bounds what a child shows of its peers.
	maxRemarks = 8
)

// look compares with what has gone through now. It reports when to look again, zero for not before something else suggests it.
func (w *espWatch) look(now time.Time, c Counters) (again time.Time) {
	switch {
	case c.InPackets != w.in && c.InPackets > 0: // it has come in, or the SA through which it comes is another one
		*w = espWatch{in: c.InPackets, out: c.OutPackets, asking: c.Asking}
	case c.InPackets == 0 && (w.in > 0 || c.OutPackets < w.out || c.Asking < w.asking): // replaced, and nothing has come in since
		w.in, w.out, w.asking = 0, 0, 0
	case c.OutPackets < w.out, c.Asking < w.asking: // one of several has been replaced: what the others have asked was counted before
		w.out, w.asking = c.OutPackets, c.Asking
	}
	switch {
	case c.Asking == w.asking:
	case w.since.IsZero():
		w.since = now
		return now.Add(oneWayAfter)
	case now.Sub(w.since) < oneWayAfter:
		return w.since.Add(oneWayAfter)
	case w.remark == nil:
		w.remark = &diag.Repeat{Count: 1, First: w.since, Last: now}
	default:
		w.remark.Last = now
	}
	return time.Time{}
}

// throughPeer sums up what has gone through the CHILD SAs of each child with the peer of an IKE SA, in the order of the configuration.
func (g *Manager) throughPeer(e *entry) (children []*child, sums map[*child]*Counters, udp bool) {
	sums = map[*child]*Counters{}
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
				sums[h] = &Counters{}
				children = append(children, h)
			}
			sums[h].add(n)
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
		if again := w.look(now, *sums[h]); !again.IsZero() {
			e.m.AskAt(again)
		}
		switch {
		case w.remark != nil:
			g.oneWay(now, e, h, w, *sums[h], udp)
		case had:
			g.logger(e).Info("ESP comes in again", "child", h.cfg.Name)
		}
	}
}

// oneWay says once what a watch has found.
func (g *Manager) oneWay(now time.Time, e *entry, h *child, w *espWatch, c Counters, udp bool) {
	said := w.remark.Failure != nil
	if said && c.Asking == w.asking {
		return // the new SA has not been asked anything
	}
	p := e.m.Path()
	f := diag.OneWay(diag.Where{
		Connection: h.conn.conf.Name, Child: h.cfg.Name, Local: p.Local, Remote: p.Remote, PeerID: e.m.RemoteID().String(), ConfigLine: h.cfg.Line, Time: now,
	}, diag.Traffic{Out: c.OutPackets - w.out, Asking: c.Asking - w.asking, In: w.in, UDP: udp})
	w.remark.Failure = f
	if said {
		return
	}
	if r, log := g.provisional.Add(f, now); log {
		g.logger(e).Warn(f.Summary()+r.Suffix(), "failure", f.Brief())
	}
}

// remark adds to what is known of a child what a peer of it is remarked for. What has come in since counts.
func (g *Manager) remark(i *ChildInfo, h *child, e *entry) {
	if e.kin == nil {
		return
	}
	w := e.kin.esp[h]
	if w == nil || w.remark == nil || len(i.Remarks) >= maxRemarks ||
		slices.ContainsFunc(i.Remarks, func(r diag.Repeat) bool { return r.Failure == w.remark.Failure }) {
		return
	}
	if _, sums, _ := g.throughPeer(e); sums[h] != nil && (sums[h].InPackets == w.in || sums[h].InPackets == 0) {
		i.Remarks = append(i.Remarks, *w.remark)
	}
}
