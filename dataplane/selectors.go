package dataplane

import "esplanade/ike/selector"

// UpdateSelectors makes both directions of a child select other traffic, between two packets. Sequence numbers, replay window and
// counters go on: it is the same SA, whose peer has moved. ts has the ports that the old selectors have.
func (e *Engine) UpdateSelectors(id uint64, ts selector.Pair) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ch := e.children[id]
	if ch == nil || e.closed || ts.Empty() {
		return
	}
	if ch.in != nil {
		ch.in.ts.Store(&ts)
		e.inboundGen.Add(1) // what flows were found to be allowed may not be any more
	}
	if ch.out != nil {
		e.moveSA(ch.out, ts)
	}
}

// moveSA puts an outbound SA into force for other selectors, and keeps its place among the others. What waits looks for its way
// again.
func (e *Engine) moveSA(sa *outboundSA, ts selector.Pair) {
	en := e.entries[sa.policy]
	old := en.sas[sa]
	inner := *old.inner
	inner.ts = ts
	fresh := saRules{inner: &inner}
	en.p.sas.Store(en.p.sas.Load().with(fresh.inner).without(old.inner))
	t := e.policies.Load()
	if old.apart != nil {
		alone := &policy{id: old.apart.policy.id, ignore: true, alone: true, spd: old.apart.policy.spd, trap: old.apart.policy.trap}
		alone.sas.Store((&ruleTable{}).with(fresh.inner))
		apart := *old.apart
		apart.ts, apart.policy = ts, alone
		fresh.apart = &apart
		t = t.with(fresh.apart).without(old.apart)
	} else {
		t = t.next()
	}
	en.sas[sa] = fresh
	e.publish(t)
	e.courier.hand(errand{kind: errandDeliver, packets: en.p.trap.drain(t.gen, false)})
}
