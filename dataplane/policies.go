package dataplane

import (
	"math"

	"esplanade/ike/selector"
)

// entry is a policy as the control side has it. It is owned by the engine's mutex.
type entry struct {
	p    *policy
	rule *rule // in the engine's table; nil while nothing of the policy is known
	// gone: the policy was cleared. It goes with its last SA.
	gone bool
	// sas are its outbound SAs.
	sas map[*outboundSA]saRules
}

// saRules are those of one outbound SA: in the table of its policy, and in the engine's if it may carry what the policy
// does not have.
type saRules struct{ inner, apart *rule }

// SetPolicy says what is protected, and what becomes of packets for which there is no SA. It replaces the policy of that
// number, whose SAs stay.
func (e *Engine) SetPolicy(id uint64, spd selector.Policy) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	en := e.entries[id]
	if en == nil {
		en = &entry{sas: make(map[*outboundSA]saRules)}
		e.entries[id] = en
	}
	en.gone = false
	e.replace(en, &policy{id: id, spd: spd, trap: &trap{policy: id, limit: e.config.WaitRing}})
}

// replace puts another policy in the place of an entry's. What waits looks for its way again.
func (e *Engine) replace(en *entry, p *policy) {
	t, old := e.policies.Load(), en.p
	if old != nil {
		p.trap.acquired.Store(old.trap.acquired.Load())
		p.sas.Store(old.sas.Load())
	}
	// The new one comes before the old one goes: a loop sees one table or the other.
	stale := en.rule
	en.p, en.rule = p, nil
	if !p.spd.Empty() {
		en.rule = e.newRule(p, p.spd.Pair, 0)
		t = t.with(en.rule)
	}
	if stale != nil {
		t = t.without(stale)
	}
	for sa, r := range en.sas {
		if r.apart == nil || r.apart.order == p.spd.Order {
			continue
		}
		moved := *r.apart
		moved.order = p.spd.Order
		t = t.with(&moved).without(r.apart)
		en.sas[sa] = saRules{r.inner, &moved}
	}
	e.publish(t)
	if old != nil {
		e.courier.hand(errand{kind: errandDeliver, packets: old.trap.drain(t.gen, true)})
	}
}

// newRule makes the rule of a policy in the engine's table.
func (e *Engine) newRule(p *policy, ts selector.Pair, line uint64) *rule {
	e.serial++
	return &rule{ts: ts, policy: p, order: p.spd.Order, line: line, serial: e.serial}
}

// ClearPolicy removes a policy; what waits for it is dropped. SAs that it has still are used until they are removed.
func (e *Engine) ClearPolicy(id uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	en := e.entries[id]
	if en == nil || en.gone {
		return
	}
	waiting := en.p.trap
	if len(en.sas) > 0 {
		en.gone = true
		e.replaceGone(en)
		return
	}
	delete(e.entries, id)
	if en.rule != nil {
		e.publish(e.policies.Load().without(en.rule))
	}
	e.courier.hand(errand{kind: errandFailed, packets: waiting.drain(e.policies.Load().gen, true)})
}

// replaceGone makes an entry one that has no say about packets without an SA.
func (e *Engine) replaceGone(en *entry) {
	waiting := en.p.trap.drain(e.policies.Load().gen, true)
	e.replace(en, &policy{id: en.p.id, spd: en.p.spd, ignore: true, trap: &trap{policy: en.p.id}})
	e.courier.hand(errand{kind: errandFailed, packets: waiting})
}

// FailPending drops what waits for the policy's tunnel, because it won't come up.
func (e *Engine) FailPending(id uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if en := e.entries[id]; en != nil {
		x := errand{kind: errandFailed, packets: en.p.trap.drain(e.policies.Load().gen, false)}
		if en.p.up() {
			x.kind = errandLeftOut
		}
		e.courier.hand(x)
	}
}

// addSA puts an outbound SA into force.
func (e *Engine) addSA(sa *outboundSA, ts selector.Pair, line uint64) {
	en := e.entries[sa.policy]
	if en == nil {
		p := &policy{id: sa.policy, ignore: true, spd: selector.Policy{Order: math.MaxInt, Open: true},
			trap: &trap{policy: sa.policy}}
		en = &entry{p: p, gone: true, sas: make(map[*outboundSA]saRules)}
		e.entries[sa.policy] = en
	}
	e.serial++
	r := saRules{inner: &rule{ts: ts, sa: sa, line: line, serial: e.serial}}
	t := e.policies.Load()
	inner := en.p.sas.Load()
	if inner == nil {
		inner = &ruleTable{}
	}
	en.p.sas.Store(inner.with(r.inner))
	if en.p.spd.Open {
		alone := &policy{id: sa.policy, ignore: true, alone: true, spd: en.p.spd, trap: en.p.trap}
		alone.sas.Store((&ruleTable{}).with(r.inner))
		r.apart = e.newRule(alone, ts, line)
		t = t.with(r.apart)
	} else {
		t = t.next()
	}
	en.sas[sa] = r
	e.publish(t)
	// What the SA does not carry may be asked for in another one, at once.
	en.p.trap.acquired.Store(0)
	x := errand{kind: errandDeliver, packets: en.p.trap.drain(t.gen, en.gone)}
	if en.gone {
		x.kind = errandLast
	}
	e.courier.hand(x)
}

// removeSA takes an outbound SA out of force.
func (e *Engine) removeSA(sa *outboundSA) {
	en := e.entries[sa.policy]
	r := en.sas[sa]
	delete(en.sas, sa)
	inner := en.p.sas.Load().without(r.inner)
	if inner.empty() {
		inner = nil
	}
	en.p.sas.Store(inner)
	t := e.policies.Load()
	if r.apart != nil {
		t = t.without(r.apart)
	}
	if en.gone && len(en.sas) == 0 {
		delete(e.entries, sa.policy)
		if en.rule != nil {
			t = t.without(en.rule)
		}
	}
	e.publish(t.next())
}

// publish puts a table in force.
func (e *Engine) publish(t *ruleTable) { e.policies.Store(t) }
