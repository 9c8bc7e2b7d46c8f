package gateway

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// Downgrade prevention is on unless somebody turns it off: for the daemon, which counts for whoever calls from then on, or for the calls
// of a connection. A connection that requires it has its SAs made again.
func TestDowngradePrevention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("start")))
		up := func(want bool) {
			t.Helper()
			settle(10 * time.Second)
			if n := paired(t, a, b); n != 1 {
				t.Fatalf("%d children", n)
			}
			for _, n := range []*node{a, b} {
				if s := n.info().Conns[0].SAs[0]; s.Transcribed != want {
					t.Fatalf("%s: the status shows %v, want %v", n.addr, s.Transcribed, want)
				}
			}
		}
		reload := func(n *node, text, want string) {
			t.Helper()
			c, err := n.d.Reload(context.Background(), parse(t, text))
			if err != nil || len(c.Changed) != 1 && want != "" || want != "" && !strings.Contains(c.Changed[0], want) {
				t.Fatalf("%v, %v, want %q", c, err, want)
			}
		}
		up(true)
		const again = "downgrade_prevention; its SAs are deleted and made again"
		reload(a, toml("", withPPK(left("start"), `downgrade_prevention = "no"`)), again)
		up(false)
		reload(a, toml("", withPPK(left("start"), `downgrade_prevention = "required"`)), again)
		up(true)
		reload(b, toml("[ike]\ndowngrade_prevention = false\n", right("none")), "")
		up(true) // the SAs stay
		reload(a, toml("", left("start")), again)
		up(false)
		reload(a, toml("", withPPK(left("start"), `downgrade_prevention = "required"`)), again)
		settle(2 * time.Minute)
		if r := a.last("b"); r == nil || r.Failure.Code != diag.CodeDowngrade || r.Failure.ConfigLine == "" {
			t.Errorf("a reports %v", r)
		}
	})
}
