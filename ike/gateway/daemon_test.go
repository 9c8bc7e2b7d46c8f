package gateway

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
)

// wantUp fails the test unless a child is up at both ends and the ends agree.
func wantUp(t *testing.T, a, b *node) {
	t.Helper()
	if h := a.child("b/net"); !h.Up() {
		t.Errorf("%s: b/net is %s, waits for %s, last failure %v", a.addr, h.Phase, h.WaitsFor, h.Last)
	}
	if h := b.child("a/net"); !h.Up() {
		t.Errorf("%s: a/net is %s", b.addr, h.Phase)
	}
	if n := paired(t, a, b); n != 1 {
		t.Errorf("%d CHILD SAs, want 1", n)
	}
}

func TestStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		wantUp(t, a, b)
		a.stop()
		settle(time.Second)
		if n := b.ikeSAs(); n != 0 {
			t.Errorf("%d IKE SAs at the peer after a shutdown in good order", n)
		}
		b.stop()
		for _, n := range []*node{a, b} {
			n.plane.empty(t)
			n.net.Empty(t)
			if strings.Contains(n.log.String(), testKey) {
				t.Error("the pre-shared key is in the log")
			}
		}
	})
}

// A packet brings a tunnel up; when it cannot come up, the packets that wait are given up.
func TestTrapAcquire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("trap")))
		settle(time.Second)
		if h := a.child("b/net"); h.Phase != "trapped" {
			t.Fatalf("b/net is %s", h.Phase)
		}
		var policy uint64
		a.plane.mu.Lock()
		for p, ts := range a.plane.spd {
			policy = p
			if got := ts.String(); got != "10.1.0.0/16 === 10.2.0.0/16" {
				t.Errorf("policy for %s", got)
			}
		}
		a.plane.mu.Unlock()
		packet := selector.Packet{Src: netip.MustParseAddr("10.1.0.1"), Dst: netip.MustParseAddr("10.2.0.1"), Protocol: 17}
		f.setDeliver(func(_, _ netip.AddrPort, _ []byte) bool { return false })
		a.d.Acquire(policy, packet)
		settle(5 * time.Minute)
		if h, last := a.child("b/net"), a.last("b"); h.Phase != "trapped" || last == nil || last.Failure.Code != diag.CodeTimeoutInit {
			t.Errorf("with a silent peer b/net is %s, last failure %v", h.Phase, last)
		}
		a.plane.mu.Lock()
		if a.plane.failed[policy] == 0 {
			t.Error("the waiting packet was not given up")
		}
		a.plane.mu.Unlock()
		f.setDeliver(nil)
		a.d.Acquire(policy, packet)
		settle(time.Second)
		wantUp(t, a, b)
		carries := func(when string) {
			t.Helper()
			a.plane.mu.Lock()
			defer a.plane.mu.Unlock()
			for id, p := range a.plane.policies {
				if p != policy {
					t.Errorf("%s: CHILD SA %d has policy %d, the packet waits for %d", when, id, p, policy)
				}
			}
		}
		carries("at first")
		if _, err := a.d.Rekey(t.Context(), Target{Child: "net"}); err != nil {
			t.Error(err)
		}
		settle(time.Second)
		carries("after a rekeying")
		a.stop()
		b.stop()
	})
}

// Both sides want the tunnel at the same moment: one IKE SA and one CHILD SA are left.
func TestBothStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("start")))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Minute)
		wantUp(t, a, b)
		if n, m := a.ikeSAs(), b.ikeSAs(); n != 1 || m != 1 {
			t.Errorf("%d and %d IKE SAs are left, want one", n, m)
		}
		if x, y := a.last("b"), b.last("a"); x != nil || y != nil {
			t.Errorf("a failure is left: %v, %v", x, y)
		}
		a.stop()
		b.stop()
	})
}

// A peer that dies is noticed, and the tunnel is back by itself when it returns; whichever end it is.
func TestPeerRestarts(t *testing.T) {
	for _, who := range []string{"responder", "initiator"} {
		t.Run(who, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				b := f.start(addrB, toml("", right("none")))
				a := f.start(addrA, toml("", left("start")))
				settle(time.Second)
				wantUp(t, a, b)
				if who == "responder" {
					b.crash()
					settle(5 * time.Minute)
					if h := a.child("b/net"); h.Up() {
						t.Error("the dead peer was not noticed")
					}
					b = f.start(addrB, toml("", right("none")))
				} else {
					a.crash()
					a = f.start(addrA, toml("", left("start")))
				}
				settle(2 * time.Minute)
				wantUp(t, a, b)
				if n, m := a.ikeSAs(), b.ikeSAs(); n != 1 || m != 1 {
					t.Errorf("%d and %d IKE SAs are left, want one", n, m)
				}
				a.stop()
				b.stop()
			})
		})
	}
}

