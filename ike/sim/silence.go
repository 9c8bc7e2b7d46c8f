package sim

import (
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
)

// asked is the newest request of a host in an IKE SA, with the time at which it was sent first.
type asked struct {
	id uint32
	at time.Time
}

// noteAsked is told of each protected request.
func (c *checker) noteAsked(flow flowKey, id uint32) {
	if a, ok := c.asked[flow]; !ok || a.id != id {
		c.asked[flow] = asked{id, c.w.now}
	}
}

// silences checks that nothing is shown as up whose peer has not answered for the ordinary time, and that nobody is taken for dead before.
// When a request was sent and whether an answer has reached the host is what the wire says, not the host.
func (c *checker) silences(h *Host, info gateway.Info) {
	if h.stopping {
		return // nothing is reconciled any more
	}
	dead := map[uint64]bool{} // CHILD SAs
	for _, conn := range info.Conns {
		for _, s := range conn.SAs {
			if s.State != sa.StateEstablished && s.State != sa.StateRekeying {
				continue
			}
			flow := flowKey{h.name, s.SPIi, s.SPIr}
			a, ok := c.asked[flow]
			waits := ok && c.answered[flow] < a.id+1
			isDead := s.Silence != nil && !s.Silence.Dead.IsZero()
			switch silent := c.w.now.Sub(a.at); {
			case isDead && silent < c.w.plan.shortestPatience():
				c.w.fail("%s: the peer of IKE SA %d is taken for dead after %s", h.name, s.ID, silent)
			case waits && !isDead && silent > c.w.plan.longestPatience():
				c.w.fail("%s: IKE SA %d is as good as ever, and request %d has had no answer for %s", h.name, s.ID, a.id, silent)
			}
			for _, x := range s.Children {
				dead[x.ID] = isDead
			}
		}
	}
	for _, conn := range info.Conns {
		for _, x := range conn.Children {
			alive := len(x.SAs) == 0
			for _, s := range x.SAs {
				alive = alive || !dead[s.ID] && (s.State == sa.ChildInstalled || s.State == sa.ChildRekeying)
			}
			if x.Up() && !alive {
				c.w.fail("%s: child %s is up, and its peer is dead", h.name, x.Conf.Name)
			}
		}
	}
}

// longestPatience is the time within which all repetitions of a request are over, also if it was cut into smaller pieces after the second
// one, which begins the pauses again; shortestPatience that in which they can't be.
func (p *plan) longestPatience() time.Duration {
	total, pause := time.Duration(0), float64(p.retransmit)
	for range p.tries + 1 {
		total += time.Duration(pause)
		pause *= retransmitBase
	}
	return total + 3*p.retransmit + time.Second
}

func (p *plan) shortestPatience() time.Duration {
	total, pause := time.Duration(0), float64(p.retransmit)*(1-p.jitter)
	for range p.tries + 1 {
		total += time.Duration(pause)
		pause *= retransmitBase
	}
	return total - time.Second
}
