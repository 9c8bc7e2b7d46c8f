package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	ikegw "esplanade/ike/gateway"
	"esplanade/ike/vici"
)

// A tunnel is a child with one peer: what status says of it, and how much it concerns an operator.

// concern is how much an operator has to do with a tunnel; the least comes first.
type concern int

const (
	concernDown       concern = iota // it is wanted up, or was a moment ago, and is not
	concernSilent                    // up, and the peer does not answer
	concernConnecting                // an attempt is under way
	concernTrouble                   // as wanted, with something that has failed
	concernIdle                      // as wanted, and not up
	concernUp
)

// tunnel is a line of the table.
type tunnel struct {
	name, state, peer string
	concern           concern
	wanted            bool // it is as it should be
	since             time.Time
	in, out           uint64
	// next says what happens next, failure why it is as it is, and provisional that the failure has not happened yet.
	next        string
	failure     *failureReport
	provisional bool
	now         time.Time
}

// tunnels are the lines of a report, worst first.
func (r statusReport) tunnels(now time.Time) (list []tunnel) {
	for i := range r.Connections {
		c := &r.Connections[i]
		if len(c.Children) == 0 {
			list = append(list, childless(c, now))
		}
		for j := range c.Children {
			list = append(list, c.tunnelsOf(&c.Children[j], now)...)
		}
	}
	slices.SortStableFunc(list, func(a, b tunnel) int { return cmp.Compare(a.concern, b.concern) })
	return list
}

// childless is the line of a connection without children.
func childless(c *connReport, now time.Time) tunnel {
	t := newTunnel(c.Name, c.stateReport, now)
	t.peer = peerName(c.Remote, c.RemoteID, false)
	for _, p := range c.Peers {
		if p.State == "established" || p.State == "rekeying" {
			t.state, t.concern, t.wanted, t.since, t.peer = "up", concernUp, true, p.UpSince, peerName(p.Remote, p.RemoteID, false)
		}
	}
	return t
}

// tunnelsOf are the lines of a child: one for each peer that it is up with, and one if there is none.
func (c *connReport) tunnelsOf(h *childReport, now time.Time) (list []tunnel) {
	t := newTunnel(c.Name+"/"+h.Name, h.stateReport, now)
	t.in, t.out = h.BytesIn, h.BytesOut
	if p := h.Path; p != nil && p.LoweredBy == vici.ByBlackHole && t.next == "" {
		t.next, t.concern = pathText(p, now), min(t.concern, concernTrouble)
	}
	t.peer = peerName(c.Remote, c.RemoteID, false)
	peers := c.carriers(h.Name)
	if len(peers) == 1 {
		t.peer = peerName(peers[0].Remote, peers[0].who(), c.many || peers[0].isUser())
	}
	if len(peers) < 2 || h.State != "up" {
		return []tunnel{t}
	}
	for _, p := range peers {
		s := h.stateReport
		s.Since, s.Silence = p.UpSince, p.Silence
		x := newTunnel(t.name, s, now)
		x.peer = peerName(p.Remote, p.who(), true)
		x.in, x.out = p.carried(h.Name)
		list = append(list, x)
	}
	return list
}

// carriers are the peers that a child is up with. Of two IKE SAs with the same peer, one of which takes the other's place, it is the newer.
func (c *connReport) carriers(child string) (list []*peerReport) {
	for i := range c.Peers {
		p := &c.Peers[i]
		if !slices.ContainsFunc(p.Children, func(s saReport) bool { return s.Child == child && (s.State == "installed" || s.State == "rekeying") }) {
			continue
		}
		if k := slices.IndexFunc(list, func(o *peerReport) bool {
			return o.who() == p.who() && o.RemoteID == p.RemoteID && o.Remote == p.Remote
		}); k >= 0 {
			list[k] = p
			continue
		}
		list = append(list, p)
	}
	return list
}

// isUser reports whether the peer is a user.
func (p *peerReport) isUser() bool { return p.User != "" && !p.Client }

// who is what a peer is called: the user, or else its identity. The identity of a user's device may be any address of any network.
func (p *peerReport) who() string {
	if p.isUser() {
		return p.User
	}
	return p.RemoteID
}

// peerName is a peer in a line: its address, and its identity where that tells it from others.
func peerName(addr, id string, many bool) string {
	if a, err := netip.ParseAddrPort(addr); !many || id == "" || id == addr || err == nil && id == a.Addr().String() {
		return addr
	}
	return id + " " + addr
}

func newTunnel(name string, s stateReport, now time.Time) tunnel {
	t := tunnel{name: name, state: s.State, since: s.Since, failure: s.Failure, wanted: true, now: now}
	switch {
	case s.State == "up" && s.Silence != nil:
		t.state = "up, no answer for " + short(now.Sub(s.Silence.Since))
		t.concern, t.wanted = concernSilent, false
	case s.State == "up":
		t.concern = concernUp
	case s.State == "connecting":
		t.concern, t.wanted = concernConnecting, s.Desired != "up"
	case s.State == "dead", s.State == "waiting", s.Desired == "up":
		t.concern, t.wanted = concernDown, false
	default:
		t.concern = concernIdle
	}
	switch q := s.Silence; {
	case q != nil && s.State != "dead":
		t.failure, t.provisional = q.Failure, !q.isSaid(s.Failure)
		if !t.provisional {
			t.failure = s.Failure
		}
		t.next = fmt.Sprintf("no answer to %s for %s, sent again %d of %d times", q.Request, short(now.Sub(q.Since)), q.Repeated, q.Tries)
	case s.State == "waiting" && !s.NextTry.IsZero():
		t.next = "next attempt in " + short(s.NextTry.Sub(now))
	case s.State != "up" && s.State != "trapped" && s.WaitsFor != "" && s.WaitsFor != ikegw.IdleForCommand && s.WaitsFor != ikegw.IdleForPeer:
		t.next = "waits for " + s.WaitsFor
	}
	if t.failure == nil && len(s.Remarks) > 0 {
		t.failure = s.Remarks[0]
	}
	if t.failure != nil && t.concern > concernTrouble {
		t.concern = concernTrouble
	}
	return t
}
