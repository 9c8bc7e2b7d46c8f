package gateway

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// manyNets is left with two networks on each side in one child.
func manyNets(action string) conn {
	c := left(action)
	c.children[0].local, c.children[0].remote = "10.1.0.0/24 10.1.1.0/24", "10.2.0.0/24 10.2.1.0/24"
	return c
}

// onePair is right with a child for some pairs of those networks, as a FortiGate or an ASA has it.
func onePair(list ...string) conn {
	c := right("none")
	c.children = nil
	for _, p := range list {
		c.children = append(c.children, kid{"net" + p, "10.2." + p[1:] + ".0/24", "10.1." + p[:1] + ".0/24", "none", ""})
	}
	return c
}

func packetTo(src, dst string) selector.Packet {
	return selector.Packet{Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst), Protocol: 17, HasPorts: true, SrcPort: 1, DstPort: 2}
}

// refusedPackets tells how often what waits for a child was dropped.
func (n *node) refusedPackets() (count int) {
	n.plane.mu.Lock()
	defer n.plane.mu.Unlock()
	for _, f := range n.plane.failed {
		count += f
	}
	return count
}

// exchangesOf counts the exchanges of a kind that a daemon has made.
func (n *node) exchangesOf(kind string) (count uint64) {
	for k, v := range n.d.Stats().Exchanges {
		if k.Exchange == kind && k.Initiated {
			count += v
		}
	}
	return count
}

var allPairs = []string{
	"10.1.0.0/24 === 10.2.0.0/24", "10.1.0.0/24 === 10.2.1.0/24", "10.1.1.0/24 === 10.2.0.0/24", "10.1.1.0/24 === 10.2.1.0/24",
}

// A peer that takes one pair of networks for each CHILD SA gets one for each, and they stay through rekeyings, a lost one, a reload and
// an authentication from scratch. Taking the child down takes all of them down.
func TestEachPairGetsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", onePair("00", "01", "10", "11")))
		a := f.start(addrA, toml("", manyNets("start")))
		settle(2 * time.Second)
		check := func(when string) {
			t.Helper()
			if got := a.selectorsOut(); !slices.Equal(got, allPairs) {
				t.Fatalf("%s: %s", when, strings.Join(got, ", "))
			}
			if r := a.last("b"); r != nil {
				t.Errorf("%s: %v", when, r.Failure)
			}
		}
		check("at first")
		settle(3 * time.Hour) // rekeyings of both kinds
		check("after three hours")
		if n := a.ikeSAs(); n != 1 {
			t.Errorf("%d IKE SAs", n)
		}
		// The peer deletes one of them: it is asked for again, later.
		lost := b.child("a/net11").SAs[0].ID
		if _, err := b.d.Terminate(t.Context(), Target{ChildID: lost}, false, false); err != nil {
			t.Fatal(err)
		}
		settle(2 * morePause)
		check("after the loss of one")
		if _, err := a.d.Reload(t.Context(), parse(t, toml("", manyNets("start")))); err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		check("after a reload")
		if n := len(a.child("b/net").SAs); n != 4 {
			t.Errorf("status has %d CHILD SAs", n)
		}
		r, err := a.d.Terminate(t.Context(), Target{Child: "net"}, false, false)
		if err != nil || r.Matches != 4 {
			t.Errorf("%d terminated, %v", r.Matches, err)
		}
		settle(time.Hour)
		if got := a.selectorsOut(); len(got) != 0 {
			t.Errorf("terminated, and there is %s", got)
		}
	})
}

// What the peer takes nowhere is said, with what is left out and what to do; it is asked for rarely, and its packets are dropped.
func TestLeftOutIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		f.start(addrB, toml("", onePair("00", "11")))
		a := f.start(addrA, toml("", manyNets("start")))
		settle(time.Minute - time.Second)
		want := []string{allPairs[0], allPairs[3]}
		if got := a.selectorsOut(); !slices.Equal(got, want) {
			t.Fatalf("%s", got)
		}
		r := a.last("b")
		if r == nil || r.Failure.Code != diag.CodeNarrowed {
			t.Fatalf("the status says %v", r)
		}
		if s := r.Failure.Error(); !strings.Contains(s, allPairs[1]) || !strings.Contains(s, allPairs[2]) || strings.Contains(s, "out: "+allPairs[0]) || !strings.Contains(s, "Fix: ") {
			t.Errorf("%s", s)
		}
		if !strings.Contains(a.log.String(), "E-TS-NARROWED") {
			t.Error("the log does not say it")
		}
		if n := a.exchangesOf("CREATE_CHILD_SA"); n != 3 {
			t.Errorf("%d CREATE_CHILD_SA exchanges, want 3: one pair taken, two refused", n)
		}
		before := a.refusedPackets()
		for range 30 { // packets of a pair that was refused just now
			a.d.Acquire(a.policy("b/net"), packetTo("10.1.0.5", "10.2.1.5"))
			settle(time.Second)
		}
		if n := a.refusedPackets() - before; n < 29 {
			t.Errorf("packets were dropped %d times", n)
		}
		settle(6 * time.Hour)
		if n := a.exchangesOf("CREATE_CHILD_SA"); n > 60 { // rekeyings too
			t.Errorf("%d CREATE_CHILD_SA exchanges in six hours", n)
		}
		if r := a.last("b"); r == nil || r.Failure.Code != diag.CodeNarrowed {
			t.Errorf("after six hours the status says %v", r)
		}
	})
}

