package gateway

import (
	"testing"
	"testing/synctest"
	"time"
)

// What a connection has been through is counted for it alone, and goes on where a reload makes it again.
func TestLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		dead := left("start")
		dead.name, dead.remote, dead.remoteID = "dead", "192.0.2.99", "c.example"
		dead.children = []kid{{"far", "10.1.0.0/16", "10.9.0.0/16", "start", ""}}
		l := left("start")
		a := f.start(addrA, toml("", l, dead))
		settle(time.Second)
		for _, x := range []Target{{Connection: "b"}, {Child: "net"}} {
			if _, err := a.d.Rekey(t.Context(), x); err != nil {
				t.Error(err)
			}
			settle(time.Second)
		}
		settle(10 * time.Minute)
		of := func(i int) Lives { return a.info().Conns[i].Lives }
		if x := of(0); x.Established != 1 || x.IKERekeys != 1 || x.ChildRekeys != 1 || x.Retransmits != 0 || x.Failures != 0 || x.Last.IsZero() {
			t.Errorf("b: %+v", x)
		}
		if x := of(1); x.Established != 0 || x.Retransmits < 5 || x.Failures < 2 || !x.Last.IsZero() {
			t.Errorf("dead: %+v", x)
		}
		l.extra = "encap = false"
		if _, err := a.d.Reload(t.Context(), parse(t, toml("", l, dead))); err != nil {
			t.Error(err)
		}
		settle(time.Minute)
		if x := of(0); x.Established != 2 || x.IKERekeys != 1 {
			t.Errorf("b after a reload: %+v", x)
		}
		for i, want := range []bool{true, true} {
			if h := a.info().Conns[i].Children[0]; h.Wanted() != want {
				t.Errorf("%s wanted: %v", h.Conf.Name, h.Wanted())
			}
		}
		a.stop()
		b.stop()
	})
}
