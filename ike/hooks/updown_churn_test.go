package hooks

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestUpdownChurn: thousands of CHILD SAs come, are rekeyed and go while the commands are slow. Whatever is called for an up is called once for the
// down, in order; what waits is no more than there is alive and under way, whoever comes and goes under ever other names; and nothing is left in the end.
func TestUpdownChurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &calledFor{begun: make(chan string, 100000), goOn: make(chan error)}
		const parallel = 4
		u := newUpdown(c, parallel)
		r := rand.New(rand.NewPCG(1, 2))
		type sa struct {
			id   uint64
			peer string
			net  string
		}
		var live []sa
		next := uint64(1)
		for i := range 20000 {
			switch n := r.IntN(10); {
			case n < 4 && len(live) < 30:
				x := sa{next, fmt.Sprintf("peer%d.example", i), fmt.Sprintf("10.%d.%d.0/24", i/250, i%250)}
				if n == 0 && len(live) > 0 { // another one of a peer that is there
					x.peer, x.net = live[0].peer, live[0].net
				}
				next++
				live = append(live, x)
				u.Observe(event(t, true, x.id, x.peer, x.net))
			case n < 9 && len(live) > 0:
				k := r.IntN(len(live))
				x := live[k]
				live = append(live[:k], live[k+1:]...)
				u.Observe(event(t, false, x.id, x.peer, x.net))
			}
			if i%100 == 99 { // one command ends in a while
				synctest.Wait()
				select {
				case c.goOn <- nil:
				default:
				}
			}
			u.mu.Lock()
			lines, ready := len(u.lines), len(u.ready)
			u.mu.Unlock()
			// Whatever was called for and has gone waits for its down: as many as were called, a few each hundred steps.
			if most := 30 + i/100 + 2*parallel; u.Waiting() > most || lines > 3*most+32 || ready > 3*most+32 {
				t.Fatalf("step %d: %d lines, %d of them ready, %d calls wait, and %d CHILD SAs are there", i, lines, ready, u.Waiting(), len(live))
			}
		}
		// All commands hang, and nobody else than peers under ever other names comes and goes.
		u.mu.Lock()
		before := len(u.lines)
		u.mu.Unlock()
		for i := range 5000 {
			peer := fmt.Sprintf("other%d.example", i)
			u.Observe(event(t, true, next, peer))
			u.Observe(event(t, false, next, peer))
			next++
		}
		u.mu.Lock()
		if after := len(u.lines); after > 2*before+64 || len(u.ready) > 2*before+64 {
			t.Errorf("%d peers have come and gone, and %d lines are left, %d of them ready; there were %d before", 5000, after, len(u.ready), before)
		}
		u.mu.Unlock()
		over := make(chan struct{})
		go func() {
			for {
				select {
				case c.goOn <- nil:
				case <-over:
					return
				}
			}
		}()
		u.Close(time.Hour)
		close(over)
		up := map[string]bool{}
		for _, call := range c.calls {
			f := strings.Fields(call) // command, verb, network, number
			key, is := f[2]+" "+f[3], strings.HasPrefix(f[1], "up-")
			if up[key] == is {
				t.Fatalf("called twice, or for nothing: %s", call)
			}
			up[key] = is
		}
		for key, is := range up {
			if is {
				t.Errorf("up, and not down: %s", key)
			}
		}
		if len(c.calls) < 200 || c.overlap || c.most > parallel || len(u.lines) > 0 || len(u.live) > 0 || len(u.ready) > 0 || u.needless != 0 || u.Counts().Lost > 0 {
			t.Errorf("%d calls, overlap %v, %d at a time, left: %d lines, %d alive, %d ready, %d needless, %+v", len(c.calls), c.overlap, c.most, len(u.lines), len(u.live), len(u.ready), u.needless, u.Counts())
		}
	})
}
