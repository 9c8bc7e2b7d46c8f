package gateway

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
)

// What is taken down and shut stays down until it is initiated, also against a peer that starts. The peer waits, and both ends say why.
func TestShutHoldsAgainstPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("start")))
		a := f.start(addrA, toml("", left("start")))
		settle(30 * time.Second)
		wantUp(t, a, b)
		if r, err := a.d.Shut(t.Context(), Target{Connection: "b"}); err != nil || r.Matches != r.Gone || r.Gone == 0 {
			t.Errorf("Shut: %+v, %v", r, err)
		}
		for range 60 {
			settle(10 * time.Second)
			if h := a.child("b/net"); h.Up() || !h.Held || !h.Shut || !strings.Contains(h.WaitsFor, "terminated by command") {
				t.Fatalf("b/net is %s after it was shut, waits for %q", h.Phase, h.WaitsFor)
			}
		}
		here := a.last("b")
		if here == nil || here.Failure.Code != diag.CodeTerminated || !strings.Contains(here.Failure.Error(), "esplanade initiate b") {
			t.Fatalf("this side says %v", here)
		}
		// The pauses of the peer grow to a minute.
		if here.Count < 9 || here.Count > 25 {
			t.Errorf("the peer has asked %d times in ten minutes", here.Count)
		}
		there := b.last("a")
		if there == nil || there.Failure.Code != diag.CodePeerError || !strings.Contains(there.Failure.Error(), "TEMPORARY_FAILURE") ||
			!strings.Contains(there.Failure.Error(), "terminated") {
			t.Errorf("the peer says %v", there)
		}
		for _, p := range a.plane.spd {
			if p.Without != selector.Refuse {
				t.Errorf("packets find the policy %+v", p)
			}
		}
		if a.ikeSAs() != 0 {
			t.Errorf("%d IKE SAs", a.ikeSAs())
		}
		if r, err := a.d.Shut(t.Context(), Target{Connection: "b"}); err != nil || r.Matches != 0 {
			t.Errorf("to shut what is down: %+v, %v", r, err)
		}
		if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil {
			t.Errorf("Initiate: %v", err)
		}
		settle(5 * time.Minute)
		wantUp(t, a, b)
		if x, y := a.last("b"), b.last("a"); x != nil || y != nil {
			t.Errorf("a failure is left: %v, %v", x, y)
		}
		a.stop()
		b.stop()
	})
}

// What strongSwan's command takes down, this side does not bring up; its peer may.
func TestTerminateLeavesItToThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("start")))
		a := f.start(addrA, toml("", left("start")))
		settle(30 * time.Second)
		if _, err := a.d.Terminate(t.Context(), Target{Connection: "b"}, false, false); err != nil {
			t.Error(err)
		}
		settle(10 * time.Second)
		wantUp(t, a, b)
		b.crash()
		settle(10 * time.Minute)
		if h := a.child("b/net"); h.Phase != string(phaseDown) || !h.Held || h.Shut {
			t.Errorf("b/net is %s, held %v, shut %v", h.Phase, h.Held, h.Shut)
		}
		a.stop()
	})
}

// What strongSwan's command takes down comes up again with the next packet where there is a trap, also if it was only on its way when it was
// taken down. What this program's own command takes down does not.
func TestTerminateLeavesTheTrap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("trap")))
		settle(time.Second)
		packet := selector.Packet{Src: netip.MustParseAddr("10.1.0.1"), Dst: netip.MustParseAddr("10.2.0.1"), Protocol: 17}
		send := func() {
			for policy := range a.plane.spd {
				a.d.Acquire(policy, packet)
			}
			settle(5 * time.Second)
		}
		trapped := func(when string) {
			t.Helper()
			h := a.child("b/net")
			if h.Up() || h.Held || h.Phase != "trapped" {
				t.Errorf("%s: b/net is %s, held %v", when, h.Phase, h.Held)
			}
			for _, p := range a.plane.spd {
				if p.Without != selector.Wait {
					t.Errorf("%s: packets find the policy %+v", when, p)
				}
			}
		}
		send()
		wantUp(t, a, b)
		for _, target := range []Target{{Connection: "b"}, {Child: "net"}} {
			if r, err := a.d.Terminate(t.Context(), target, false, false); err != nil || r.Gone == 0 {
				t.Errorf("%s: %+v, %v", target, r, err)
			}
			settle(10 * time.Minute)
			trapped(target.String())
			send()
			wantUp(t, a, b)
		}
		// The request for the child is on its way, and the IKE SA stays.
		if _, err := a.d.Terminate(t.Context(), Target{Child: "net"}, false, false); err != nil {
			t.Error(err)
		}
		settle(10 * time.Second)
		f.setDeliver(func(_, _ netip.AddrPort, _ []byte) bool { return false })
		send()
		_, _ = a.d.Terminate(t.Context(), Target{Child: "net"}, false, false)
		f.setDeliver(nil)
		settle(time.Minute)
		trapped("taken down on its way")
		send()
		wantUp(t, a, b)

		if _, err := a.d.Shut(t.Context(), Target{Connection: "b"}); err != nil {
			t.Error(err)
		}
		if _, err := a.d.Terminate(t.Context(), Target{Connection: "b"}, false, false); err == nil {
			t.Error("there is nothing to terminate, and it is no error")
		}
		send()
		if h := a.child("b/net"); h.Up() || !h.Held || !h.Shut {
			t.Errorf("after it was shut b/net is %s, held %v, shut %v", h.Phase, h.Held, h.Shut)
		}
		a.stop()
		b.stop()
	})
}

