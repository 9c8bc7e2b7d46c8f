package gateway

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

var lifeFlag = flag.Uint64("life", 0, "the only seed that TestDaemonLives plays; 0 for all")

// TestDaemonLives plays the lives of two whole daemons over a bad network, each from a seed: messages are lost, repeated
// and reordered, the line is cut, either daemon dies and comes back, operators rekey and reauthenticate on both sides at once. When the
// network is good again, both have one IKE SA and each wanted child once, and agree about them; after a shutdown nothing
// is left anywhere. The machines below have a simulator of their own (package ike/sim); here it is what the daemon adds.
//
//	go test ./ike -run TestDaemonLives -life N
func TestDaemonLives(t *testing.T) {
	seeds := uint64(200)
	switch {
	case raceEnabled:
		seeds = 10
	case testing.Short():
		seeds = 20
	}
	for seed := uint64(1); seed <= seeds; seed++ {
		if *lifeFlag != 0 && seed != *lifeFlag {
			continue
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newLife(t, seed).play() })
		})
	}
	if *lifeFlag > seeds {
		t.Run(fmt.Sprint(*lifeFlag), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newLife(t, *lifeFlag).play() })
		})
	}
}

// life is one run.
type life struct {
	t      *testing.T
	rng    *rand.Rand
	f      *fabric
	a, b   *node
	ta, tb string // the configurations
	kids   int
	both   bool // both sides bring the children up
	tokens bool // both make tokens of quick crash detection
	// trace is what was done, for a run that fails.
	trace []string
	began time.Time
}

func newLife(t *testing.T, seed uint64) *life {
	l := &life{t: t, rng: rand.New(rand.NewPCG(seed, 77)), f: newFabric(t), began: time.Now()}
	r := l.rng
	l.both = r.IntN(3) == 0
	l.kids = 1 + r.IntN(2)
	l.tokens = seed%2 == 0
	head := fmt.Sprintf("[ike]\nretransmit_timeout = \"%dms\"\nretransmit_tries = %d\n", 500+r.IntN(1500), 4+r.IntN(3))
	mk := func(c conn, action string) conn {
		net := [2]string{c.children[0].local[:5], c.children[0].remote[:5]}
		c.extra = fmt.Sprintf("rekey_time = \"%ds\"\nover_time = \"60s\"\nrand_time = \"%ds\"\ndpd_delay = \"10s\"", 60+r.IntN(240), r.IntN(20))
		if seed%3 == 0 {
			c.extra = "resumption = true\n" + c.extra
		}
		if unique := [...]string{"", "", "", "replace", "keep", "no", "never"}[seed%7]; unique != "" {
			c.extra = fmt.Sprintf("unique = %q\n", unique) + c.extra
		}
		esp := ""
		if seed%4 == 0 {
			c.extra, esp = hybridIKE+c.extra, hybridESP
		}
		c.children = nil
		for i := range l.kids {
			rekey := 60 + r.IntN(120)
			c.children = append(c.children, kid{
				fmt.Sprintf("net%d", i), fmt.Sprintf("%s%d.0/24", net[0], i), fmt.Sprintf("%s%d.0/24", net[1], i), action,
				esp + fmt.Sprintf("rekey_time = \"%ds\"\nlife_time = \"%ds\"\nrand_time = \"%ds\"", rekey, rekey+60, r.IntN(20)),
			})
		}
		return c
	}
	action := "none"
	if l.both {
		action = "start"
	}
	l.ta, l.tb = toml(head, mk(left("start"), "start")), toml(head, mk(right(action), action))
	t.Cleanup(func() {
		if t.Failed() {
			for _, s := range l.trace {
				t.Log(s)
			}
			t.Logf("the log of a:\n%s", l.a.log)
			t.Logf("the log of b:\n%s", l.b.log)
		}
	})
	return l
}

func (l *life) note(format string, args ...any) {
	l.trace = append(l.trace, fmt.Sprintf("%8.2f  %s", time.Since(l.began).Seconds(), fmt.Sprintf(format, args...)))
}

func (l *life) play() {
	loss, duplicate := l.rng.Float64()*0.25, l.rng.Float64()*0.2
	longest := time.Duration(20+l.rng.IntN(1000)) * time.Millisecond
	l.note("loss %.2f, duplicates %.2f, delays up to %s, %d children", loss, duplicate, longest, l.kids)
	fate := rand.New(rand.NewPCG(l.rng.Uint64(), 1)) // used under the fabric's lock only
	bad := func(from, to netip.AddrPort, b []byte) bool {
		if fate.Float64() < loss {
			return false
		}
		for copies := 1; copies > 0; copies-- {
			if fate.Float64() < duplicate {
				copies++
			}
			b := slices.Clone(b)
			time.AfterFunc(latency+time.Duration(fate.Int64N(int64(longest))), func() {
				l.f.mu.Lock()
				n := l.f.nodes[to.Addr()]
				l.f.mu.Unlock()
				if n != nil {
					n.d.HandleIKE(to, from, b)
				}
			})
		}
		return false
	}
	l.f.setDeliver(bad)
	l.b = l.start(addrB, l.tb)
	l.a = l.start(addrA, l.ta)
	for range 5 + l.rng.IntN(25) {
		settle(time.Duration(l.rng.IntN(15000)) * time.Millisecond)
		l.operate(bad)
	}
	l.note("calm")
	l.f.setDeliver(nil)
	settle(5 * time.Minute)
	why := ""
	for range 300 {
		if why = l.disagreement(); why == "" {
			break
		}
		settle(time.Second)
	}
	if why != "" {
		l.t.Errorf("the daemons do not agree: %s", why)
	}
	first, second := l.a, l.b
	if l.rng.IntN(2) == 0 {
		first, second = second, first
	}
	first.stop()
	settle(time.Second)
	second.stop()
	for _, n := range []*node{first, second} {
		n.plane.empty(l.t)
		n.net.empty(l.t)
	}
}

