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

// ruleAt is a rule in the list of one prefix.
type ruleAt struct {
	*rule
	bits int // of the rule's own prefix that covers this one: the longer, the more specific
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

// ruleList is what is stored for a prefix: its own rules and, so that a lookup needs to find the longest prefix only,
// those of all prefixes that cover it.
type ruleList struct {
	rules []ruleAt // in order of before
	own   int      // how many rules have this very prefix
}

// with gives the list of prefix q with a rule of prefix p.
func (l *ruleList) with(r *rule, p, q netip.Prefix) *ruleList {
	n := &ruleList{rules: make([]ruleAt, 0, len(l.rules)+1), own: l.own}
	at := ruleAt{r, p.Bits()}
	i, _ := slices.BinarySearchFunc(l.rules, at, ruleAt.before)
	n.rules = append(append(append(n.rules, l.rules[:i]...), at), l.rules[i:]...)
	if q == p {
		n.own++
	}
	return n
}

// policyTable finds the rule for an outbound packet. It is immutable: changes make a new one, which shares almost
// everything with the old. The zero value is empty.
type policyTable struct {
	// gen counts the changes; a loop's flow cache is of one gen.
	gen   uint64
	table *bart.Table[*ruleList]
}

// lookup finds the first rule that selects the packet, nil if none does.
func (t *policyTable) lookup(k *flowKey) *rule {
	if t.table == nil {
		return nil
	}
	list, ok := t.table.Lookup(k.dst())
	if !ok {
		return nil
	}
	p := k.packet()
	for i := range list.rules {
		if r := list.rules[i].rule; r.ts.MatchOut(p) {
			return r
		}
	}
	return nil
}

// with gives a table that has the rule too.
func (t *policyTable) with(r *rule) *policyTable {
	tab := t.table
	if tab == nil {
		tab = new(bart.Table[*ruleList])
	}
	for _, p := range remotePrefixes(r.ts) {
		tab = addRule(tab, p, r)
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
		tab = removeRule(tab, p, r)
	}
	return &policyTable{gen: t.gen + 1, table: tab}
}

// addRule gives tab with rule r at prefix p and all prefixes inside of p.
func addRule(tab *bart.Table[*ruleList], p netip.Prefix, r *rule) *bart.Table[*ruleList] {
	type change struct {
		p netip.Prefix
		l *ruleList
	}
	var changes []change
	if _, ok := tab.Get(p); !ok {
		// A new prefix begins with the rules of the longest one that covers it.
		var covering []ruleAt
		if outer, ok := tab.LookupPrefix(p); ok {
			covering = outer.rules
		}
		changes = append(changes, change{p, (&ruleList{rules: covering}).with(r, p, p)})
	}
	for q, l := range tab.Subnets(p) {
		changes = append(changes, change{q, l.with(r, p, q)})
	}
	for _, c := range changes {
		tab = tab.InsertPersist(c.p, c.l)
	}
	return tab
}

// removeRule undoes addRule.
func removeRule(tab *bart.Table[*ruleList], p netip.Prefix, r *rule) *bart.Table[*ruleList] {
	type change struct {
		p netip.Prefix
		l *ruleList
	}
	var changes []change
	for q, l := range tab.Subnets(p) {
		n := &ruleList{own: l.own}
		n.rules = make([]ruleAt, 0, len(l.rules))
		for _, x := range l.rules {
			if x.rule != r || x.bits != p.Bits() {
				n.rules = append(n.rules, x)
			}
		}
		if q == p {
			n.own--
		}
		changes = append(changes, change{q, n})
	}
	for _, c := range changes {
		if c.l.own <= 0 {
			tab = tab.DeletePersist(c.p)
			continue
		}
		tab = tab.InsertPersist(c.p, c.l)
	}
	return tab
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