// A child that is shut stays down while another one of the connection goes on; its IKE SA can be ended by number, and comes back
// without it.
func TestShutChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		l, r := left("start"), right("none")
		l.children = append(l.children, kid{"voice", "10.1.0.0/16", "10.3.0.0/16", "start", ""})
		r.children = append(r.children, kid{"voice", "10.3.0.0/16", "10.1.0.0/16", "none", ""})
		b, a := f.start(addrB, toml("", r)), f.start(addrA, toml("", l))
		settle(time.Second)
		want := func(when string, net, voice bool) {
			t.Helper()
			if n, v := b.child("a/net"), b.child("a/voice"); n.Up() != net || v.Up() != voice {
				t.Errorf("%s: net is %s, voice %s", when, n.Phase, v.Phase)
			}
		}
		want("at first", true, true)
		if got, err := b.d.Shut(t.Context(), Target{Connection: "a", Child: "net"}); err != nil || got.Gone != 1 {
			t.Errorf("%+v, %v", got, err)
		}
		settle(5 * time.Minute)
		want("net is shut", false, true)
		there := a.last("b")
		if there == nil || !strings.Contains(there.Failure.Error(), "NO_ADDITIONAL_SAS") || !strings.Contains(there.Failure.Error(), "terminated") {
			t.Errorf("the peer says %v", there)
		}
		id := b.info().Conns[0].SAs[0].ID
		if _, err := b.d.Terminate(t.Context(), Target{Connection: "a", IKEID: id}, false, false); err != nil {
			t.Error(err)
		}
		settle(2 * time.Minute)
		want("the IKE SA was ended by number", false, true)
		// What has had that number is up again, by another one.
		if _, err := b.d.Terminate(t.Context(), Target{IKEID: id}, false, false); err == nil || strings.Contains(err.Error(), "down already") ||
			!strings.Contains(err.Error(), "has its number until it ends") {
			t.Error(err)
		}
		if _, err := b.d.Terminate(t.Context(), Target{Child: "net"}, false, false); err == nil || !strings.Contains(err.Error(), "it is down already, and stays so") {
			t.Error(err)
		}
		if _, err := b.d.Reload(t.Context(), parse(t, toml("", r))); err != nil {
			t.Error(err)
		}
		settle(5 * time.Minute)
		want("after a reload", false, true)
		if err := b.d.Initiate(t.Context(), Target{Connection: "a", Child: "net"}, false, nil); err != nil {
			t.Error(err)
		}
		settle(5 * time.Minute)
		want("initiated", true, true)
		a.stop()
		b.stop()
	})
}

// A reload that makes a connection again, or adds a child to it, leaves it shut.
func TestShutSurvivesReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		r := right("none")
		b, a := f.start(addrB, toml("", r)), f.start(addrA, toml("", left("start")))
		settle(time.Second)
		if _, err := b.d.Shut(t.Context(), Target{Connection: "a"}); err != nil {
			t.Error(err)
		}
		selectors := r
		selectors.children = []kid{{"net", "10.2.0.0/15", "10.1.0.0/16", "none", ""}}
		again := r
		again.extra = "encap = false"
		more := again
		more.children = append(more.children[:1:1], kid{"voice", "10.3.0.0/16", "10.1.0.0/16", "none", ""})
		starting := more
		starting.children = []kid{{"net", "10.2.0.0/16", "10.1.0.0/16", "start", ""}, more.children[1]}
		for what, c := range map[string]conn{"selectors": selectors, "made again": again, "another child": more, "start_action": starting} {
			if _, err := b.d.Reload(t.Context(), parse(t, toml("", c))); err != nil {
				t.Error(err)
			}
			settle(3 * time.Minute)
			if h := b.child("a/net"); h.Up() || !h.Shut || b.ikeSAs() > 0 {
				t.Errorf("%s: net is %s, shut %v, %d IKE SAs", what, h.Phase, h.Shut, b.ikeSAs())
			}
			for _, h := range b.info().Conns[0].Children {
				if !h.Shut {
					t.Errorf("%s: %s is not shut", what, h.Conf.Name)
				}
			}
		}
		a.stop()
		b.stop()
	})
}

