package sa

import (
	"testing"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// Two rekeyings of a child collide, and x can't take y's answer to its own. y's own stays if the nonces say so: x has it, and what y
// deletes is the old one. No loss is reported.
func TestCollisionWithUselessAnswer(t *testing.T) {
	for _, v := range verdicts {
		for _, order := range []string{"y> x> !", "x> y> !"} {
			t.Run(v.name+", "+order, func(t *testing.T) {
				play(t, "", nil, nil, func(l *ladder) {
					for side, list := range v.nonces {
						for _, n := range list {
							l.side(side).nonces = append(l.side(side).nonces, nonceStarting(n))
						}
					}
					l.r.edit(l.y, wire.ExchangeCreateChildSA, true, swap(func(p *wire.TS) {
						if p.Responder {
							p.Selectors = []wire.TrafficSelector{wireTS("0.0.0.0", "255.255.255.255", 0)}
						}
					}))
					for _, w := range fields("x:rekey y:rekey x> y> " + order) {
						l.word(w)
					}
					if !l.x.hasFailure(diag.CodeTS) {
						l.t.Errorf("x has taken the answer: %v", l.x.failures)
					}
					if v.winner == "x" {
						l.wantNoChild() // for y, the old one is replaced by what x does not have
						return
					}
					for _, e := range []*end{l.x, l.y} {
						cs := e.liveChildren()
						if len(cs) != 1 || cs[0].Initiator != (e == l.y) || !cs[0].outboundInstalled {
							l.t.Errorf("%s has %d children, and not that of y with an SA in both directions", e.name, len(cs))
						}
						if n := countEvents[ChildDown](e); n != 0 {
							l.t.Errorf("%s reported %d children down", e.name, n)
						}
					}
				})
			})
		}
	}
}
