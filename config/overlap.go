package config

import (
	"net/netip"

	"esplanade/ike/policy"
	"esplanade/ike/selector"
)

// checkOverlaps looks for packets that two children would both carry.
//
// The engine sends a packet through a CHILD SA of the child, of those that are up, whose configured remote_ts has the longest
// prefix for the destination, and among equals of the one that stands first in the file. What the peers have narrowed theirs
// to decides nothing about that: what the peer of the first child has left out goes to one that is as specific, never to one
// that is less. One child within another is the usual way to give a network to another peer; but an operator has to know
// that while the narrower one is down its packets take the wider one. Two children with the very same selectors are
// never meant: the second would never carry anything but what the peer of the first leaves out.
//
// Selectors with "dynamic" are left out, as are ports and types for which only the peers' addresses decide.
func (c *Config) checkOverlaps(r *reader) {
	var all []*Child
	for _, n := range c.Connections {
		all = append(all, n.Children...)
	}
	for i, b := range all {
		for _, a := range all[:i] {
			c.checkOverlap(r, a, b)
		}
	}
}

func (c *Config) checkOverlap(r *reader, a, b *Child) {
	p, q := a.pair(), b.pair()
	if p.Empty() || q.Empty() || !p.Overlaps(q) {
		return
	}
	at := b.At("remote_ts")
	first, second := a.fullName(), b.fullName()
	where := inLine(a.At("remote_ts"))
	if p.Equal(q) {
		// A peer that calls may be narrowed to its own network; what this side starts can't be.
		if a.StartAction != policy.StartNone && b.StartAction != policy.StartNone || a.Connection == b.Connection {
			want := "give each child networks of its own"
			if a.Connection != b.Connection {
				want += ", or one of them start_action = \"none\" for a stand-by"
			}
			r.lackf(at, want, "%s has the same local_ts and remote_ts as %s%s, so that it would never carry a packet", second, first, where)
			return
		}
		r.warnf(at, "make sure only one is up at a time, or give each networks of its own",
			"%s has the same local_ts and remote_ts as %s%s: when both are up, packets take %s but for those that its peer has left out", second, first, where, first)
		return
	}
	common := commonText(p, q)
	switch l, m := longestPrefix(p, q), longestPrefix(q, p); {
	case l > m:
		r.warnf(at, "check that this is intended", "%s and %s%s both select %s: packets for it take %s, whose remote_ts is more "+
			"specific, and %s while that is down", second, first, where, common, first, second)
	case m > l:
		r.warnf(at, "check that this is intended", "%s and %s%s both select %s: packets for it take %s, whose remote_ts is more "+
			"specific, and %s while that is down", second, first, where, common, second, first)
	default:
		r.warnf(at, "give each child networks of its own", "%s and %s%s both select %s: packets for it take %s, which stands "+
			"first, and %s while that is down or its peer has left them out", second, first, where, common, first, second)
	}
}

// fullName is the name of the table that the child is written in.
func (c *Child) fullName() string { return c.Source.name }

// pair is the selectors that are known from the configuration alone.
func (c *Child) pair() selector.Pair {
	fixed := func(list []selector.Selector) (out []selector.Selector) {
		for _, s := range list {
			if !s.Dynamic() {
				out = append(out, s)
			}
		}
		return out
	}
	return selector.Pair{Local: fixed(c.LocalTS), Remote: fixed(c.RemoteTS)}
}

// longestPrefix is the length of p's most specific remote prefix among those that share an address with q's.
func longestPrefix(p, q selector.Pair) int {
	best := -1
	for _, s := range p.Remote {
		for _, o := range q.Remote {
			i, ok := s.Intersect(o)
			if !ok {
				continue
			}
			for _, x := range s.Prefixes() {
				if overlaps(x, i) {
					best = max(best, x.Bits())
				}
			}
		}
	}
	return best
}

func overlaps(p netip.Prefix, s selector.Selector) bool {
	_, ok := selector.FromPrefix(p).Intersect(selector.Selector{Start: s.Start, End: s.End, EndPort: selector.AnyEndPort})
	return ok
}

// commonText shows one part of what two pairs have in common.
func commonText(p, q selector.Pair) string {
	common := selector.Pair{Local: selector.Narrow(p.Local, q.Local), Remote: selector.Narrow(p.Remote, q.Remote)}
	const most = 2
	more := ""
	if len(common.Local) > most {
		common.Local, more = common.Local[:most], " and more"
	}
	if len(common.Remote) > most {
		common.Remote, more = common.Remote[:most], " and more"
	}
	return common.String() + more
}
