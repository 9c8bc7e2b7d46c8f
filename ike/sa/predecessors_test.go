package sa

import "testing"

// A peer that rekeys the IKE SA on and on and deletes none of the old ones is put off until they are gone: whatever it does, there
// are a few of them.
func TestRekeyedWithoutDelete(t *testing.T) {
	for _, deletes := range []bool{false, true} { // every other one
		play(t, "", nil, nil, func(l *ladder) {
			var all []*Machine
			for i := range 20 {
				for _, w := range []string{"x:rekeyike", "x>", "y>"} {
					l.word(w)
				}
				l.held = nil // the DELETE
				for _, m := range l.x.all() {
					if m.state == StateDeleting { // x forgets it, and y is told of every other one
						m.pending, m.queue, m.state = nil, nil, StateRekeyed
					}
				}
				all = all[:0]
				for _, m := range l.y.all() {
					if m.state == StateRekeyed && deletes && i%2 == 1 && m.successor.state != StateRekeyed {
						m.Abandon(l.r.now, "as by a DELETE")
					}
					if m.state != StateClosed {
						all = append(all, m)
					}
				}
				if n := len(all); n > maxPredecessors+1 {
					l.t.Fatalf("y has %d IKE SAs", n)
				}
			}
			// When they are gone, it can be rekeyed again.
			l.r.run(2 * supersededTime)
			last := l.y.machine()
			for _, w := range []string{"x:rekeyike", "x>", "y>", "!"} {
				l.word(w)
			}
			if n := len(l.y.live()); n != 1 || l.y.machine() == last {
				l.t.Errorf("%d IKE SAs are left", n)
			}
		})
	}
}
