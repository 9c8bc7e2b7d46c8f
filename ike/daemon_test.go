package ike

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/gateway"
)

// Two daemons bring a tunnel up, rekey it on command and take it down; nothing is left of either. What each of them decides is
// tested in package gateway, and under all conditions in package sim.
func TestDaemons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wires{}
		b := w.start(t, conf(t, "", addrB, addrA, "none"))
		a := w.start(t, conf(t, "", addrA, addrB, "start"))
		settle(time.Second)
		if n := children(t, a, b); n != 1 {
			t.Fatalf("%d CHILD SAs", n)
		}
		if n, err := a.Rekey(t.Context(), gateway.Target{Child: "net"}); n != 1 || err != nil {
			t.Errorf("rekey: %d, %v", n, err)
		}
		settle(10 * time.Second)
		if s := b.Daemon.Stats(); s.ChildRekeys != 1 || s.Established != 1 || len(s.Exchanges) == 0 || children(t, a, b) != 1 {
			t.Errorf("%+v", s)
		}
		if r, err := b.Terminate(t.Context(), gateway.Target{Connection: "x"}, gateway.Ending{}, false); r.Gone != 1 || err != nil {
			t.Errorf("terminate: %v, %v", r, err)
		}
		settle(time.Minute) // a wants it up, and calls again
		if n := children(t, a, b); n != 1 {
			t.Errorf("%d CHILD SAs afterwards", n)
		}
		a.stop()
		if _, err := a.Info(t.Context()); err == nil {
			t.Error("a daemon that has ended answers")
		}
		settle(time.Second)
		b.stop()
		a.empty(t)
		b.empty(t)
	})
}

// A daemon waits neither for a resolver that does not answer nor for peers that do not, and ends all the same.
func TestDaemonEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wires{}
		c := conf(t, "", addrA, "b.example", "start")
		asked := 0
		a := w.start(t, c, func(o *Options) {
			o.Resolve = func(ctx context.Context, _ string) ([]netip.Addr, error) {
				asked++
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		settle(time.Second)
		if i, err := a.Info(t.Context()); err != nil || i.Conns[0].Children[0].Phase != "connecting" {
			t.Errorf("%+v, %v", i, err)
		}
		settle(time.Minute)
		if asked < 2 {
			t.Errorf("the name was looked up %d times", asked)
		}
		began := time.Now()
		a.stop()
		if d := time.Since(began); d > shutdownTime {
			t.Errorf("it took %s to end", d)
		}
		a.empty(t)
	})
}
