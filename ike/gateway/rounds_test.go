package gateway

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// Several rounds by the words of a configuration: an IKE SA is that of the last identities, through rekeyings and reauthentications; two
// users of one machine are two peers, of whom unique = "replace" knows each by its own; and a round that is configured on one side only
// keeps the tunnel down.
func TestRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		const user = "[connections.%.remote-2]\nauth = \"psk\"\nid = \"*@example\"\n"
		lives := "unique = \"replace\"\nreauth_time = \"30m\"\nover_time = \"5m\"\nrand_time = \"0s\"\n"
		serve := toml("", withPPK(right("none"), lives)) + strings.Replace(user, "%", "a", 1)
		call := func(who string) string {
			return toml("", withPPK(left("start"), lives)) + "[connections.b.local-2]\nauth = \"psk\"\nid = \"" + who + "@example\"\n"
		}
		b := f.start(addrB, serve)
		a := f.start(addrA, call("ann"))
		up := func(who string) {
			t.Helper()
			if n := paired(t, a, b); n != 1 || a.ikeSAs() != 1 || b.ikeSAs() != 1 {
				t.Fatalf("%d children, %d and %d IKE SAs", n, a.ikeSAs(), b.ikeSAs())
			}
			if s := b.info().Conns[0].SAs[0]; s.RemoteID.String() != who+"@example" || s.LocalID.String() != "b.example" {
				t.Fatalf("the status shows %s <-> %s", s.LocalID, s.RemoteID)
			}
			if s := a.info().Conns[0].SAs[0]; s.LocalID.String() != who+"@example" {
				t.Fatalf("the caller shows %s", s.LocalID)
			}
		}
		for range 5 {
			settle(20 * time.Minute)
			up("ann")
		}
		c, err := a.d.Reload(context.Background(), parse(t, call("bob")))
		if err != nil || len(c.Changed) != 1 || !strings.Contains(c.Changed[0], "local-2.id") {
			t.Fatalf("%v, %v", c, err)
		}
		settle(time.Minute)
		up("bob")

		// A round that only one side has.
		if _, err := a.d.Reload(context.Background(), parse(t, toml("", withPPK(left("start"), lives)))); err != nil {
			t.Fatal(err)
		}
		settle(10 * time.Second)
		if r := b.last("a"); r == nil || r.Failure.Code != diag.CodeAuthRounds {
			t.Errorf("b reports %v", r)
		}
		if b.ikeSAs() != 0 {
			t.Errorf("%d IKE SAs", b.ikeSAs())
		}
	})
}