// To shut a connection that many peers share shuts all of them out; to initiate it lets them in again, although this side can call none
// of them, which the command says.
func TestShutConnectionOfManyPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", called("*.example", "no")))
		a := f.start(addrA, toml("", callerAt(addrA, "a.example", "10.1.1.0/24")))
		c := f.start(addrC, toml("", callerAt(addrC, "c.example", "10.1.2.0/24")))
		settle(10 * time.Second)
		name := b.info().Conns[0].Conf.Name
		if n := b.ikeSAs(); n != 2 {
			t.Fatalf("%d IKE SAs", n)
		}
		if got, err := b.d.Shut(t.Context(), Target{Connection: name}); err != nil || got.Gone != 2 {
			t.Errorf("%+v, %v", got, err)
		}
		settle(5 * time.Minute)
		if n := b.ikeSAs(); n != 0 || !b.info().Conns[0].Shut {
			t.Errorf("%d IKE SAs, shut %v", n, b.info().Conns[0].Shut)
		}
		err := b.d.Initiate(t.Context(), Target{Connection: name}, false, nil)
		var failure *diag.Failure
		if !errors.As(err, &failure) || !strings.Contains(err.Error(), "not kept down any more") {
			t.Errorf("Initiate: %v", err)
		}
		settle(3 * time.Minute)
		if n := b.ikeSAs(); n != 2 {
			t.Errorf("%d IKE SAs after the connection was initiated", n)
		}
		for _, n := range []*node{a, b, c} {
			n.stop()
		}
	})
}

// A command crosses what it takes back: the peer's answer that brings a child up, an IKE SA that is being made or made again.
func TestShutCrosses(t *testing.T) {
	for _, by := range []string{"connection", "child"} {
		for _, doing := range []string{"connecting", "rekeying", "reauthenticating", "peer reauthenticates", "peer connects"} {
			for after := time.Duration(0); after < 12*latency; after += latency {
				synctest.Test(t, func(t *testing.T) {
					f := newFabric(t)
					peer := "start"
					if doing == "connecting" {
						peer = "none" // or its own attempt comes first
					}
					b := f.start(addrB, toml("", right(peer)))
					a := f.start(addrA, toml("", left("none")))
					settle(30 * time.Second)
					x := Target{Connection: "b"}
					switch doing {
					case "connecting":
						_ = a.d.Initiate(t.Context(), x, true, nil)
					case "rekeying":
						_, _ = a.d.Rekey(t.Context(), x)
						_, _ = a.d.Rekey(t.Context(), Target{Connection: "b", Child: "net"})
					case "reauthenticating":
						_, _ = a.d.Reauthenticate(t.Context(), x)
					case "peer reauthenticates":
						_, _ = b.d.Reauthenticate(t.Context(), Target{Connection: "a"})
					case "peer connects":
						_, _ = b.d.Terminate(t.Context(), Target{Connection: "a"}, false, false)
						_ = b.d.Initiate(t.Context(), Target{Connection: "a"}, true, nil)
					}
					settle(after)
					if by == "child" {
						x.Child = "net"
					}
					if _, err := a.d.Shut(t.Context(), x); err != nil {
						t.Errorf("%s %s after %s: %v", by, doing, after, err)
					}
					settle(4 * time.Minute) // a peer that was not told finds out by itself
					if h := a.child("b/net"); h.Up() || !h.Shut {
						t.Errorf("%s %s after %s: net is %s, shut %v\n%s", by, doing, after, h.Phase, h.Shut, a.log)
					}
					if n := paired(t, a, b); n != 0 {
						t.Errorf("%s %s after %s: %d CHILD SAs", by, doing, after, n)
					}
					if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil {
						t.Errorf("%s %s after %s: %v", by, doing, after, err)
					}
					settle(5 * time.Minute)
					if !a.child("b/net").Up() || !b.child("a/net").Up() {
						t.Errorf("%s %s after %s: not up after it was initiated", by, doing, after)
					}
					a.stop()
					b.stop()
				})
			}
		}
	}
}