// Attempts to reach a silent peer are spaced, go on for ever, and say what is wrong.
func TestSilentPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		a := f.start(addrA, toml("", left("start")))
		settle(time.Hour)
		last := a.last("b")
		if last == nil || last.Failure.Code != diag.CodeTimeoutInit {
			t.Fatalf("last failure %v", last)
		}
		if text := last.Failure.Error(); !strings.Contains(text, addrB) || !strings.Contains(text, "Fix:") {
			t.Errorf("the failure names neither the peer nor a fix: %s", text)
		}
		// With the default timers an attempt takes 83 s, and a pause is a minute at most.
		if n := last.Count; n < 3600/(83+60)-1 || n > 3600/83+1 {
			t.Errorf("%d attempts in an hour", n)
		}
		b := f.start(addrB, toml("", right("none")))
		settle(4 * time.Minute)
		wantUp(t, a, b)
		a.stop()
		b.stop()
	})
}

// keyingtries ends the attempts; a command begins again.
func TestKeyingTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		c := left("start")
		c.extra = "keyingtries = 2"
		a := f.start(addrA, toml("", c))
		settle(time.Hour)
		h := a.child("b/net")
		if h.Phase != "down" || a.last("b") == nil || a.last("b").Count != 2 || !strings.Contains(h.WaitsFor, "keyingtries") {
			t.Errorf("after keyingtries: %s, waits for %q, %v", h.Phase, h.WaitsFor, a.last("b"))
		}
		err := a.d.Initiate(t.Context(), Target{Child: "net"}, false, nil)
		var failure *diag.Failure
		if !errors.As(err, &failure) || failure.Code != diag.CodeTimeoutInit {
			t.Errorf("Initiate: %v", err)
		}
		a.stop()
	})
}

// An IKE SA that a rekeying has replaced, and whose DELETE is still on its way, is none that a command counts.
func TestTerminateAfterRekeying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		if n, err := a.d.Rekey(t.Context(), Target{Connection: "b"}); n != 1 || err != nil {
			t.Errorf("Rekey: %d, %v", n, err)
		}
		settle(2*latency + time.Millisecond)
		if n := a.ikeSAs(); n != 2 {
			t.Fatalf("%d IKE SAs while the old one's DELETE is on its way, not 2", n)
		}
		r, err := a.d.Terminate(t.Context(), Target{Connection: "b"}, false, false)
		if err != nil || r.Matches != 1 || r.Gone != 1 {
			t.Errorf("Terminate: %+v, %v", r, err)
		}
		settle(time.Second)
		if n, m := a.ikeSAs(), b.ikeSAs(); n+m != 0 {
			t.Errorf("%d and %d IKE SAs are left", n, m)
		}
		a.stop()
		b.stop()
	})
}

// A command that forces the end of an IKE SA tells the peer, and does not wait for its answer.
func TestTerminateForced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		begin := time.Now()
		r, err := a.d.Terminate(t.Context(), Target{Connection: "b"}, true, false)
		if err != nil || r.Matches != 1 || r.Gone != 1 || time.Since(begin) >= latency || a.ikeSAs() != 0 || b.ikeSAs() != 1 {
			t.Errorf("Terminate: %+v, %v, after %v, with %d and %d IKE SAs", r, err, time.Since(begin), a.ikeSAs(), b.ikeSAs())
		}
		settle(time.Second)
		if n := b.ikeSAs(); n != 0 {
			t.Errorf("the peer has not heard of it: it has %d IKE SAs", n)
		}
		a.stop()
		b.stop()
	})
}

