package dataplane

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"esplanade/ike/selector"
)

// rule is one entry of a table: a policy in that of the engine, or an outbound SA in that of its policy. It is immutable.
type rule struct {
	ts     selector.Pair
	policy *policy     // nil for an SA
	sa     *outboundSA // nil for a policy
	// What decides between rules that are equally specific: the order of the configuration, then the older line of SAs,
	// where an SA and those it is rekeyed to are one line, then the newer SA.
	order  int
	line   uint64
	serial uint64
}

// before orders the rules of one prefix that a packet may meet.
func (r *rule) before(o *rule) int {
	return cmp.Or(cmp.Compare(r.order, o.order), cmp.Compare(r.line, o.line), cmp.Compare(o.serial, r.serial))
}

// ruleList is what is stored for a prefix: the rules that have this very prefix, in order of before. Those of the prefixes
// around it are not repeated here: a peer that nests prefixes would make each change as expensive as all of them together.
type ruleList struct{ rules []*rule }

// with gives the list with one more rule.
func (l *ruleList) with(r *rule) *ruleList {
	i, _ := slices.BinarySearchFunc(l.rules, r, (*rule).before)
	rules := make([]*rule, 0, len(l.rules)+1)
	return &ruleList{append(append(append(rules, l.rules[:i]...), r), l.rules[i:]...)}
}

// without gives the list without a rule.
func (l *ruleList) without(r *rule) *ruleList {
	rules := make([]*rule, 0, len(l.rules))
	for _, x := range l.rules {
		if x != r {
			rules = append(rules, x)
		}
	}
	return &ruleList{rules}
}

// ruleTable finds the rules for an outbound packet. It is immutable: changes make a new one, which shares almost
// everything with the old. The zero value is empty.
type ruleTable struct {
	// gen counts the changes; a loop's flow cache is of one gen. It is used in the engine's table only.
	gen   uint64
	table *bart.Table[*ruleList]
}

// around gives the rules of the longest prefix of at most so many bits around an address, in order, and its length;
// -1 when there is none.
func (t *ruleTable) around(a netip.Addr, bits int) ([]*rule, int) {
	if t.table == nil || bits < 0 {
		return nil, -1
	}
	p, list, ok := t.table.LookupPrefixLPM(netip.PrefixFrom(a, bits))
	if !ok {
		return nil, -1
	}
	return list.rules, p.Bits()
}

// empty reports whether the table has no rules.
func (t *ruleTable) empty() bool { return t.table == nil || t.table.Size() == 0 }

// with gives a table that has the rule too.
func (t *ruleTable) with(r *rule) *ruleTable {
	tab := t.table
	if tab == nil {
		tab = new(bart.Table[*ruleList])
	}
	for _, p := range remotePrefixes(r.ts) {
		list, ok := tab.Get(p)
		if !ok {
			list = &ruleList{}
		}
		tab = tab.InsertPersist(p, list.with(r))
	}
	return &ruleTable{gen: t.gen + 1, table: tab}
}

// without gives a table that does not have the rule.
func (t *ruleTable) without(r *rule) *ruleTable {
	tab := t.table
	if tab == nil {
		return &ruleTable{gen: t.gen + 1}
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
	return &ruleTable{gen: t.gen + 1, table: tab}
}

// next gives the same table under the next number, for a change that it does not show itself.
func (t *ruleTable) next() *ruleTable { return &ruleTable{gen: t.gen + 1, table: t.table} }

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
