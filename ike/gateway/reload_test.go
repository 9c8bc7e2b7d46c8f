package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// three are connections of one gateway to three peers.
func three() []conn {
	var out []conn
	for _, p := range []string{"2", "3", "4"} {
		out = append(out, conn{
			name: "p" + p, local: addrA, remote: "192.0.2." + p, localID: "a.example", remoteID: "p" + p + ".example",
			children: []kid{
				{"net", "10.1.0.0/16", "10." + p + ".0.0/16", "start", ""},
				{"lab", "172.16.1.0/24", "172.16." + p + ".0/24", "start", ""},
			},
		})
	}
	return out
}

// peerOf is the other end of a connection of three.
func peerOf(c conn) conn {
	out := conn{name: "a", local: c.remote, remote: c.local, localID: c.remoteID, remoteID: c.localID}
	for _, k := range c.children {
		out.children = append(out.children, kid{k.name, k.remote, k.local, "none", ""})
	}
	return out
}

// saIDs are the numbers of a connection's IKE SAs and of the CHILD SAs that carry traffic.
func saIDs(n *node, name string) (ikes, children []uint64) {
	for _, c := range n.info().Conns {
		if c.Conf.Name == name {
			for _, s := range c.SAs {
				ikes = append(ikes, s.ID)
				for _, x := range s.Children {
					if x.State == sa.ChildInstalled {
						children = append(children, x.ID)
					}
				}
			}
		}
	}
	return ikes, children
}

func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		conns := three()
		var peers []*node
		for _, c := range conns {
			peers = append(peers, f.start(c.remote, toml("", peerOf(c))))
		}
		a := f.start(addrA, toml("", conns...))
		settle(time.Second)
		if n := a.ikeSAs(); n != 3 {
			t.Fatalf("%d IKE SAs, want 3\n%s", n, a.log)
		}

		reload := func(text string) Changes {
			t.Helper()
			c, err := a.d.Reload(t.Context(), parse(t, text))
			if err != nil {
				t.Fatal(err)
			}
			settle(2 * time.Second)
			return c
		}
		type ids struct{ ikes, children []uint64 }
		all := func() map[string]ids {
			m := map[string]ids{}
			for _, c := range []string{"p2", "p3", "p4"} {
				i, ch := saIDs(a, c)
				m[c] = ids{i, ch}
			}
			return m
		}
		same := func(x, y ids) bool { return slices.Equal(x.ikes, y.ikes) && slices.Equal(x.children, y.children) }

		// Nothing has changed but lines and comments.
		before := all()
		ch := reload("# a comment\n\n" + toml("", conns...))
		if len(ch.Kept) != 3 || len(ch.Added)+len(ch.Removed)+len(ch.Changed)+len(ch.Restart) > 0 {
			t.Errorf("the same again: %s", ch)
		}
		for k, v := range all() {
			if !same(v, before[k]) {
				t.Errorf("the same again: the SAs of %s are others: %v, were %v", k, v, before[k])
			}
		}

		// A timer changes in place; one child of p3 changes, the other stays; p4 goes.
		next := three()[:2]
		next[0].extra = `dpd_delay = "7s"`
		next[1].children[0].local = "10.1.128.0/17"
		ch = reload(toml("", next...))
		if !slices.Equal(ch.Removed, []string{"p4"}) || len(ch.Changed) != 2 || !strings.HasPrefix(ch.Changed[0], "p2: dpd_delay (its SAs stay") ||
			!strings.HasPrefix(ch.Changed[1], "p3: child net: local_ts (its SA is deleted") {
			t.Errorf("changes: %s", ch)
		}
		now := all()
		if !same(now["p2"], before["p2"]) {
			t.Errorf("another dpd_delay: the SAs of p2 are others: %v, were %v", now["p2"], before["p2"])
		}
		if !slices.Equal(now["p3"].ikes, before["p3"].ikes) || len(now["p3"].children) != 2 {
			t.Errorf("another selector: IKE SAs of p3 %v, were %v\n"+a.log.String(), now["p3"], before["p3"])
		}
		if kept := slices.ContainsFunc(now["p3"].children, func(id uint64) bool { return slices.Contains(before["p3"].children, id) }); !kept {
			t.Errorf("another selector of one child: the other was not kept: %v, were %v", now["p3"], before["p3"])
		}
		if n := peers[2].ikeSAs(); n != 0 {
			t.Errorf("the peer of the removed connection has %d IKE SAs", n)
		}
		if n := strings.Count(a.log.String(), fmt.Sprintf(`connection=p3 ike_uniqueid=%d spi_in`, before["p3"].ikes[0])); n != 3 {
			t.Errorf("%d CHILD SAs of p3 were made, want the two at first and the changed one", n)
		}
		for _, x := range a.child("p3/net").SAs {
			if got := x.TS.String(); got != "10.1.128.0/17 === 10.3.0.0/16" {
				t.Errorf("the changed child has %s", got)
			}
		}

		// p4 comes back, and p2 has another identity, which its peer refuses.
		next = three()
		next[0].localID = "other.example"
		next[1].children[0].local = "10.1.128.0/17"
		ch = reload(toml("", next...))
		if !slices.Equal(ch.Added, []string{"p4"}) || len(ch.Changed) != 1 || !strings.Contains(ch.Changed[0], "p2: local.id; its SAs are deleted") {
			t.Errorf("changes: %s", ch)
		}
		if i, _ := saIDs(a, "p4"); len(i) != 1 {
			t.Errorf("the added connection has %d IKE SAs", len(i))
		}
		if n := peers[0].ikeSAs(); n != 0 {
			t.Errorf("the peer of the changed connection still has %d IKE SAs", n)
		}
		if l := a.last("p2"); l == nil {
			t.Error("the changed connection has no failure, and its peer does not know it")
		}

		// Keys that need a restart are named and not applied.
		ch = reload(toml("[tun]\nmtu = 1300\n[ike]\nport = 5000\nretransmit_tries = 2\n", next...))
		if !slices.Equal(ch.Restart, []string{"[tun]", "ike.port"}) {
			t.Errorf("restart: %q", ch.Restart)
		}
		if len(ch.Changed) > 0 { // the port that they call from is still the old one
			t.Errorf("changed: %q", ch.Changed)
		}

		// A bad file changes nothing, and is in the status.
		before = all()
		if err := a.d.ReloadFailed(t.Context(), errors.New("test.toml:3:1: unknown key")); err != nil {
			t.Fatal(err)
		}
		if i := a.info(); !strings.Contains(i.ReloadError, "unknown key") || i.ReloadFailed.IsZero() {
			t.Errorf("the failed reload is not in the status: %q", i.ReloadError)
		}
		for k, v := range all() {
			if k != "p2" && !same(v, before[k]) {
				t.Errorf("after a failed reload the SAs of %s are others", k)
			}
		}

		// Everything goes.
		ch = reload(toml("", conn{name: "x", local: addrA, remote: "192.0.2.9", localID: "a", remoteID: "x",
			children: []kid{{"net", "10.1.0.0/16", "10.9.0.0/16", "none", ""}}}))
		if len(ch.Removed) != 3 {
			t.Errorf("changes: %s", ch)
		}
		settle(time.Minute)
		a.stop()
		a.plane.empty(t)
		a.net.Empty(t)
		for _, p := range peers {
			p.stop()
			p.plane.empty(t)
		}
	})
}