// What a command takes down stays down, whoever wanted it up, until a command wants it up again.
func TestTerminateHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		r, err := a.d.Terminate(t.Context(), Target{Connection: "b"}, false, false)
		if err != nil || r.Matches != 1 || r.Gone != 1 {
			t.Errorf("Terminate: %+v, %v", r, err)
		}
		settle(10 * time.Minute)
		if h := a.child("b/net"); h.Up() || !h.Held {
			t.Errorf("b/net is %s after it was terminated", h.Phase)
		}
		if _, err := a.d.Terminate(t.Context(), Target{Connection: "b"}, false, false); err == nil {
			t.Error("terminating what is down gives no error")
		}
		var lines []string
		if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, func(_ int, _, msg string) { lines = append(lines, msg) }); err != nil {
			t.Errorf("Initiate: %v", err)
		}
		wantUp(t, a, b)
		if text := strings.Join(lines, "\n"); !strings.Contains(text, "established") {
			t.Errorf("the lines of the command: %s", text)
		}
		if n, err := a.d.Rekey(t.Context(), Target{Child: "net"}); n != 1 || err != nil {
			t.Errorf("Rekey: %d, %v", n, err)
		}
		settle(time.Minute)
		wantUp(t, a, b)
		a.stop()
		if err := a.d.Initiate(context.Background(), Target{Child: "net"}, false, nil); !errors.Is(err, errStopped) {
			t.Errorf("a command after the end: %v", err)
		}
		b.stop()
	})
}

// An unknown name is an error that lists what there is.
func TestUnknownTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		a := f.start(addrA, toml("", left("none")))
		err := a.d.Initiate(t.Context(), Target{Child: "nte"}, false, nil)
		if err == nil || !strings.Contains(err.Error(), "b/net") {
			t.Errorf("Initiate of an unknown child: %v", err)
		}
		a.stop()
	})
}

// A CHILD SA that the data plane refuses is deleted at the peer as well, and keeps no SPI here.
func TestInstallFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("none")))
		a.plane.mu.Lock()
		a.plane.refuse = errors.New("no memory for another SA")
		a.plane.mu.Unlock()
		err := a.d.Initiate(t.Context(), Target{Child: "net"}, false, nil)
		if err == nil || !strings.Contains(err.Error(), "no memory") {
			t.Errorf("Initiate: %v", err)
		}
		settle(time.Minute)
		if n := paired(t, a, b); n != 0 {
			t.Errorf("%d CHILD SAs are left", n)
		}
		a.stop()
		b.stop()
		a.plane.empty(t)
		b.plane.empty(t)
	})
}

// No route to the peer: the failure says so, and the tunnel comes up when there is one.
func TestNoRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		c := left("start")
		c.local = "%any"
		a := f.start(addrA, toml("", c), func(o *rigOptions) { o.Network.(*fakeNetwork).SetAddr(netip.Addr{}) })
		settle(time.Minute)
		if h := a.child("b/net"); h.Last == nil || h.Last.Failure.Code != diag.CodeUnreachable {
			t.Errorf("last failure %v", h.Last)
		}
		a.net.SetAddr(ipA)
		settle(2 * time.Minute)
		wantUp(t, a, b)
		a.stop()
		b.stop()
	})
}

// displacements are the IKE SAs that were closed for another one of their peers.
type displacements []Displaced

func (d *displacements) Observe(ev Event) {
	if ev, ok := ev.(Displaced); ok {
		*d = append(*d, ev)
	}
}

// A peer that comes a second time from where it is, whatever the policy is: it is let in. With "keep" it could be authenticating
// again.
func TestUniqueReplace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		for _, unique := range []string{"replace", "keep", "never"} {
			c := right("none")
			c.extra = "unique = \"" + unique + "\""
			seen := new(displacements)
			b := f.start(addrB, toml("", c), func(o *rigOptions) { o.Observer = seen })
			l := left("start")
			l.extra = "unique = \"never\"" // claims no INITIAL_CONTACT
			a := f.start(addrA, toml("", l))
			settle(time.Minute)
			a.crash()
			a = f.start(addrA, toml("", l))
			settle(15 * time.Second)
			if h := a.child("b/net"); !h.Up() {
				t.Errorf("unique = %s: soon after the peer came again its child is %s\n%s", unique, h.Phase, b.log.String())
			}
			if n := strings.Count(b.log.String(), "IKE SA established"); n > 6 {
				t.Errorf("unique = %s: %d IKE SAs in 15 s: nobody waits between attempts", unique, n)
			}
			settle(5 * time.Minute) // by now the old one is known to be dead
			wantUp(t, a, b)
			if n := b.ikeSAs(); n != 1 {
				t.Errorf("unique = %s: %d IKE SAs at the responder", unique, n)
			}
			if replaced := len(*seen) > 0 && !(*seen)[0].Keep && (*seen)[0].SA.Connection != ""; replaced != (unique == "replace") {
				t.Errorf("unique = %s: observers hear of %v", unique, *seen)
			}
			a.stop()
			b.stop()
		}
	})
}