// start starts a daemon: the first time, or again with the secret that it had.
func (l *life) start(addr, toml string) *node {
	return l.f.start(addr, toml, func(o *rigOptions) {
		if l.tokens {
			o.CrashSecret = []byte("the secret of " + addr)
		}
	})
}

// operate does one thing to one daemon, or to both at the same moment.
func (l *life) operate(bad func(from, to netip.AddrPort, b []byte) bool) {
	who := [][]*node{{l.a}, {l.b}, {l.a, l.b}}[l.rng.IntN(3)]
	rekey := func(what string, target func(n *node) Target) {
		l.note("%s at %d", what, len(who))
		for _, n := range who {
			// What is not up cannot be rekeyed, which is an error and no matter here.
			_, _ = n.d.Rekey(context.Background(), target(n))
		}
	}
	name := func(n *node) string {
		if n == l.a {
			return "b"
		}
		return "a"
	}
	switch l.rng.IntN(9) {
	case 0, 1:
		child := fmt.Sprintf("net%d", l.rng.IntN(l.kids))
		rekey("rekey "+child, func(n *node) Target { return Target{Connection: name(n), Child: child} })
	case 2, 3:
		rekey("rekey IKE", func(n *node) Target { return Target{Connection: name(n)} })
	case 4:
		l.note("the line is cut")
		l.f.setDeliver(func(_, _ netip.AddrPort, _ []byte) bool { return false })
		settle(time.Duration(l.rng.IntN(60)) * time.Second)
		l.note("the line is back")
		l.f.setDeliver(bad)
	case 5:
		l.note("a dies")
		l.a.crash()
		settle(time.Duration(l.rng.IntN(30)) * time.Second)
		l.note("a is back")
		l.a = l.start(addrA, l.ta)
	case 6:
		l.note("b dies")
		l.b.crash()
		settle(time.Duration(l.rng.IntN(30)) * time.Second)
		l.note("b is back")
		l.b = l.start(addrB, l.tb)
	case 7:
		l.note("authenticate anew at %d", len(who))
		for _, n := range who {
			_, _ = n.d.Reauthenticate(context.Background(), Target{Connection: name(n)})
		}
	}
}

// disagreement says in what the daemons differ, or what is there too often or not at all; "" for nothing.
func (l *life) disagreement() string {
	for _, n := range []*node{l.a, l.b} {
		// Of two IKE SAs that both sides have initiated, both stay when each carries what the other does not.
		if got := n.ikeSAs(); got != 1 && !(l.both && got <= l.kids) {
			return fmt.Sprintf("%s has %d IKE SAs", n.addr, got)
		}
		n.plane.mu.Lock()
		in, out, reserved := len(n.plane.in), len(n.plane.out), len(n.plane.reserved)
		n.plane.mu.Unlock()
		if in != l.kids || out != l.kids || reserved != in {
			return fmt.Sprintf("%s has %d inbound and %d outbound SAs and %d SPIs for %d children", n.addr, in, out, reserved, l.kids)
		}
	}
	if x, y := l.a.ikeSAs(), l.b.ikeSAs(); x != y {
		return fmt.Sprintf("%d IKE SAs at one end, %d at the other", x, y)
	}
	for _, x := range [][2]*node{{l.a, l.b}, {l.b, l.a}} {
		from, to := x[0].plane, x[1].plane
		from.mu.Lock()
		to.mu.Lock()
		why := ""
		for id, o := range from.out {
			if !to.hasInbound(o.SPI, o.EncrKey) {
				why = fmt.Sprintf("%s sends with SPI %08x (child %d), which the other does not have", x[0].addr, o.SPI, id)
			}
		}
		to.mu.Unlock()
		from.mu.Unlock()
		if why != "" {
			return why
		}
	}
	return ""
}

// A late copy of the IKE_SA_INIT request of an established IKE SA makes no half-open one and no failure (pitfall M2).
func TestLateInit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var from, to netip.AddrPort
		var first []byte
		f.setDeliver(func(x, y netip.AddrPort, b []byte) bool {
			if first == nil {
				from, to, first = x, y, slices.Clone(b)
			}
			return true
		})
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		wantUp(t, a, b)
		b.d.HandleIKE(to, from, first)
		settle(time.Second)
		if n := b.info().HalfOpen; n != 0 {
			t.Errorf("%d half-open IKE SAs", n)
		}
		settle(time.Minute)
		if l := b.last("a"); l != nil {
			t.Errorf("reported: %v", l)
		}
		wantUp(t, a, b)
		a.stop()
		settle(time.Second)
		// The SA is gone, and so is what was kept of its request.
		settle(time.Minute)
		b.d.HandleIKE(to, from, first)
		settle(time.Second)
		if n := b.info().HalfOpen; n != 1 {
			t.Errorf("%d half-open IKE SAs of a request that is new again, want 1", n)
		}
		b.stop()
	})
}