// A changed start_action takes effect without touching the tunnel.
func TestReloadStartAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("none")))
		settle(time.Second)
		for _, step := range []struct {
			action  string
			without selector.Without
			up      bool
		}{{"trap", selector.Wait, false}, {"start", selector.Wait, true}, {"none", selector.Refuse, true}} {
			if _, err := a.d.Reload(t.Context(), parse(t, toml("", left(step.action)))); err != nil {
				t.Fatal(err)
			}
			settle(time.Second)
			if up := a.child("b/net").Up(); up != step.up {
				t.Errorf("start_action = %s: up is %v", step.action, up)
			}
			a.plane.mu.Lock()
			for _, p := range a.plane.spd {
				if p.Without != step.without {
					t.Errorf("start_action = %s: %+v", step.action, p)
				}
			}
			if len(a.plane.spd) != 1 {
				t.Errorf("start_action = %s: %d policies", step.action, len(a.plane.spd))
			}
			a.plane.mu.Unlock()
		}
		a.stop()
		b.stop()
		a.net.Empty(t)
	})
}

// Local addresses that no socket is bound to need a restart.
func TestReloadUnboundAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		a := f.start(addrA, toml("", left("none")), func(o *rigOptions) { o.Bound = []netip.Addr{netip.MustParseAddr(addrA)} })
		c := left("none")
		c.local = "192.0.2.77"
		ch, err := a.d.Reload(t.Context(), parse(t, toml("", c)))
		if err != nil || len(ch.Restart) != 1 || !strings.Contains(ch.Restart[0], "192.0.2.77") {
			t.Errorf("changes: %s, %v", ch, err)
		}
		a.stop()
	})
}

// TestReloadedKeyIsSaidOnce: another key of a connection is one change, whether its text or the content of its file is another.
func TestReloadedKeyIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := left("none")
		l.extra = "secret = \"Jv7mQ2xW9tRb4LkZ8cNd\""
		a := newFabric(t).start(addrA, toml("", l))
		l.extra = "secret = \"Pz3hT6yK1sGf5WnX0vBq\"\ndpd_delay = \"7s\""
		ch, err := a.d.Reload(t.Context(), parse(t, toml("", l)))
		if err != nil {
			t.Fatal(err)
		}
		const want = "b: dpd_delay (its SAs stay; new values from the next rekeying or timer on), the pre-shared key (its SAs stay; the new key from the next authentication on)"
		if !slices.Equal(ch.Changed, []string{want}) {
			t.Errorf("changed: %q", ch.Changed)
		}
		a.stop()
	})
}
