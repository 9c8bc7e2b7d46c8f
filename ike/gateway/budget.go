package gateway

import (
	"net/netip"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/suite"
)

// budget bounds the work that the key exchanges and the signatures of strangers make. It counts what they cost by a table
// ([suite.Cost], [auth.Judge.Cost]), not what they take: a bound must not depend on what else the machine does.
type budget struct {
	limits  budgetLimits
	all     debt
	sources map[netip.Addr]debt      // by source, of late
	served  map[netip.Addr]time.Time // by network: when it was served last
}

// budgetLimits are those of one budget.
type budgetLimits struct {
	// rate is the part of the time of one core that they may take in the long run, burst what they may take at once.
	rate  float64
	burst time.Duration
	// reserve is the part of burst that is kept for networks that have had nothing for freshTime: whoever takes all that he
	// gets does not keep others out.
	reserve time.Duration
	// sourceRate and sourceBurst are rate and burst for one source.
	sourceRate  float64
	sourceBurst time.Duration
}

const (
	// expensive is the cost from which a key exchange takes a cookie: MODP-3072, ECP-521 and all above.
	expensive = 2 * time.Millisecond
	// costly is the cost from which it counts: ECP-384, MODP-1536, MODP-2048. The others cost little more than the message
	// that asks for them.
	costly    = 400 * time.Microsecond
	freshTime = 30 * time.Second
	// maxDebtors is how many sources and networks are remembered. The budgets let in (30 s * 30 % + 300 ms) / 0.4 ms = 23,250
	// networks in freshTime at most, and no more sources.
	maxDebtors = 1 << 15
)

// expensiveLimits let 8 of MODP-4096 through a second, so that nine tenths of a core are left for everything else. At once there may be ten of MODP-4096, or two of MODP-8192 and what is kept in
// reserve. A source has a quarter of it all, and one of MODP-8192 at once.
func expensiveLimits() budgetLimits {
	return budgetLimits{rate: 0.1, burst: 180 * time.Millisecond, reserve: 60 * time.Millisecond,
		sourceRate: 0.025, sourceBurst: 60 * time.Millisecond}
}

// costlyLimits let 375 of MODP-2048 through a second, 125 of one source. Each of them is short.
func costlyLimits() budgetLimits {
	return budgetLimits{rate: 0.3, burst: 300 * time.Millisecond, reserve: 100 * time.Millisecond,
		sourceRate: 0.1, sourceBurst: 150 * time.Millisecond}
}

// debt is a cost that goes down with time.
type debt struct {
	cost time.Duration
	at   time.Time
}

// left is what remains of a debt that is paid off at a rate.
func (d debt) left(now time.Time, rate float64) time.Duration {
	return max(d.cost-time.Duration(float64(now.Sub(d.at))*rate), 0)
}

// afford takes a cost from the budget, unless there is not enough of it left for that source.
func (b *budget) afford(now time.Time, from netip.Addr, cost time.Duration) bool {
	source, net := sourceOf(from), netOf(from)
	limit := b.limits.burst
	if at, ok := b.served[net]; ok && now.Sub(at) < freshTime {
		limit -= b.limits.reserve
	}
	all, own := b.all.left(now, b.limits.rate)+cost, b.sources[source].left(now, b.limits.sourceRate)+cost
	if all > limit || own > b.limits.sourceBurst {
		return false
	}
	if b.sources == nil {
		b.sources, b.served = map[netip.Addr]debt{}, map[netip.Addr]time.Time{}
	}
	b.sweep(now)
	b.all, b.sources[source], b.served[net] = debt{all, now}, debt{own, now}, now
	return true
}

// sweep forgets what does not matter any more.
func (b *budget) sweep(now time.Time) {
	if len(b.sources) >= maxDebtors {
		for a, d := range b.sources {
			if d.left(now, b.limits.sourceRate) == 0 {
				delete(b.sources, a)
			}
		}
	}
	if len(b.served) >= maxDebtors {
		for a, at := range b.served {
			if now.Sub(at) >= freshTime {
				delete(b.served, a)
			}
		}
	}
}

// affords judges the signature and the certificates of a stranger before they are verified. What costs little is no more than the
// message with it. One that has come so far has had answers at its address: there is nothing more to ask of it than patience.
func (g *Manager) affords(now time.Time, from netip.Addr, p sa.Proof) bool {
	w, ok := p.Work()
	if !ok {
		return true
	}
	switch cost := w.Cost(); {
	case cost < costly:
		return true
	case cost >= expensive:
		return g.expensive.afford(now, from, cost)
	default:
		return g.costly.afford(now, from, cost)
	}
}

// admit judges the key exchange of a stranger before it is made. reached: what is sent there gets there.
func (g *Manager) admit(now time.Time, from netip.Addr, group uint16, reached bool) sa.Admission {
	cost, budget := suite.Cost(group), &g.costly
	switch {
	case cost < costly:
		return sa.AdmitNow
	case cost >= expensive && !reached && !g.cookied:
		return sa.AdmitWithCookie
	case cost >= expensive:
		budget = &g.expensive
	}
	if !budget.afford(now, from, cost) {
		return sa.AdmitLater
	}
	return sa.AdmitNow
}
