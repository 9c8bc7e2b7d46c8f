package gateway

import (
	"time"

	"esplanade/ike/policy"
)

// kin is what the IKE SAs of one connection between the same two identities share. It ends with the last of them.
//
// A peer may start an IKE SA for each one that this side closes: strongSwan's close_action = start, pfSense's "restart on
// close". Such a newcomer is not what unique = "replace" means, and closing the one before it has the peer start the next,
// for ever. This side notices the first one, lets both be until all that the peer has in hand is done, and from then on
// closes an IKE SA of that peer in two steps: first its CHILD SAs, then the IKE SA, which carries nothing any more that the
// peer would want back.
type kin struct {
	// closed is when this side last closed one, and closings how many of them the peer may yet answer.
	closed   time.Time
	closings int
	// restarts counts the IKE SAs that the peer has started for one that was closed, restarted is when it last did.
	restarts  int
	restarted time.Time
	// esp is what is watched of the children that they have.
	esp map[*child]*espWatch
}

const (
	// restartTime is how long after this side has closed an IKE SA one that the peer initiates counts as its answer to that.
	// A peer starts it at once; its requests may be lost, and the fourth try of strongSwan is sent after 23 seconds
	// (4 + 7.2 + 13 s). An IKE SA that was meant otherwise is only reviewed later.
	restartTime = 25 * time.Second
	// maxRestarts is how many restarts this side answers by closing the IKE SA that is one too many. The second one tells
	// that closing in two steps does not help either: then two IKE SAs stay side by side.
	maxRestarts = 2
	// restartMemory is how long after the last restart a peer is taken for one that does so. Two gateways that both authenticate
	// again by command look like it, and are not to keep two IKE SAs for good; a peer that is one restarts one more each time.
	restartMemory = 30 * time.Minute
	// hollowTime is how long an IKE SA stays without its CHILD SAs before it is closed: long enough for a peer that asks for
	// them again and is refused.
	hollowTime = 2 * time.Second
)

// joinKin finds what e shares with the other IKE SAs of its peer.
func (g *Manager) joinKin(e *entry) {
	for x := range g.table.peers[e.peer] {
		if x != e && x.conn == e.conn && x.kin != nil {
			e.kin = x.kin
			return
		}
	}
	e.kin = &kin{}
}

// noteClosing remembers that this side sends the DELETE of an IKE SA.
func (k *kin) noteClosing(now time.Time) {
	if now.Sub(k.closed) >= restartTime {
		k.closings = 0
	}
	k.closed = now
	k.closings++
}

// restarted reports whether the peer has started e because this side has just closed another IKE SA, and notes it.
func (g *Manager) restarted(now time.Time, e *entry) bool {
	k := e.kin
	if e.caller || k.closings == 0 || now.Sub(k.closed) >= restartTime || len(g.samePeer(e)) == 0 {
		return false
	}
	k.closings--
	k.restarts++
	k.restarted = now
	g.logger(e).Info("the peer has started an IKE SA because one was closed: the other one is not closed for it now", "restarts", k.restarts)
	return true
}

// resting reports whether the IKE SAs with the peer of e stay as they are: it starts another whatever this side does to close
// one. When that is long ago, it is tried again.
func (g *Manager) resting(now time.Time, e *entry) bool {
	k := e.kin
	if k == nil || k.restarts < maxRestarts {
		return false
	}
	again := k.restarted.Add(restartMemory)
	if !now.Before(again) {
		k.restarts = 0
		return false
	}
	e.review = again
	return true
}

// yields reports whether e need not be reauthenticated, since its peer starts another one when it is closed. It is closed if
// there is one that has all that it carries, or else put off until the peer has started what it is about to.
func (g *Manager) yields(now time.Time, e *entry) bool {
	if e.kin.restarts == 0 {
		return false
	}
	for _, x := range g.samePeer(e) {
		if g.covers(x, e) {
			g.retire(now, e, "reauthentication")
			return true
		}
	}
	for x := range g.table.peers[e.peer] {
		if x.leaving && x.conn == e.conn {
			g.reauthFailed(now, e)
			return true
		}
	}
	return false
}

// reviewRestarted closes one of two IKE SAs of which the peer has started one for one that was closed: the older one.
func (g *Manager) reviewRestarted(now time.Time, e, x *entry) {
	loser, winner := e, x
	if x.first.Before(e.first) || x.first.Equal(e.first) && x.m.ID() < e.m.ID() {
		loser, winner = x, e
	}
	if loser, winner, ok := g.verdict(now, e, loser, winner); ok {
		g.logger(loser).Info("closing redundant IKE SA: the peer has started another one", "kept", winner.m.ID())
		g.retire(now, loser, "redundant: there is another one")
	}
}

// unwanted reports whether two IKE SAs of one peer of which the peer has restarted one are one too many. Where the
// connection may have several, only what the peer has started for one that was closed is.
func (e *entry) unwanted(x *entry) bool {
	if e.handover.from == x || x.handover.from == e {
		return false
	}
	return e.restart || x.restart || e.conn.conf.Unique == policy.UniqueReplace && e.kin.restarts > 0
}

// hollow takes the CHILD SAs of an IKE SA away that is about to be closed, and reports whether there were any.
func (g *Manager) hollow(now time.Time, e *entry) bool {
	found := false
	for _, c := range e.m.Children() {
		if inUse(c) {
			e.m.DeleteChild(now, c.ID, e.retired.reason)
			found = true
		}
	}
	return found
}
