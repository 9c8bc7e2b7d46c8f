package gateway

import (
	"slices"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/identity"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// keyOf is what the IKE SAs between two identities are filed under. An identity says who a peer is only together with what has vouched
// for it: another CA may have given the same name to somebody else. A user is its name in EAP, whatever its device calls itself.
func keyOf(m *sa.Machine) peerKey {
	c := m.Config()
	if u := m.PeerUser(); u != nil {
		return peerKey{local: m.LocalID().Key(), remote: identity.FoldUser(u.Name), vouched: userVouched(u)}
	}
	k := peerKey{local: m.LocalID().Key(), remote: m.RemoteID().Key(), vouched: c.Vouched}
	if c.OwnKey {
		k.own = c.Name
	}
	return k
}

// userVouched is what vouches for a user: those of this gateway, those of a CA of others and those of RADIUS may have one name.
func userVouched(u *aaa.User) string {
	switch {
	case u.Foreign != "":
		return "user of CA " + u.Foreign
	case u.Server == "":
		return "user"
	}
	return "user of RADIUS"
}

// sameDevice reports whether two IKE SAs of one user come of one device: it says of itself what it is (IDi). Users may have several.
func sameDevice(a, b *sa.Machine) bool {
	return a.PeerUser() == nil || a.RemoteID().Equal(b.RemoteID())
}

// beside reports whether x, of the same peer, is another IKE SA of the same connection that is in use.
func (e *entry) beside(x *entry) bool { return x != e && x.alive() && x.conn == e.conn }

// samePeer lists the other IKE SAs of the same connection between the same two identities that are in use.
func (g *Manager) samePeer(e *entry) []*entry {
	var out []*entry
	for _, x := range g.table.peers[e.peer].sorted() {
		if e.beside(x) {
			out = append(out, x)
		}
	}
	return out
}

// initialContact drops what else there is with a peer that says it has nothing else. No DELETE is sent: there is
// nobody who would understand it. "The INITIAL_CONTACT notification asserts that this IKE SA is the only IKE SA currently active
// between the authenticated identities": https://www.rfc-editor.org/rfc/rfc7296#section-2.4
//
// With unique = "never" several peers may have one identity, and what one of them has to say about it is nothing to the
// others: neither does one that has it end anything, nor is one ended.
//
// A user has as many devices as unique allows, and each of them says INITIAL_CONTACT when it begins: that is for its own IKE SAs.
func (g *Manager) initialContact(now time.Time, e *entry) {
	if e.conn != nil && e.conn.conf.Unique == policy.UniqueNever {
		return
	}
	others := g.table.peers[e.peer].sorted()
	if e.conn != nil {
		// One that was rekeyed isn't up any more. It waits for the peer's DELETE, which won't come.
		for x := range e.conn.entries { // there may be thousands: they are not put in order
			if x.heir != nil && keyOf(x.m) == e.peer {
				others = append(others, x)
			}
		}
	}
	for _, x := range others {
		if x == e || x.closed || !sameDevice(e.m, x.m) || x.conn != nil && x.conn.conf.Unique == policy.UniqueNever {
			continue
		}
		g.logger(x).Info("dropped: the peer has started again (INITIAL_CONTACT)", "replaced_by", e.m.ID())
		g.abandon(now, x, "the peer has started again")
	}
}

// rivalled reports whether there is another IKE SA with the peer that may be one too many: the other side has initiated at about the
// same time as well, or this side twice.
func (g *Manager) rivalled(e *entry) bool {
	for x := range g.table.peers[e.peer] {
		if e.beside(x) && (e.crosses(x) || e.doubles(x)) {
			return true
		}
	}
	return false
}

// enforceUnique applies the policy for a peer that has an IKE SA already, and clears up when both sides have initiated
// at the same time: without that there would be two of everything.
func (g *Manager) enforceUnique(now time.Time, e *entry) {
	if g.restarted(now, e) {
		e.restart, e.review = true, now.Add(reviewTime)
		return
	}
	if u := e.conn.conf.Unique; u == policy.UniqueNo || u == policy.UniqueNever {
		// There may be thousands with one identity, and each of them comes by here: they are not put in order.
		if g.rivalled(e) {
			e.review = now.Add(reviewTime)
		}
		return
	}
	for _, x := range slices.Backward(g.samePeer(e)) { // the newest first
		if e.handover.from == x || g.reauthenticating(x) {
			continue // it goes when its children are there
		}
		if e.crosses(x) {
			// Neither is the newer one: what "replace" and "keep" would do depends on the order of messages, and the two
			// sides could each drop what the other keeps.
			e.review = now.Add(reviewTime)
			continue
		}
		switch e.conn.conf.Unique {
		case policy.UniqueReplace:
			g.o.Observer.Observe(Displaced{SA: x.m.Summary()})
			if from := e.handover.from; from != nil && from.alive() {
				g.retire(now, x, "replaced by a newer IKE SA")
				continue
			}
			g.takeOver(now, e, x)
		case policy.UniqueKeep:
			if mayReauthenticate(e.m, x) {
				g.takeOver(now, e, x)
				continue
			}
			g.logger(e).Info("closed: the peer has an IKE SA already, and unique is keep", "kept", x.m.ID())
			g.o.Observer.Observe(Displaced{SA: e.m.Summary(), Keep: true})
			g.delete(now, e, "the peer has an IKE SA already")
			return
		case policy.UniqueNo, policy.UniqueNever:
		}
	}
}

// kept finds the IKE SA for whose sake m's peer gets no other one. Two that cross are none: see enforceUnique. To refuse one is
// better than to close it once it is there: a peer may answer that by calling again.
// What a device of a user says of itself, that it has no other, is about its own alone.
func (g *Manager) kept(now time.Time, m *sa.Machine, contact bool) (uint64, bool) {
	c := g.connection(m.Config())
	if c == nil || c.conf.Unique != policy.UniqueKeep || contact && m.PeerUser() == nil {
		return 0, false
	}
	for _, x := range g.table.peers[keyOf(m)].sorted() {
		if contact && sameDevice(m, x.m) {
			continue
		}
		if x.alive() && x.conn == c && (!x.caller || now.Sub(x.first) >= crossingTime) && !mayReauthenticate(m, x) {
			return x.m.ID(), true
		}
	}
	return 0, false
}

// mayReauthenticate reports whether m can be what the peer of an IKE SA takes its place with: whoever has asked for that one comes from
// where it is, and says no more of it than that. Somebody else with its identity comes from another address, or another port of a NAT.
func mayReauthenticate(m *sa.Machine, x *entry) bool {
	return !x.caller && !m.Initiator() && m.Path().Remote == x.m.Path().Remote
}

const (
	// crossingTime is how close together two IKE SAs in opposite directions must be to count as one intention. They are
	// timed when they are established, which losses on the way may put off for as long as requests are repeated.
	crossingTime = time.Minute
	// reviewTime is how long after a crossing it is settled: by then both sides know of both. A strongSwan with unique = replace
	// has its own verdict, and closes the one that it has initiated ten seconds after; to close the other one before that would
	// leave none.
	reviewTime = 12 * time.Second
	// peerReviewTime is the same for the side whose turn it is not.
	peerReviewTime = reviewTime + 10*time.Second
	// longReviewTime is how long after a crossing it is looked at again while each side has something that the other lacks.
	longReviewTime = 2 * time.Minute
)

// crosses reports whether both sides have initiated at about the same time, so that there are two of what one was
// wanted of. One that this side takes the place of the other with is wanted: the side that was called may reauthenticate
// at any time.
func (e *entry) crosses(x *entry) bool {
	return e.caller != x.caller && e.handover.from != x && x.handover.from != e && e.first.Sub(x.first).Abs() < crossingTime
}

// doubles reports whether this side has initiated both, and neither to take the other's place. That comes of reauthenticating while
// the peer does: the old IKE SA and the one that is about to replace it are both replaced.
func (e *entry) doubles(x *entry) bool {
	return e.caller && x.caller && e.handover.from != x && x.handover.from != e
}

// reviewDouble closes one of two IKE SAs that this side has initiated, preferably the older one.
func (g *Manager) reviewDouble(now time.Time, e, x *entry) {
	loser, winner := e, x
	if x.first.Before(e.first) || x.first.Equal(e.first) && x.m.ID() < e.m.ID() {
		loser, winner = x, e
	}
	loser, winner, ok := g.verdict(now, e, loser, winner)
	if ok {
		g.logger(loser).Info("closing redundant IKE SA: this side has initiated another one", "kept", winner.m.ID())
		g.retire(now, loser, "redundant: there is another one")
	}
}

// verdict tells which of two IKE SAs is redundant, the preferred loser or else the other. That takes that the winner carries all that
// the loser does; what it lacks may be under way, so that e is looked at again until there was time enough.
func (g *Manager) verdict(now time.Time, e, loser, winner *entry) (redundant, stays *entry, ok bool) {
	late := now.Sub(later(loser.first, winner.first)) >= longReviewTime
	switch {
	case g.covers(winner, loser):
		return loser, winner, true
	case late && g.covers(loser, winner):
		return winner, loser, true
	case !late:
		e.review = now.Add(reviewTime)
	}
	return nil, nil, false
}

// reviewRedundant closes one of two IKE SAs that both sides have initiated at the same time: the one with the larger
// SPI of the initiator. Both sides come to the same verdict, and the one that initiated the loser closes it; the other
// does when nothing has happened for a while, since the peer may not know this rule. When that one carries a child that the other
// does not, it is the other that is redundant; when each does, none is.
func (g *Manager) reviewRedundant(now time.Time, e *entry) {
	if !e.alive() || e.conn == nil || g.resting(now, e) {
		return
	}
	for _, x := range g.samePeer(e) {
		if !e.crosses(x) && e.unwanted(x) {
			if g.reviewRestarted(now, e, x); !e.alive() {
				return
			}
		} else if e.doubles(x) {
			if g.reviewDouble(now, e, x); !e.alive() {
				return
			}
		}
		if !e.crosses(x) {
			continue
		}
		loser, winner := x, e
		if initiatorSPI(e.m) > initiatorSPI(x.m) {
			loser, winner = e, x
		}
		loser, winner, ok := g.verdict(now, e, loser, winner)
		switch {
		case !ok:
		case loser.caller || now.Sub(later(e.first, x.first)) >= peerReviewTime:
			g.logger(loser).Info("closing redundant IKE SA: both sides have initiated one", "kept", winner.m.ID())
			g.retire(now, loser, "redundant: both sides have initiated")
			if loser == e {
				return
			}
		default:
			e.review = later(e.first, x.first).Add(peerReviewTime)
		}
	}
}

// covers reports whether an IKE SA has a live child with the same selectors for each one of another.
func (g *Manager) covers(winner, loser *entry) bool {
	for _, c := range loser.m.Children() {
		if !inUse(c) {
			continue
		}
		if !g.serves(winner, c) {
			return false
		}
	}
	return true
}

// serves reports whether an IKE SA has a live child for all that a child of another carries.
func (g *Manager) serves(e *entry, c *sa.Child) bool {
	return slices.ContainsFunc(e.m.Children(), func(x *sa.Child) bool {
		return inUse(x) && x.Config == c.Config && g.mayCompare(x.TS, c.TS) && x.TS.Contains(c.TS)
	})
}

// inUse reports whether a CHILD SA carries traffic.
func inUse(c *sa.Child) bool { return c.State == sa.ChildInstalled || c.State == sa.ChildRekeying }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func initiatorSPI(m *sa.Machine) wire.SPI {
	if m.Initiator() {
		return m.LocalSPI()
	}
	return m.PeerSPI()
}