// A child that waits for packets asks for a pair with the next packet of it.
func TestPacketAsksForItsPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", onePair("00", "01", "11")))
		a := f.start(addrA, toml("", manyNets("trap")))
		settle(time.Second)
		send := func(src, dst string, want ...string) {
			t.Helper()
			a.d.Acquire(a.policy("b/net"), packetTo(src, dst))
			settle(5 * time.Second)
			if got := a.selectorsOut(); !slices.Equal(got, want) {
				t.Errorf("after %s > %s: %s, want %s", src, dst, got, want)
			}
		}
		send("10.1.0.5", "10.2.0.5", "10.1.0.0/24 === 10.2.0.0/24")
		if r := a.last("b"); r == nil || r.Failure.Code != diag.CodeNarrowed {
			t.Errorf("the status says %v", r)
		}
		send("10.1.1.5", "10.2.1.5", allPairs[0], allPairs[3])
		send("10.1.1.5", "10.2.1.9", allPairs[0], allPairs[3])
		send("10.1.0.5", "10.2.1.5", allPairs[0], allPairs[1], allPairs[3])
		if n := a.refusedPackets(); n != 0 {
			t.Errorf("%d times packets were dropped", n)
		}
		send("10.1.1.5", "10.2.0.5", allPairs[0], allPairs[1], allPairs[3])
		if n := a.refusedPackets(); n == 0 {
			t.Error("the packet that the peer has no child for still waits")
		}
		if n := len(b.info().Conns[0].SAs); n != 1 {
			t.Errorf("%d IKE SAs", n)
		}
	})
}

// A request that has ended without a word, as with the IKE SA that it was made on, holds up no other.
func TestLostRequestForAPair(t *testing.T) {
	for _, action := range []string{"trap", "start"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			f.start(addrB, toml("", onePair("00", "11")))
			a := f.start(addrA, toml("", manyNets("trap")))
			settle(time.Second)
			a.d.Acquire(a.policy("b/net"), packetTo("10.1.0.5", "10.2.0.5"))
			settle(5 * time.Second)
			_ = a.d.call(t.Context(), func(now time.Time) {
				h := a.d.conns[0].children[0]
				all, _ := pairs(h.cfg.Resolve(sa.Path{}, nil, nil))
				h.narrow.asking, h.narrow.since = &all[3], now
				if action == "start" {
					h.conf.StartAction = policy.StartStart
					a.d.touch(h)
				}
			})
			if action == "trap" {
				a.d.Acquire(a.policy("b/net"), packetTo("10.1.1.5", "10.2.1.5"))
			}
			settle(5 * time.Second)
			if got := a.selectorsOut(); !slices.Equal(got, []string{allPairs[0], allPairs[3]}) {
				t.Errorf("%s: %s", action, got)
			}
		})
	}
}

// The side that was called asks too, with a packet of its own, and says nothing about what its peer did not want.
func TestCalledSideAsksForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		a := f.start(addrA, toml("", manyNets("none")))
		b := f.start(addrB, toml("", onePair("00", "11")))
		settle(time.Second)
		if err := b.d.Initiate(t.Context(), Target{Child: "net00"}, false, nil); err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		if got := a.selectorsOut(); !slices.Equal(got, allPairs[:1]) || a.last("b") != nil {
			t.Fatalf("%s, %v", got, a.last("b"))
		}
		a.d.Acquire(a.policy("b/net"), packetTo("10.1.1.5", "10.2.1.5"))
		settle(5 * time.Second)
		if got := a.selectorsOut(); !slices.Equal(got, []string{allPairs[0], allPairs[3]}) {
			t.Errorf("%s", got)
		}
	})
}

// policy is the number of a child's policy in the data plane.
func (n *node) policy(name string) (id uint64) {
	n.f.t.Helper()
	conn, child, _ := strings.Cut(name, "/")
	if err := n.d.call(n.f.t.Context(), func(time.Time) {
		for _, c := range n.d.conns {
			for _, h := range c.children {
				if c.conf.Name == conn && h.cfg.Name == child {
					id = h.policy
				}
			}
		}
	}); err != nil {
		n.f.t.Fatal(err)
	}
	return id
}
