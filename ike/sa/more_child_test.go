package sa

import (
	"testing"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
)

// narrowedTo gives x a wide child that y has taken a part of, and y further children.
func narrowedTo(t *testing.T, l *ladder, of ...string) {
	t.Helper()
	for _, m := range []*Machine{l.x.machine(), l.y.machine()} {
		c := m.children[0]
		part := mustTS(t, "10.2.0.0/24")
		if m == l.x.machine() {
			c.TS.Remote, c.agreed.Remote = part, part
		} else {
			c.TS.Local, c.agreed.Local = part, part
		}
	}
	withChildren(t, l.y.machine().cfg, of...)
}

func part(t *testing.T, remote string) selector.Pair {
	return selector.Pair{Local: mustTS(t, "10.1.0.0/16"), Remote: mustTS(t, remote)}
}

// A further CHILD SA for a part that the peer has left out, and what becomes of answers that are of no use.
func TestFurtherChild(t *testing.T) {
	ask := func(l *ladder, remote string) {
		m := l.x.machine()
		m.InitiateMore(l.r.now, m.children[0].Config, part(l.t, remote), nil)
		l.x.drain(m)
	}
	t.Run("taken", func(t *testing.T) {
		play(t, "", nets(t), nil, func(l *ladder) {
			narrowedTo(t, l, "10.2.0.0/24", "10.2.1.0/24")
			ask(l, "10.2.1.0/24")
			for _, w := range fields("x> y=TSi,TSr y> !") {
				l.word(w)
			}
			l.r.wantUp(2)
			if n := countEvents[ChildUp](l.x); n != 1 || len(l.x.failures) != 0 {
				l.t.Errorf("%d up, failures %v", n, l.x.failures)
			}
			// Asked for again, it is there already.
			ask(l, "10.2.1.0/24")
			l.word("x~")
		})
	})
	t.Run("refused", func(t *testing.T) {
		play(t, "", nets(t), nil, func(l *ladder) {
			narrowedTo(t, l, "10.2.0.0/24")
			ask(l, "10.2.1.0/24")
			for _, w := range fields("x> y=N(TS_UNACCEPT) y> !") {
				l.word(w)
			}
			l.r.wantUp(1)
			wantPart(l, diag.CodeTS, "10.2.1.0/24")
		})
	})
	t.Run("the same again", func(t *testing.T) {
		// The peer finds the same pair in whatever it is asked: what it has made is closed, and counts as a refusal.
		play(t, "", nets(t), nil, func(l *ladder) {
			narrowedTo(t, l, "10.2.0.0/24")
			ask(l, "10.2.0.0/23")
			for _, w := range fields("x> y=TSi,TSr y> x> y=[,D,] !") {
				l.word(w)
			}
			l.r.wantUp(1)
			wantPart(l, diag.CodeNarrowed, "10.2.0.0/23")
			if n := countEvents[ChildUp](l.x); n != 0 {
				l.t.Errorf("%d children reported up", n)
			}
		})
	})
	t.Run("crossing", func(t *testing.T) {
		// Both ask for the same at the same time: one is left, and it is not the only one that goes.
		for _, nonces := range []map[string][]byte{{"x": {1}, "y": {9}}, {"x": {9}, "y": {1}}} {
			play(t, "", nets(t), nil, func(l *ladder) {
				narrowedTo(t, l, "10.2.0.0/24", "10.2.1.0/24")
				for s, n := range nonces {
					l.side(s).nonces = [][]byte{nonceStarting(n[0])}
				}
				my := l.y.machine()
				my.children[0].Config = my.cfg.Children[0]
				ask(l, "10.2.1.0/24")
				my.InitiateChild(l.r.now, my.cfg.Children[1], nil)
				l.y.drain(my)
				for _, w := range fields("y> x> y> x> !") {
					l.word(w)
				}
				l.r.wantUp(2)
			})
		}
	})
}

// wantPart checks that x was told of the failure of a part.
func wantPart(l *ladder, code diag.Code, remote string) {
	l.t.Helper()
	for _, o := range l.x.events {
		if f, ok := o.(Failed); ok && f.Failure.Code == code && f.Part != nil && f.Part.Equal(part(l.t, remote)) {
			return
		}
	}
	l.t.Errorf("no failure of the part with %s: %v", code, l.x.failures)
}
