package gateway

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A trap can be installed and removed by command, until a reload changes what start_action says.
func TestTrapByCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("none")))
		do := func(f func(*Manager) error) error {
			t.Helper()
			var err error
			if e := a.d.call(t.Context(), func(time.Time) { err = f(a.d.Manager) }); e != nil {
				t.Fatal(e)
			}
			settle(time.Second)
			return err
		}
		net := Target{Child: "net"}
		want := func(when, phase string, refuse bool) {
			t.Helper()
			var p []PolicyInfo
			do(func(d *Manager) error { p = d.Policies(); return nil })
			if got := a.child("b/net"); got.Phase != phase || len(p) != 1 || p[0].Refuse != refuse {
				t.Errorf("%s: %s, policies %+v", when, got.Phase, p)
			}
		}
		want("at first", "down", true)
		if err := do(func(d *Manager) error { return d.UninstallTrap(net) }); err == nil {
			t.Error("no trap was removed")
		}
		if err := do(func(d *Manager) error { return d.InstallTrap(net) }); err != nil {
			t.Fatal(err)
		}
		want("installed", "trapped", false)
		a.d.Acquire(a.policy("b/net"), packetTo("10.1.0.5", "10.2.0.5"))
		settle(time.Second)
		want("with a packet", "up", false)
		if err := do(func(d *Manager) error { return d.UninstallTrap(net) }); err != nil {
			t.Fatal(err)
		}
		var p []PolicyInfo
		do(func(d *Manager) error { p = d.Policies(); return nil })
		if a.child("b/net").Phase != "up" || len(p) != 0 {
			t.Errorf("uninstalled: %s, %+v", a.child("b/net").Phase, p)
		}
		if _, err := a.d.Terminate(t.Context(), net, false, false); err != nil {
			t.Fatal(err)
		}
		settle(20 * time.Second)
		want("terminated", "down", true)
		if err := do(func(d *Manager) error { return d.InstallTrap(net) }); err != nil {
			t.Fatal(err)
		}
		want("installed after a command has taken it down", "trapped", false)
		if _, err := a.d.Reload(t.Context(), parse(t, toml("", left("start")))); err != nil {
			t.Fatal(err)
		}
		settle(5 * time.Second)
		want("start", "up", false)
		if err := do(func(d *Manager) error { return d.UninstallTrap(net) }); err == nil {
			t.Error("the trap of a child that is kept up was removed")
		}
		if _, err := a.d.Reload(t.Context(), parse(t, toml("", left("trap")))); err != nil {
			t.Fatal(err)
		}
		if err := do(func(d *Manager) error { return d.UninstallTrap(net) }); err != nil {
			t.Fatal(err)
		}
		if _, err := a.d.Terminate(t.Context(), Target{IKEID: 1}, false, false); err != nil {
			t.Fatal(err)
		}
		settle(20 * time.Second)
		want("its trap removed", "down", true)
	})
}

// What happens to a connection is counted for it and for all, and can be set to zero.
func TestTallies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("none")))
		net := Target{Child: "net"}
		if err := a.d.Initiate(t.Context(), net, false, nil); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		for _, rekey := range []Target{{Connection: "b"}, {Child: "net"}} {
			if _, err := a.d.Rekey(t.Context(), rekey); err != nil {
				t.Fatal(err)
			}
			settle(20 * time.Second)
		}
		ask := func(n *node, name string, all bool) []NamedTally {
			t.Helper()
			var list []NamedTally
			var err error
			if e := n.d.call(t.Context(), func(time.Time) { list, err = n.d.Manager.Tallies(name, all) }); e != nil || err != nil {
				t.Fatal(e, err)
			}
			return list
		}
		// Init, auth, two rekeyings, and the DELETEs of what they have replaced.
		x := Exchanges{Init: 1, Auth: 1, CreateChild: 2, Informational: 2}
		init := Tally{IKERekeysInitiated: 1, ChildRekeys: 1, Initiated: x}
		resp := Tally{IKERekeysAnswered: 1, ChildRekeys: 1, Answered: x}
		for _, c := range []struct {
			n    *node
			name string
			want Tally
		}{{a, "b", init}, {b, "a", resp}} {
			for _, list := range [][]NamedTally{ask(c.n, c.name, false), ask(c.n, "", true)} {
				if !slices.Equal(list, []NamedTally{{c.name, c.want}}) {
					t.Errorf("%s: %+v, want %+v", c.name, list, c.want)
				}
			}
			if list := ask(c.n, "", false); !slices.Equal(list, []NamedTally{{"", c.want}}) {
				t.Errorf("all of %s: %+v", c.name, list)
			}
		}
		reset := func(name string, all bool) {
			t.Helper()
			var err error
			if e := a.d.call(t.Context(), func(time.Time) { err = a.d.Manager.ResetTallies(name, all) }); e != nil || err != nil {
				t.Fatal(e, err)
			}
		}
		reset("", true)
		if list := ask(a, "", true); len(list) != 0 {
			t.Errorf("after a reset of all connections: %+v", list)
		}
		if list := ask(a, "", false); list[0].Tally == (Tally{}) {
			t.Error("the tally of all events has gone with those of the connections")
		}
		reset("", false)
		if list := ask(a, "", false); list[0].Tally != (Tally{}) {
			t.Errorf("after a reset: %+v", list)
		}
	})
}
