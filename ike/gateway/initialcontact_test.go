package gateway

import (
	"testing"
	"testing/synctest"
	"time"
)

// Of two connections with the same identities, one of which has unique = "never", a peer of neither ends what a peer of the other
// has: that several may have the identity is true of all that have it.
func TestInitialContactBesideNever(t *testing.T) {
	for _, order := range [][2]string{{"never", "replace"}, {"replace", "never"}} {
		t.Run(order[0]+" first", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				first, second := right("none"), right("none")
				first.remote, first.extra = "%any", `unique = "`+order[0]+`"`
				second.name, second.remote, second.extra = "second", "%any", `unique = "`+order[1]+`"`
				second.children = []kid{{"net", "10.2.0.0/16", "10.3.0.0/16", "none", ""}}
				b := f.start(addrB, toml("", first, second))
				f.start(addrA, toml("", left("start")))
				settle(time.Second)
				l := left("start")
				l.local = "192.0.2.3"
				l.children[0].local = "10.3.0.0/16"
				f.start("192.0.2.3", toml("", l))
				settle(time.Second)
				for _, name := range []string{"a", "second"} {
					if ikes, children := saIDs(b, name); len(ikes) != 1 || len(children) != 1 {
						t.Errorf("%s: IKE SAs %v, children %v", name, ikes, children)
					}
				}
			})
		})
	}
}