// Of two connections for one peer, the one that is shut does not keep it from the other, neither by an IKE_AUTH without a child nor
// through an IKE SA of the other.
func TestShutSibling(t *testing.T) {
	for _, childless := range []string{"allow", "prefer"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			b := f.start(addrB, toml("", twoConns()...))
			one := left("start")
			one.extra = "childless = \"" + childless + "\""
			one.children = []kid{{"office", "10.1.0.0/16", "10.2.0.0/24", "start", ""}, {"voice", "10.1.0.0/16", "10.2.1.0/24", "start", ""}}
			if _, err := b.d.Shut(t.Context(), Target{Connection: "office"}); err != nil {
				t.Error(err)
			}
			a := f.start(addrA, toml("", one))
			settle(5 * time.Minute)
			if o, v := b.child("office/net"), b.child("voice/net"); o.Up() || childless == "prefer" && !v.Up() {
				t.Errorf("childless = %s: office is %s, voice %s\n%s", childless, o.Phase, v.Phase, b.log)
			}
			_ = b.d.Initiate(t.Context(), Target{Connection: "office"}, false, nil)
			settle(5 * time.Minute)
			if o, v := b.child("office/net"), b.child("voice/net"); !o.Up() || !v.Up() {
				t.Errorf("childless = %s: office is %s, voice %s at last", childless, o.Phase, v.Phase)
			}
			a.stop()
			b.stop()
		})
	}
}

// The same for one child of a connection that goes on.
func TestShutCrossesChild(t *testing.T) {
	for after := time.Duration(0); after < 4*latency; after += latency {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			l, r := left("none"), right("none")
			l.children = append(l.children, kid{"voice", "10.1.0.0/16", "10.3.0.0/16", "start", ""})
			r.children = append(r.children, kid{"voice", "10.3.0.0/16", "10.1.0.0/16", "none", ""})
			b, a := f.start(addrB, toml("", r)), f.start(addrA, toml("", l))
			settle(time.Second)
			_ = a.d.Initiate(t.Context(), Target{Child: "net"}, true, nil)
			settle(after)
			if _, err := a.d.Shut(t.Context(), Target{Child: "net"}); err != nil {
				t.Error(err)
			}
			settle(time.Minute)
			if h, v := a.child("b/net"), a.child("b/voice"); h.Up() || !v.Up() || paired(t, a, b) != 1 {
				t.Errorf("after %s: net is %s, voice %s", after, h.Phase, v.Phase)
			}
			a.stop()
			b.stop()
		})
	}
}

// What a command takes down without shutting it is not brought up by this side either, although it was about to ask for it again: by an
// attempt, a rekeying, or a reauthentication.
func TestTerminateCrosses(t *testing.T) {
	for _, by := range []string{"connection", "child"} {
		for _, doing := range []string{"connecting", "rekeying", "reauthenticating"} {
			for after := time.Duration(0); after < 12*latency; after += latency {
				synctest.Test(t, func(t *testing.T) {
					f := newFabric(t)
					b := f.start(addrB, toml("", right("none")))
					a := f.start(addrA, toml("", left("none")))
					x := Target{Connection: "b"}
					_ = a.d.Initiate(t.Context(), x, true, nil)
					if doing != "connecting" {
						settle(30 * time.Second)
						wantUp(t, a, b)
					}
					switch doing {
					case "rekeying":
						_, _ = a.d.Rekey(t.Context(), x)
						_, _ = a.d.Rekey(t.Context(), Target{Connection: "b", Child: "net"})
					case "reauthenticating":
						_, _ = a.d.Reauthenticate(t.Context(), x)
					}
					settle(after)
					if by == "child" {
						x.Child = "net"
					}
					_, _ = a.d.Terminate(t.Context(), x, false, false) // there may be nothing to end yet
					settle(4 * time.Minute)
					if h := a.child("b/net"); h.Up() || !h.Held || paired(t, a, b) != 0 {
						t.Errorf("%s %s after %s: net is %s, held %v\n%s", by, doing, after, h.Phase, h.Held, a.log)
					}
					if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil || !a.child("b/net").Up() {
						t.Errorf("%s %s after %s: not up after it was initiated: %v", by, doing, after, err)
					}
					a.stop()
					b.stop()
				})
			}
		}
	}
}

// The same for one pair of networks after the other, which are asked for while the child is up.
func TestTerminateCrossesPairs(t *testing.T) {
	for after := time.Duration(0); after < 16*latency; after += latency {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			b := f.start(addrB, toml("", onePair("00", "01", "10", "11")))
			a := f.start(addrA, toml("", manyNets("start")))
			settle(after)
			_, _ = a.d.Terminate(t.Context(), Target{Connection: "b", Child: "net"}, false, false)
			settle(10 * time.Minute)
			if h := a.child("b/net"); h.Up() || len(h.SAs) != 0 {
				t.Errorf("after %s: net is %s with %d CHILD SAs", after, h.Phase, len(h.SAs))
			}
			a.stop()
			b.stop()
		})
	}
}
