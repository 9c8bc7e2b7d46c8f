package dataplane

import (
	"sync/atomic"

	"esplanade/ike/selector"
)

// The security policy database has two levels. The engine's table has the policies, which are what is configured, ordered by
// what is configured; the table of each policy has its SAs, ordered by what was negotiated. A peer that narrows its
// selectors therefore never comes before another policy: https://www.rfc-editor.org/rfc/rfc4301#section-4.4.1 wants the
// database to be ordered by whoever administers it.

// policy is an entry of the database. All but the atomic is immutable.
type policy struct {
	id  uint64
	spd selector.Policy
	// ignore: packets without an SA are none of its business.
	ignore bool
	// alone: it stands for one SA that may carry what the policy of that SA does not have.
	alone bool
	trap  *trap
	// sas are its outbound SAs. It is down while it has none: nil.
	sas atomic.Pointer[ruleTable]
}

func (p *policy) up() bool { return p.sas.Load() != nil }

// find gives the SA of the policy that carries the packet, nil if there is none. Each prefix around the destination is
// looked at, from the longest to the shortest.
func (p *policy) find(packet *selector.Packet) *rule {
	t := p.sas.Load()
	if t == nil {
		return nil
	}
	for rules, bits := t.around(packet.Dst, packet.Dst.BitLen()); bits >= 0; rules, bits = t.around(packet.Dst, bits-1) {
		for _, r := range rules {
			if r.ts.MatchOut(*packet) {
				return r
			}
		}
	}
	return nil
}

// lookup finds the rule for a packet: that of an SA, that of a policy for which it waits or that refuses it, or nil. What is
// found is kept in the flow cache.
//
// The first policy that is up decides, in the order of the configuration; a policy that is down leaves its packets to the
// others, and only when none takes them they wait for the first that can be brought up. What the peer of a policy has
// narrowed away goes to no policy that is less specific: that is another peer's, and would be a way to get at packets that
// the configuration gives to this one.
//
// What a dynamic selector stands for follows from where the peer is, which is no configured network: a peer that calls from
// another's network takes nothing of it. Only a policy of every address comes behind it.
func (t *ruleTable) lookup(k *flowKey) *rule {
	packet := k.packet()
	var waits, refuses, host *rule
	hostOf := uint64(0)
	narrowed := false
	for rules, bits := t.around(packet.Dst, packet.Dst.BitLen()); bits >= 0 && !narrowed; rules, bits = t.around(packet.Dst, bits-1) {
		if bits == 0 && host != nil {
			break
		}
		for _, r := range rules {
			p := r.policy
			if !r.ts.MatchOut(packet) {
				continue
			}
			if p.alone {
				if host == nil {
					host, hostOf = p.find(&packet), p.id
				}
				continue
			}
			if host != nil && p.id == hostOf {
				return host
			}
			if p.up() {
				if sa := p.find(&packet); sa != nil {
					return sa
				}
				narrowed = true // the others that are as specific are still asked
			}
			switch {
			case p.ignore:
			case p.spd.Without == selector.Wait:
				if waits == nil {
					waits = r
				}
			case refuses == nil:
				refuses = r
			}
		}
	}
	switch {
	case waits != nil:
		return waits
	case refuses != nil:
		return refuses
	}
	return host
}
