package gateway

import (
	"crypto/sha256"
	"slices"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// numbers are what an operator calls things by. As with strongSwan, whose scripts say `--ike-id 1` and `--child-id 1`, IKE SAs and CHILD
// SAs are numbered apart and from 1. Policies are numbered apart from both, and share no number with a CHILD SA: package
// dataplane and [Host] keep either by its number.
type numbers struct{ ike, child, policy uint64 }

// firstPolicy is the number of the first policy. No CHILD SA gets as far.
const firstPolicy = 1 << 62

func (n *numbers) nextIKE() uint64    { n.ike++; return n.ike }
func (n *numbers) nextChild() uint64  { n.child++; return n.child }
func (n *numbers) nextPolicy() uint64 { n.policy++; return firstPolicy - 1 + n.policy }

// reqids number the sets of traffic selectors that CHILD SAs have. Those with the same share a number, and a CHILD SA keeps the one of its
// predecessor, whatever its own selectors are. A number that nobody has any more goes to the next that needs one, the
// lowest first; all of this is what strongSwan does.
type reqids struct {
	bySelectors map[selectorsKey]*reqid
	byLine      map[uint64]*reqid // by [sa.Child.Policy]
	taken       map[uint32]bool
	low         uint32 // none below it is free
}

// selectorsKey stands for a set of selectors in any order. A digest has one size, however many a peer has sent.
type selectorsKey [sha256.Size]byte

// reqid is a number in use, and how many CHILD SAs have it, in all and of each line.
type reqid struct {
	number uint32
	key    selectorsKey
	uses   int
	lines  map[uint64]int
}

func (r *reqids) init() {
	r.bySelectors, r.byLine, r.taken = map[selectorsKey]*reqid{}, map[uint64]*reqid{}, map[uint32]bool{}
}

// take gives a CHILD SA its number. Those of the configuration, which fixed reports, are given to nobody else.
func (r *reqids) take(c *sa.Child, fixed func(uint32) bool) {
	if c.Config.ReqID != 0 {
		c.ReqID = c.Config.ReqID
		return
	}
	id := r.byLine[c.Policy]
	if id == nil {
		k := keyOfSelectors(c.TS)
		if id = r.bySelectors[k]; id == nil {
			for r.low = max(r.low, 1); r.taken[r.low] || fixed(r.low); {
				r.low++
			}
			id = &reqid{number: r.low, key: k, lines: map[uint64]int{}}
			r.bySelectors[k], r.taken[r.low] = id, true
		}
		r.byLine[c.Policy] = id
	}
	id.uses++
	id.lines[c.Policy]++
	c.ReqID = id.number
}

// release undoes take.
func (r *reqids) release(c *sa.Child) {
	id := r.byLine[c.Policy]
	if id == nil || c.ReqID != id.number {
		return // its number is the configuration's
	}
	if id.lines[c.Policy]--; id.lines[c.Policy] == 0 {
		delete(id.lines, c.Policy)
		delete(r.byLine, c.Policy)
	}
	if id.uses--; id.uses == 0 {
		delete(r.bySelectors, id.key)
		delete(r.taken, id.number)
		r.low = min(r.low, id.number)
	}
}

// freed says that the configuration may give a number no more: if so, it is free.
func (r *reqids) freed(n uint32, fixed func(uint32) bool) {
	if !fixed(n) {
		r.low = min(r.low, n)
	}
}

func keyOfSelectors(ts selector.Pair) selectorsKey {
	var text []byte
	for _, side := range [...][]selector.Selector{ts.Local, ts.Remote} {
		list := selectors(side)
		slices.Sort(list)
		for _, s := range list {
			text = append(append(text, s...), ' ')
		}
		text = append(text, '=')
	}
	return sha256.Sum256(text)
}

// fixedReqID reports whether the configuration has given a number to a child.
func (g *Manager) fixedReqID(n uint32) bool { return g.dir.reqids[n] > 0 }
