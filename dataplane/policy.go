package dataplane

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"esplanade/ike/selector"
)

// rule is one entry of the outbound security policy database: an SA, or a trap. It is immutable.
type rule struct {
	ts   selector.Pair
	sa   *outboundSA // nil for a trap
	trap *trap       // nil for an SA
	// order makes rules of the same kind and prefix stand in one order everywhere.
	policy uint64
	serial uint64 // counts up with each rule; of one policy's SAs the newest comes first
}

// ruleAt is a rule in the list of one of its prefixes.
type ruleAt struct {
	*rule
	bits int // of that prefix: the longer, the more specific
}

// before orders the rules that a packet may meet: SAs before traps, then the more specific remote prefix, then the
// lower policy number, then the newer SA.
func (a ruleAt) before(b ruleAt) int {
	if (a.sa == nil) != (b.sa == nil) {
		if a.sa != nil {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(b.bits, a.bits), cmp.Compare(a.policy, b.policy), cmp.Compare(b.serial, a.serial))
}

// ruleList is what is stored for a prefix: the rules that have this very prefix, in order of before. Those of the prefixes
// around it are not repeated here: a peer that nests prefixes would make each change as expensive as all of them together.
type ruleList struct{ rules []ruleAt }

// with gives the list with one more rule.
func (l *ruleList) with(at ruleAt) *ruleList {
	i, _ := slices.BinarySearchFunc(l.rules, at, ruleAt.before)
	rules := make([]ruleAt, 0, len(l.rules)+1)
	return &ruleList{append(append(append(rules, l.rules[:i]...), at), l.rules[i:]...)}
}

// without gives the list without a rule.
func (l *ruleList) without(r *rule) *ruleList {
	rules := make([]ruleAt, 0, len(l.rules))
	for _, x := range l.rules {
		if x.rule != r {
			rules = append(rules, x)
		}
	}
	return &ruleList{rules}
}

// policyTable finds the rule for an outbound packet. It is immutable: changes make a new one, which shares almost
// everything with the old. The zero value is empty.
type policyTable struct {
	// gen counts the changes; a loop's flow cache is of one gen.
	gen   uint64
	table *bart.Table[*ruleList]
}

// lookup finds the first rule that selects the packet, nil if none does. It looks at each prefix around the destination, from
// the longest to the shortest; what is found is kept in the flow cache.
func (t *policyTable) lookup(k *flowKey) *rule {
	if t.table == nil {
		return nil
	}
	p := k.packet()
	var best ruleAt
	for at := netip.PrefixFrom(p.Dst, p.Dst.BitLen()); ; {
		found, list, ok := t.table.LookupPrefixLPM(at)
		if !ok {
			return best.rule
		}
		for i := range list.rules {
			x := list.rules[i]
			if best.rule != nil && best.before(x) < 0 {
				break // the list is in order: nothing behind it is better
			}
			if x.ts.MatchOut(p) {
				best = x
				break
			}
		}
		if found.Bits() == 0 {
			return best.rule
		}
		at = netip.PrefixFrom(p.Dst, found.Bits()-1)
	}
}

// with gives a table that has the rule too.
func (t *policyTable) with(r *rule) *policyTable {
	tab := t.table
	if tab == nil {
		tab = new(bart.Table[*ruleList])
	}
	for _, p := range remotePrefixes(r.ts) {
		list, ok := tab.Get(p)
		if !ok {
			list = &ruleList{}
		}
		tab = tab.InsertPersist(p, list.with(ruleAt{r, p.Bits()}))
	}
	return &policyTable{gen: t.gen + 1, table: tab}
}

// without gives a table that does not have the rule.
func (t *policyTable) without(r *rule) *policyTable {
	tab := t.table
	if tab == nil {
		return &policyTable{gen: t.gen + 1}
	}
	for _, p := range remotePrefixes(r.ts) {
		list, ok := tab.Get(p)
		if !ok {
			continue
		}
		if list = list.without(r); len(list.rules) > 0 {
			tab = tab.InsertPersist(p, list)
		} else {
			tab = tab.DeletePersist(p)
		}
	}
	return &policyTable{gen: t.gen + 1, table: tab}
}

// remotePrefixes is the minimal cover of the pair's remote selectors, each prefix once.
func remotePrefixes(ts selector.Pair) []netip.Prefix {
	var ps []netip.Prefix
	for i := range ts.Remote {
		ps = append(ps, ts.Remote[i].Prefixes()...)
	}
	slices.SortFunc(ps, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	return slices.Compact(ps)
}
