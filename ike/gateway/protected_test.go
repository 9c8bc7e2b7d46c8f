package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/config"
	"esplanade/ike/selector"
)

// guard watches that packets for a network never find neither a policy nor a route of the tunnel.
type guard struct {
	n       *node
	network string
	t       *testing.T

	mu     sync.Mutex
	now    string
	checks int
}

// step says what goes on, for what is reported.
func (g *guard) step(s string) { g.mu.Lock(); g.now = s; g.mu.Unlock() }

// watch begins to look, at every change of a node's data plane and routes from now on, whether a network is protected.
func watch(t *testing.T, n *node, network string) *guard {
	g := &guard{n: n, network: network, t: t}
	g.check()
	n.plane.mu.Lock()
	n.plane.changed = g.check
	n.plane.mu.Unlock()
	n.net.OnChange(g.check)
	return g
}

func (g *guard) check() {
	p, n := g.n.plane, g.n.net
	p.mu.Lock()
	policy := false
	for _, spd := range p.spd {
		policy = policy || strings.Contains(selector.Format(spd.Remote), g.network)
	}
	p.mu.Unlock()
	routed := false
	for k := range n.Routes() {
		routed = routed || strings.Contains(k, g.network)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.checks++
	if !policy || !routed {
		g.t.Errorf("%s: packets for %s leave in the clear: policy %v, routed %v", g.now, g.network, policy, routed)
	}
}

// end stops watching.
func (g *guard) end() {
	g.n.plane.mu.Lock()
	g.n.plane.changed = nil
	g.n.plane.mu.Unlock()
	g.n.net.OnChange(nil)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.checks < 2 {
		g.t.Error("nothing was looked at")
	}
}

// variants are configurations that all protect 10.2.0.0/16 and differ in everything that can differ.
func variants() map[string][]conn {
	with := func(change func(*conn)) []conn {
		c := left("start")
		c.children = append([]kid{}, c.children...)
		change(&c)
		return []conn{c}
	}
	return map[string][]conn{
		"as it was":             {left("start")},
		"another identity":      with(func(c *conn) { c.localID = "a2.example" }),
		"another address":       with(func(c *conn) { c.remote = "192.0.2.77" }),
		"any address":           with(func(c *conn) { c.remote = "%any"; c.children[0].action = "none" }),
		"another name":          with(func(c *conn) { c.name = "renamed" }),
		"another name of child": with(func(c *conn) { c.children[0].name = "renamed" }),
		"other local selectors": with(func(c *conn) { c.children[0].local = "10.1.128.0/17" }),
		"more selectors":        with(func(c *conn) { c.children[0].remote = "10.2.0.0/16 10.9.0.0/16" }),
		"another proposal":      with(func(c *conn) { c.children[0].extra = `esp_proposals = ["aes128gcm16-x25519"]` }),
		"on traffic":            with(func(c *conn) { c.children[0].action = "trap" }),
		"on command":            with(func(c *conn) { c.children[0].action = "none" }),
		"another timer":         with(func(c *conn) { c.extra = `dpd_delay = "7s"` }),
		"another timer of the child": with(func(c *conn) {
			c.children[0].extra = `rekey_time = "20m"`
		}),
		"a child of another connection": {
			{name: "a0", local: addrA, remote: "192.0.2.9", localID: "a.example", remoteID: "z.example",
				children: []kid{{"net", "10.1.0.0/16", "10.2.0.0/16", "start", ""}}},
			{name: "b", local: addrA, remote: addrB, localID: "a.example", remoteID: "b.example",
				children: []kid{{"other", "10.1.0.0/16", "10.8.0.0/16", "start", ""}}},
		},
		"behind another connection": {
			{name: "z", local: addrA, remote: "192.0.2.9", localID: "a.example", remoteID: "z.example",
				children: []kid{{"net", "10.1.0.0/16", "10.7.0.0/16", "none", ""}}},
			left("start"),
		},
	}
}

// Whatever a reload changes, or commands that load and unload connections, and whatever the tunnel does meanwhile: a network that is protected
// before and after it is so at every moment.
func TestReloadLeavesNoGap(t *testing.T) {
	noGap(t, func(t *testing.T, d *daemon, cs []conn) {
		if _, err := d.Reload(context.Background(), parse(t, toml("", cs...))); err != nil {
			t.Error(err)
		}
	})
}

// All connections at once, as when a folder is loaded.
func TestLoadLeavesNoGap(t *testing.T) {
	noGap(t, func(t *testing.T, d *daemon, cs []conn) {
		old, _ := d.Config()
		if err := d.Change(context.Background(), parse(t, toml("", cs...)), either(old, cs)); err != nil {
			t.Error(err)
		}
	})
}

// One connection after the other, as swanctl does: first those that there are now, then those are unloaded that are there no more.
func TestLoadOneByOneLeavesNoGap(t *testing.T) {
	noGap(t, func(t *testing.T, d *daemon, cs []conn) {
		old, _ := d.Config()
		fresh := parse(t, toml("", cs...))
		list := old.Connections
		put := func(name string) {
			c := *fresh
			c.Connections = slices.Clone(list)
			if err := d.Change(context.Background(), &c, []string{name}); err != nil {
				t.Error(err)
			}
		}
		for _, c := range cs {
			list = slices.DeleteFunc(slices.Clone(list), func(o *config.Connection) bool { return o.Name == c.name })
			list = append(list, fresh.Connection(c.name))
			put(c.name)
		}
		for _, o := range old.Connections {
			if fresh.Connection(o.Name) == nil {
				list = slices.DeleteFunc(slices.Clone(list), func(x *config.Connection) bool { return x == o })
				put(o.Name)
			}
		}
	})
}

// either are the names of connections that there are or are to be.
func either(old *config.Config, cs []conn) (out []string) {
	for _, c := range old.Connections {
		out = append(out, c.Name)
	}
	for _, c := range cs {
		out = append(out, c.name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func noGap(t *testing.T, put func(*testing.T, *daemon, []conn)) {
	t.Helper()
	for from, x := range variants() {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			b := f.start(addrB, toml("", right("none")))
			a := f.start(addrA, toml("", x...))
			synctest.Wait()
			g := watch(t, a, "10.2.0.0/16")
			reload := func(cs []conn) { put(t, a.d, cs) }
			for to, y := range variants() {
				g.step(from + " -> " + to)
				reload(y) // while the last one's tunnel comes up, or is up
				reload(x)
				settle(30 * time.Millisecond)
				reload(y)
				reload(y)
				settle(3 * time.Second)
				reload(x)
				settle(time.Second)
			}
			if err := a.d.ReloadFailed(context.Background(), errors.New("no configuration")); err != nil {
				t.Error(err)
			}
			g.end()
			a.stop()
			b.stop()
			a.plane.empty(t)
			a.net.Empty(t)
		})
	}
}

// A network is protected from the first moment, for every start_action, while the peer is away, after it has called and
// gone, with a DELETE and without, and after an operator has taken the tunnel down.
func TestProtectedWhileDown(t *testing.T) {
	for _, c := range []struct{ remote, remoteID, action string }{
		{addrB, "b.example", "none"}, {addrB, "b.example", "trap"}, {addrB, "b.example", "start"},
		{"%any", "b.example", "none"}, {"%any", "*.example", "none"}, {"%any", "%any", "none"},
		{"192.0.2.0/24", "%any", "none"},
	} {
		t.Run(c.remote+" "+c.remoteID+" "+c.action, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				x := left(c.action)
				x.remote, x.remoteID, x.extra = c.remote, c.remoteID, `dpd_delay = "5s"`
				a := f.start(addrA, toml("", x))
				settle(time.Second)
				g := watch(t, a, "10.2.0.0/16")
				without := func(when string, want selector.Without) {
					t.Helper()
					a.plane.mu.Lock()
					defer a.plane.mu.Unlock()
					for _, p := range a.plane.spd {
						if p.Without != want {
							t.Errorf("%s: without an SA: %v, want %v", when, p.Without, want)
						}
					}
				}
				waits, held := selector.Wait, selector.Refuse
				switch c.action {
				case "none":
					waits = selector.Refuse
				case "trap":
					held = selector.Wait // as with strongSwan
				}
				without("at first", waits)
				for _, end := range []string{"terminate here", "terminate there", "crash"} {
					g.step(end)
					b := f.start(addrB, toml("", right("start")))
					settle(70 * time.Second)
					if !a.child("b/net").Up() {
						t.Fatalf("%s: not up\n%s", end, a.log)
					}
					switch end {
					case "terminate here":
						if _, err := a.d.Terminate(t.Context(), Target{Connection: "b"}, false, true); err != nil {
							t.Error(err)
						}
						settle(10 * time.Millisecond)
						without("after a command", held)
						b.stop()
						if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, true, nil); err != nil {
							t.Error(err)
						}
						settle(10 * time.Millisecond)
						without("after another command", waits)
					case "terminate there":
						b.stop()
					case "crash":
						b.crash()
					}
					settle(5 * time.Minute)
				}
				g.end()
				a.stop()
				a.plane.empty(t)
				a.net.Empty(t)
			})
		})
	}
}

// What cannot be held while it is down is said by check: see config.HeldWhileDown. A child that is brought up from here holds
// everything.
func TestEverythingIsNotHeldForAPeer(t *testing.T) {
	for _, c := range []struct {
		remote, action string
		routed         bool
	}{
		{"0.0.0.0/0", "none", false}, {"0.0.0.0/0", "start", true}, {"::/0", "none", false},
		{"0.0.0.0/1 128.0.0.0/1", "none", false}, {"0.0.0.0/0 10.2.0.0/16", "none", true},
		{"0.0.0.0/1 128.0.0.0/1 10.2.0.0/16", "none", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			x := left(c.action)
			x.children = []kid{{"net", "0.0.0.0/0 ::/0", c.remote, c.action, ""}}
			a := f.start(addrA, toml("", x))
			settle(time.Second)
			if routes := a.net.Routes(); len(routes) > 0 != c.routed || routes["0.0.0.0/0"] > 0 != (c.action == "start") {
				t.Errorf("remote_ts = %q, start_action = %s: routes %v", c.remote, c.action, routes)
			}
			a.stop()
			a.net.Empty(t)
		})
	}
}
