package gateway

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/selector"
)

// What is down until a command brings it up is kept up then, if dpd_action and close_action say so: each for its own way of being lost,
// and a command that takes it down is obeyed.
func TestDownUntilACommandThenKeptUp(t *testing.T) {
	const none, both = "", "dpd_action = \"start\"\nclose_action = \"start\""
	// lose are the ways; each leaves a peer that takes the tunnel again.
	lose := map[string]func(t *testing.T, a, b *node, restart func() *node){
		"deleted by the peer": func(t *testing.T, a, b *node, _ func() *node) {
			_, _ = b.d.Terminate(t.Context(), Target{Connection: "a"}, false, false)
		},
		"child deleted by the peer": func(t *testing.T, a, b *node, _ func() *node) {
			_, _ = b.d.Terminate(t.Context(), Target{ChildID: b.child("a/net").SAs[0].ID}, false, false)
		},
		"dead": func(t *testing.T, a, b *node, restart func() *node) {
			b.crash()
			settle(15 * time.Minute)
			restart()
		},
		"terminated here": func(t *testing.T, a, _ *node, _ func() *node) {
			_, _ = a.d.Terminate(t.Context(), Target{Connection: "b"}, false, false)
		},
		"ended here by number": func(t *testing.T, a, _ *node, _ func() *node) {
			_, _ = a.d.Terminate(t.Context(), Target{IKEID: a.info().Conns[0].SAs[0].ID}, false, false)
		},
		"child ended here by number": func(t *testing.T, a, _ *node, _ func() *node) {
			_, _ = a.d.Terminate(t.Context(), Target{ChildID: a.child("b/net").SAs[0].ID}, false, false)
		},
		"made again by a reload": func(t *testing.T, a, _ *node, _ func() *node) {
			l := left("none")
			l.extra = "encap = false"
			l.children[0].extra = both
			if _, err := a.d.Reload(t.Context(), parse(t, toml("", l))); err != nil {
				t.Error(err)
			}
		},
	}
	for _, tc := range []struct {
		keys, way, phase string
	}{
		{none, "deleted by the peer", "down"},
		{none, "dead", "down"},
		{both, "deleted by the peer", "up"},
		{both, "child deleted by the peer", "up"},
		{both, "dead", "up"},
		{both, "terminated here", "down"},
		{both, "ended here by number", "down"},
		{both, "child ended here by number", "down"},
		{both, "made again by a reload", "up"},
		{`close_action = "start"`, "child deleted by the peer", "up"},
		{`close_action = "start"`, "dead", "down"},
		{`dpd_action = "restart"`, "deleted by the peer", "down"},
		{`dpd_action = "restart"`, "child deleted by the peer", "down"},
		{`dpd_action = "restart"`, "dead", "up"},
		{`close_action = "trap"`, "deleted by the peer", "trapped"},
	} {
		t.Run(fmt.Sprintf("%s/%s", tc.way, tc.keys), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				restart := func() *node { return f.start(addrB, toml("", right("none"))) }
				b := restart()
				l := left("none")
				l.children[0].extra = tc.keys
				a := f.start(addrA, toml("", l))
				settle(10 * time.Minute)
				if h := a.child("b/net"); h.Phase != "down" || h.Desired != "on command" {
					t.Fatalf("before the command: %s, desired %s", h.Phase, h.Desired)
				}
				if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil {
					t.Fatal(err)
				}
				settle(time.Minute)
				lose[tc.way](t, a, b, restart)
				settle(5 * time.Minute)
				h := a.child("b/net")
				if h.Phase != tc.phase {
					t.Errorf("net is %s, desired %s, not %s\n%s", h.Phase, h.Desired, tc.phase, a.log)
				}
				want := selector.Refuse // once it is up, what becomes of packets when it is down follows from how it ends
				if tc.phase == "trapped" {
					want = selector.Wait
				}
				for _, p := range a.plane.spd {
					if p.Without != want {
						t.Errorf("packets find the policy %+v without %v, %+v", p, p.Without, h)
					}
				}
				a.stop()
			})
		})
	}
}

// While it is wanted and down, its packets wait for it, and the state says what is wanted.
func TestKeptUpIsWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		l := left("none")
		l.children[0].extra = `dpd_action = "start"`
		a := f.start(addrA, toml("", l))
		settle(time.Second)
		if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil {
			t.Fatal(err)
		}
		b.crash()
		settle(15 * time.Minute)
		if h := a.child("b/net"); h.Desired != "up" || !h.Pending() {
			t.Errorf("net is %s, desired %s", h.Phase, h.Desired)
		}
		for _, p := range a.plane.spd {
			if p.Without != selector.Wait {
				t.Errorf("packets find the policy %+v", p)
			}
		}
		if _, err := a.d.Reload(t.Context(), parse(t, toml("", l))); err != nil {
			t.Error(err)
		}
		if h := a.child("b/net"); h.Desired != "up" {
			t.Errorf("after a reload: desired %s", h.Desired)
		}
		_, _ = a.d.Terminate(t.Context(), Target{Connection: "b"}, false, false)
		settle(5 * time.Minute)
		if h := a.child("b/net"); h.Desired != "on command" || h.Phase != "down" {
			t.Errorf("terminated: net is %s, desired %s", h.Phase, h.Desired)
		}
		a.stop()
	})
}
