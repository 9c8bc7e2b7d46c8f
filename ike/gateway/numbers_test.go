package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/sa"
)

// numbersOf writes the SAs of a node as "#IKE: child#CHILD/REQID …".
func numbersOf(n *node) (out []string) {
	for _, c := range n.info().Conns {
		for _, s := range c.SAs {
			text := fmt.Sprintf("#%d:", s.ID)
			for _, x := range s.Children {
				if x.State == sa.ChildInstalled {
					text += fmt.Sprintf(" %s#%d/%d", x.Name, x.ID, x.ReqID)
				}
			}
			out = append(out, text)
		}
	}
	return out
}

// Both kinds of SAs are numbered from 1, and the selectors have numbers of their own: what charon 5.9.8 says in the same steps.
func TestNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		conf := func(c conn, tcp string) string {
			c.children = append(c.children, kid{"tcp", c.children[0].local + "[tcp]", c.children[0].remote + "[tcp" + tcp + "]", "none", ""},
				kid{"udp", c.children[0].local + "[udp]", c.children[0].remote + "[udp]", "none", ""})
			return toml("", c)
		}
		f.start(addrB, conf(right("none"), ""))
		a := f.start(addrA, conf(left("none"), "/22"))
		want := func(when string, want ...string) {
			t.Helper()
			if got := numbersOf(a); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		initiate := func(name string) {
			t.Helper()
			if err := a.d.Initiate(t.Context(), Target{Child: name}, false, nil); err != nil {
				t.Fatal(err)
			}
			settle(time.Second)
		}
		initiate("net")
		initiate("tcp")
		want("at first", "#1: net#1/1 tcp#2/2")
		if r, err := a.d.Terminate(t.Context(), Target{ChildID: 2}, false, false); err != nil || r.Gone != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		settle(20 * time.Second) // the inbound direction has gone
		if _, err := a.d.Rekey(t.Context(), Target{ChildID: 1}); err != nil {
			t.Fatal(err)
		}
		settle(20 * time.Second)
		initiate("udp")
		initiate("tcp")
		want("one rekeyed, one made in the place of another", "#1: net#3/1 udp#4/2 tcp#5/3")
		if _, err := a.d.Rekey(t.Context(), Target{IKEID: 1}); err != nil {
			t.Fatal(err)
		}
		settle(20 * time.Second)
		want("the IKE SA rekeyed", "#2: net#3/1 udp#4/2 tcp#5/3")
	})
}

// Equal selectors have one number, whatever peer they are for, and none that the configuration gives to a child.
func TestReqIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		f.start(addrB, toml("", right("none")))
		other := right("none")
		other.local, other.localID = addrC, "c.example"
		f.start(addrC, toml("", other))
		one, two := left("none"), left("none")
		two.name, two.remote, two.remoteID = "c", addrC, "c.example"
		one.children = append(one.children, kid{"fixed", "10.1.0.0/16", "10.2.9.0/24", "none", "reqid = 1"})
		a := f.start(addrA, toml("", one, two))
		for _, x := range []Target{{Connection: "b", Child: "net"}, {Connection: "c", Child: "net"}, {Child: "fixed"}} {
			if err := a.d.Initiate(t.Context(), x, false, nil); err != nil {
				t.Fatal(err)
			}
		}
		settle(time.Second)
		if got, want := numbersOf(a), []string{"#1: net#1/2 fixed#3/1", "#2: net#2/2"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if _, err := a.d.Terminate(t.Context(), Target{Connection: "b", Child: "net"}, false, false); err != nil {
			t.Fatal(err)
		}
		settle(20 * time.Second)
		if got, want := numbersOf(a), []string{"#1: fixed#3/1", "#2: net#2/2"}; !slices.Equal(got, want) {
			t.Errorf("one of two gone: %q, want %q", got, want)
		}
	})
}

// A number that a reload takes from a child of the configuration goes to the next CHILD SA that needs one: the lowest first.
func TestReqIDIsFreedByReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		f.start(addrB, toml("", right("none")))
		one := left("none")
		fixed := kid{"fixed", "10.1.0.0/16", "10.2.9.0/24", "none", "reqid = 1"}
		one.children = append(one.children, fixed)
		a := f.start(addrA, toml("", one))
		if err := a.d.Initiate(t.Context(), Target{Child: "net"}, false, nil); err != nil {
			t.Fatal(err)
		}
		one.children[len(one.children)-1].extra = ""
		if _, err := a.d.Reload(t.Context(), parse(t, toml("", one))); err != nil {
			t.Fatal(err)
		}
		if err := a.d.Initiate(t.Context(), Target{Child: "fixed"}, false, nil); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		if got, want := numbersOf(a), []string{"#1: net#1/2 fixed#2/1"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// charon 5.9.8 as a responder counts an IKE SA for each IKE_SA_INIT that it answers, whatever it answers, but for a cookie. As an
// initiator it goes on with the one it has.
func TestRefusedAttemptsHaveNumbers(t *testing.T) {
	for _, c := range []struct {
		name, head, proposalsA, want string
	}{
		{"another group", "", `proposals = ["aes128-sha256-ecp256-modp2048"]`, "#2: net#1/1"},
		{"a cookie", "[ike]\ncookie_threshold = 0\n", `proposals = ["aes128-sha256-modp2048"]`, "#1: net#1/1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				one, two := left("none"), right("none")
				one.extra, two.extra = c.proposalsA, `proposals = ["aes128-sha256-modp2048"]`
				b := f.start(addrB, toml(c.head, two))
				a := f.start(addrA, toml("", one))
				if err := a.d.Initiate(t.Context(), Target{Child: "net"}, false, nil); err != nil {
					t.Fatal(err)
				}
				settle(time.Second)
				if got := numbersOf(b); !slices.Equal(got, []string{c.want}) {
					t.Errorf("responder: %q, want %q", got, c.want)
				}
				if asked := strings.Contains(b.log.String(), "reason="+string(sa.IgnoreCookie)); asked != (c.head != "") {
					t.Errorf("a cookie was asked for: %v", asked)
				}
				if got := numbersOf(a); !slices.Equal(got, []string{"#1: net#1/1"}) {
					t.Errorf("initiator: %q", got)
				}
			})
		})
	}
}
