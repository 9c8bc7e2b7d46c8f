package gateway

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// twoConns is right with a connection for each of two networks, with the same identities.
func twoConns() []conn {
	office, voice := right("none"), right("none")
	office.name, voice.name = "office", "voice"
	office.children[0].local, voice.children[0].local = "10.2.0.0/24", "10.2.1.0/24"
	return []conn{office, voice}
}

// A peer that has one connection with both children brings the second up on the IKE SA of the first, as strongSwan does whenever two
// connections have the same addresses. It is the child of the connection that it is configured in: it can be terminated by that name, and goes when
// a reload takes that connection away, while the IKE SA stays.
func TestChildOfAnotherConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", twoConns()...))
		one := left("none")
		one.children = []kid{{"office", "10.1.0.0/16", "10.2.0.0/24", "none", ""}, {"voice", "10.1.0.0/16", "10.2.1.0/24", "none", ""}}
		a := f.start(addrA, toml("", one))
		settle(time.Second)
		up := func(name string) {
			t.Helper()
			if err := a.d.Initiate(t.Context(), Target{Child: name}, false, nil); err != nil {
				t.Fatal(err)
			}
			settle(5 * time.Second)
		}
		want := func(when, office, voice string) {
			t.Helper()
			if o, v := b.child("office/net").Phase, b.child("voice/net").Phase; o != office || v != voice || b.ikeSAs() != 1 {
				t.Errorf("%s: office %s, voice %s, %d IKE SAs", when, o, v, b.ikeSAs())
			}
		}
		up("office")
		up("voice")
		want("both", "up", "up")
		if got := b.selectorsOut(); !slices.Equal(got, []string{"10.2.0.0/24 === 10.1.0.0/16", "10.2.1.0/24 === 10.1.0.0/16"}) {
			t.Errorf("%s", got)
		}
		settle(5 * time.Hour) // rekeyings of all kinds
		want("after five hours", "up", "up")
		if r, err := b.d.Terminate(t.Context(), Target{Connection: "voice"}, false, false); err != nil || r.Matches != 1 || r.Gone != 1 {
			t.Errorf("%+v, %v", r, err)
		}
		settle(10 * time.Second)
		want("voice terminated", "up", "down")
		up("voice")
		want("voice again", "up", "up")
		if _, err := b.d.Reload(t.Context(), parse(t, toml("", twoConns()[:1]...))); err != nil {
			t.Fatal(err)
		}
		settle(10 * time.Second)
		if got := b.selectorsOut(); !slices.Equal(got, []string{"10.2.0.0/24 === 10.1.0.0/16"}) {
			t.Errorf("after the reload: %s", got)
		}
		if n := b.ikeSAs(); n != 1 {
			t.Errorf("%d IKE SAs after the reload", n)
		}
	})
}

// Other credentials are another door.
func TestSiblingsHaveTheSameCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		conns := twoConns()
		other := right("none")
		other.name, other.remoteID, other.children[0].local = "other", "c.example", "10.2.2.0/24"
		far := right("none")
		far.name, far.remote, far.children[0].local = "far", "198.51.100.77", "10.2.3.0/24"
		b := f.start(addrB, toml("", append(conns, other, far)...))
		f.start(addrA, toml("", left("start")))
		settle(time.Second)
		var got []string
		if err := b.d.call(t.Context(), func(time.Time) {
			for _, e := range b.d.table.all() {
				for _, c := range b.d.siblings(e.m) {
					got = append(got, c.Name)
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, []string{"voice"}) {
			t.Errorf("%v", got)
		}
	})
}
