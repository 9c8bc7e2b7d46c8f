package gateway

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// Two post-quantum preshared keys, which no log may have.
const (
	ppkOne = "first-post-quantum-key-7Gq2Zx9w-Lm4-and-some-more-octets"
	ppkTwo = "second-post-quantum-key-Kd83Hs1-Tz0-and-some-more-octets"
)

// withPPK adds keys to a connection.
func withPPK(c conn, keys string) conn {
	c.extra += "\n" + keys
	return c
}

func ppkTable(id, key string) string {
	return "[secrets.ppk.x]\nid = \"" + id + "\"\nsecret = \"" + key + "\"\n"
}

// TestPPK: two daemons live for hours with a post-quantum preshared key on top of ML-KEM, through rekeyings, and can say so;
// a new key counts from the next authentication on, and who requires one makes its SAs again.
func TestPPK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		lives := hybridIKE + "rekey_time = \"20m\"\nover_time = \"5m\"\nrand_time = \"0s\"\n"
		l, r := withPPK(left("start"), lives+"ppk_id = \"office\""), withPPK(right("none"), lives)
		b := f.start(addrB, toml(ppkTable("office", ppkOne), r))
		a := f.start(addrA, toml(ppkTable("office", ppkOne), l))
		up := func(want string) {
			t.Helper()
			if n := paired(t, a, b); n != 1 || a.ikeSAs() != 1 || b.ikeSAs() != 1 {
				t.Fatalf("%d children, %d and %d IKE SAs", n, a.ikeSAs(), b.ikeSAs())
			}
			for _, n := range []*node{a, b} {
				if s := n.info().Conns[0].SAs[0]; s.PPK != want {
					t.Fatalf("the status shows PPK %q, want %q", s.PPK, want)
				}
			}
		}
		reload := func(n *node, text string) Changes {
			t.Helper()
			c, err := n.d.Reload(context.Background(), parse(t, text))
			if err != nil {
				t.Fatal(err)
			}
			settle(5 * time.Second)
			return c
		}
		for range 12 {
			settle(15 * time.Minute)
			up("office")
		}

		// Another key on one side: nothing happens to the SAs until they are reauthenticated.
		if c := reload(b, toml(ppkTable("office", ppkTwo), r)); len(c.Changed) != 0 {
			t.Errorf("b: %v", c) // its connection names none, so that nobody can say whose key it is
		}
		c := reload(a, toml(ppkTable("office", ppkTwo), l))
		if len(c.Changed) != 1 || !strings.Contains(c.Changed[0], "the post-quantum preshared key (its SAs stay") {
			t.Errorf("a: %v", c)
		}
		up("office")

		// A requirement concerns the authentication.
		c = reload(b, toml(ppkTable("office", ppkTwo), withPPK(r, "ppk_id = \"office\"\nppk_required = true")))
		if len(c.Changed) != 1 || !strings.Contains(c.Changed[0], "ppk_id, ppk_required; its SAs are deleted and made again") {
			t.Errorf("b: %v", c)
		}
		settle(2 * time.Minute)
		up("office")

		// Without the key on one side, the other refuses it, and says what is missing.
		c = reload(a, toml("", withPPK(left("start"), lives)))
		if len(c.Changed) != 1 || !strings.Contains(c.Changed[0], "ppk_id") {
			t.Errorf("a: %v", c)
		}
		settle(10 * time.Second)
		if r := b.last("a"); r == nil || r.Failure.Code != diag.CodePPK || !strings.Contains(r.Failure.Error(), "ppk_required") {
			t.Errorf("b reports %v", r)
		}
		if r := a.last("b"); r == nil || r.Failure.Code != diag.CodeAuthRefused {
			t.Errorf("a reports %v", r)
		}

		// And by the last reload it is optional again.
		reload(b, toml(ppkTable("office", ppkTwo), r))
		settle(2 * time.Minute)
		up("")
		a.stop()
		settle(time.Minute)
		b.stop()
		a.plane.empty(t)
		b.plane.empty(t)
		for _, n := range []*node{a, b} {
			for _, key := range []string{ppkOne, ppkTwo} {
				if strings.Contains(n.log.String(), key) || strings.Contains(n.log.String(), key[:12]) {
					t.Error("a key is in the log")
				}
			}
		}
	})
}

// An IKE SA that was made without the PPK of its connection is worth a warning.
func TestUnusedPPKIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml(ppkTable("office", ppkOne), withPPK(left("start"), "ppk_id = \"office\"")))
		settle(time.Second)
		paired(t, a, b)
		wantLine(t, a, "level=WARN", "the PPK of the connection is not used", "ppk_id=office")
		if strings.Contains(a.log.String()+b.log.String(), ppkOne) {
			t.Error("the key is in the log")
		}
	})
}

// A key that one connection names is for that one: a peer of a connection that names none can't use it, and is not asked for it.
func TestPPKOfAnotherConnection(t *testing.T) {
	for _, free := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			keys, other := ppkTable("office", ppkOne), right("none")
			if free {
				keys += strings.Replace(ppkTable("for-all", ppkTwo), "ppk.x", "ppk.y", 1)
			}
			other.name, other.remote, other.remoteID = "other", addrC, "c.example"
			b := f.start(addrB, toml(keys, right("none"), withPPK(other, "ppk_id = \"office\"")))
			a := f.start(addrA, toml(ppkTable("office", ppkOne), withPPK(left("start"), "ppk_id = \"office\"")))
			settle(time.Second)
			paired(t, a, b)
			for _, n := range []*node{a, b} {
				for _, s := range n.info().Conns[0].SAs {
					if s.PPK != "" {
						t.Errorf("with another key that is free %t: %s uses PPK %q", free, n.addr, s.PPK)
					}
				}
			}
		})
	}
}
