package gateway

import (
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
)

var siegeFlag = flag.Uint64("siege", 0, "the only seed that TestInsiders plays; 0 for all")

// TestInsiders plays, each from a seed, what peers with a valid key do to a gateway when they mean no good (insider_test.go):
// selectors without number and of others, IKE SAs and CHILD SAs without end, moves to addresses of others, half exchanges,
// rekeyings, DELETEs, INITIAL_CONTACT. The gateway is a whole daemon. It also serves two peers that do nothing wrong: one
// with a connection of its own, and one of the same connection as the insiders. All the time
//
//   - nothing leaves in the clear: what the configuration protects has its policy and its route at every change of either,
//   - the event loop's turns are short: what one datagram changes is bounded, and so is the time that it costs,
//   - memory is bounded, and when the insiders have gone nothing of them is left,
//   - the other peers are undisturbed: they keep their IKE SAs and CHILD SAs, their packets go to them, nothing fails for them.
//
// ICMP errors within tunnels never come to the daemon; the tests of package dataplane have those.
//
//	go test ./ike -run TestInsiders -siege N -v
func TestInsiders(t *testing.T) {
	seeds := uint64(40)
	switch {
	case raceEnabled:
		seeds = 2
	case testing.Short():
		seeds = 6
	}
	for seed := uint64(1); seed <= max(seeds, *siegeFlag); seed++ {
		if *siegeFlag != 0 && seed != *siegeFlag || *siegeFlag == 0 && seed > seeds {
			continue
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newSiege(t, seed).play() })
		})
	}
}

const insiderKey = "the-key-of-those-who-mean-no-good-2026"

// Limits that the invariants are checked against.
const (
	// maxChanges is how often one datagram may change policies, outbound SAs and routes: the end of an IKE SA takes all of
	// its CHILD SAs along, 256 at most (maxChildren), each with an SA and a route.
	maxChanges = 2*maxChildrenOfOne + 16
	// maxChildrenOfOne is sa's limit of the CHILD SAs of an IKE SA.
	maxChildrenOfOne = 256
	// maxRanges and maxPrefixes are sa's limits of what the selectors of one side of a CHILD SA may be.
	maxRanges, maxPrefixes = 64, 256
	// maxTurn is what a datagram may cost in CPU time, whatever else the machine does. The event loop's longest turn is to be
	// under 20 ms; garbage collection, the peers' own work and the other end's cryptography are in here, too.
	maxTurn = 100 * time.Millisecond
	// maxLines is how many lines a datagram may add to the log on average, and those that time brings a minute.
	maxLines, maxLinesPerMinute = 4, 120
)

// siege is one run.
type siege struct {
	t         *testing.T
	rng       *rand.Rand
	f         *fabric
	crowd     *crowd
	b, a, d   *node // the gateway and its two peers
	log       *logBuffer
	guards    []*guard
	insiders  []*insider
	trace     []string
	began     time.Time
	burst     int // exchanges of one action, at most
	datagrams int
	changes   atomic.Int64 // in the present turn; the event loop and the goroutine for the routes make them
	longest   time.Duration
	most      int
	crowded   int         // CHILD SAs at a time
	ids       [2][]uint64 // of the SAs of a and d at the gateway
}

func newSiege(t *testing.T, seed uint64) *siege {
	l := &siege{t: t, rng: rand.New(rand.NewPCG(seed, 99)), f: newFabric(t), log: &logBuffer{}, began: time.Now(), burst: 30}
	if seed%6 == 0 {
		l.burst = 600 // more CHILD SAs than an IKE SA may have
	}
	l.crowd = newCrowd(l.f)
	unique := [...]string{"no", "replace", "never", "keep"}[seed%4]
	many := conn{
		name: "branches", local: addrB, remote: "%any", localID: "b.example", remoteID: "*.branch.example", extra: fmt.Sprintf("unique = %q", unique),
		children: []kid{{"net", "10.2.0.0/16", "10.0.0.0/8", "none", `esp_proposals = ["aes128gcm16"]`}},
	}
	keys := [][2]string{{`["b.example", "a.example"]`, keyOfB}, {`["b.example", "good.branch.example"]`, keyOfC}}
	for i := range 3 {
		x := &insider{l: l, rng: l.rng, number: uint32(i), id: fmt.Sprintf("bad%d.branch.example", i), from: netip.AddrPortFrom(crowdAddr(i), 4500)}
		l.insiders = append(l.insiders, x)
		keys = append(keys, [2]string{fmt.Sprintf(`["b.example", %q]`, x.id), insiderKey})
	}
	l.b = l.f.start(addrB, keyed("", keys, right("none"), many), func(o *rigOptions) {
		o.Logger = slog.New(slog.NewTextHandler(l.log, nil))
	})
	d := left("start")
	d.local, d.localID = addrC, "good.branch.example"
	d.children = []kid{{"net", "10.77.0.0/24", "10.2.0.0/16", "start", `esp_proposals = ["aes128gcm16"]`}}
	l.a = l.f.start(addrA, keyed("", [][2]string{{`"b.example"`, keyOfB}}, left("start")))
	l.d = l.f.start(addrC, keyed("", [][2]string{{`"b.example"`, keyOfC}}, d))
	settle(time.Second)
	for _, network := range []string{"10.1.0.0/16", "10.0.0.0/8"} {
		l.guards = append(l.guards, watch(t, l.b, network))
	}
	changed := func() {
		l.changes.Add(1)
		for _, g := range l.guards {
			g.check()
		}
	}
	l.guard(changed)
	for i := range l.ids {
		l.ids[i] = l.peer(i)
		if len(l.ids[i]) != 2 {
			t.Fatalf("peer %d has %v", i, l.ids[i])
		}
	}
	return l
}

// guard has the gateway's data plane and network say what changes from now on; nil for nothing.
func (l *siege) guard(changed func()) {
	p := l.b.plane
	p.mu.Lock()
	p.changed = changed
	p.mu.Unlock()
	l.b.net.OnChange(changed)
}

// peer lists the numbers of the SAs that a or d has at the gateway.
func (l *siege) peer(i int) (ids []uint64) {
	id := [...]string{"a.example", "good.branch.example"}[i]
	for _, c := range l.b.info().Conns {
		for _, s := range c.SAs {
			if s.RemoteID.String() == id {
				ids = append(ids, s.ID)
				for _, h := range s.Children {
					ids = append(ids, h.ID)
				}
			}
		}
	}
	return ids
}

func (l *siege) count(n int) { l.datagrams += n }

// inject gives the gateway a datagram, and checks what it costs.
func (l *siege) inject(s *session, b []byte) {
	l.count(1)
	l.changes.Store(0)
	before := cpu()
	s.send(b)
	synctest.Wait()
	took := cpu() - before
	changes := int(l.changes.Load())
	l.longest, l.most = max(l.longest, took), max(l.most, changes)
	if changes > maxChanges {
		l.t.Errorf("one datagram made %d changes", changes)
	}
	if took > maxTurn && !raceEnabled {
		l.t.Errorf("one datagram took %s of CPU time", took)
	}
}

// cpu is the time that this process has had a processor for. It does not pass while others have it, nor in the bubble.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (l *siege) play() {
	defer func() {
		if l.t.Failed() {
			for _, s := range l.trace {
				l.t.Log(s)
			}
		}
		l.guard(nil)
		l.t.Logf("%d IKE SAs, up to %d CHILD SAs; %d datagrams, the longest turn %s, at most %d changes, %d lines", l.b.d.Stats().Established, l.crowded,
			l.datagrams, l.longest, l.most, strings.Count(l.log.String(), "\n"))
	}()
	for i := range 50 {
		x := l.insiders[l.rng.IntN(len(l.insiders))]
		at := time.Since(l.began)
		what := ""
		if i == 10 && l.burst > maxChildrenOfOne {
			what = x.deluge()
		} else {
			what = x.act()
		}
		l.trace = append(l.trace, fmt.Sprintf("%8.2f  %s", at.Seconds(), what))
		l.check()
		if l.t.Failed() {
			return
		}
		settle(time.Duration(l.rng.IntN(10000)) * time.Millisecond)
		for _, x := range l.insiders {
			for _, s := range x.sessions {
				x.poll(s)
			}
		}
		l.check()
	}
	l.trace = append(l.trace, "the insiders have gone")
	// The liveness check begins after 30 seconds and its request is sent for 165; half-open ones and refused ones are gone before.
	settle(10 * time.Minute)
	l.check()
	l.gone()
}

// check tests the invariants.
func (l *siege) check() {
	l.t.Helper()
	for i, n := range []*node{l.a, l.d} {
		if now := l.peer(i); !slices.Equal(now, l.ids[i]) {
			l.t.Errorf("the SAs of %s were %v and are %v", n.addr, l.ids[i], now)
		}
		if !n.sends(l.b, 1) {
			l.t.Errorf("%s cannot send", n.addr)
		}
		if s := n.log.String(); strings.Contains(s, "level=WARN") || strings.Contains(s, "level=ERROR") {
			l.t.Errorf("the log of %s:\n%s", n.addr, s)
		}
	}
	for dst, want := range map[string]string{"10.1.2.3": addrA, "10.1.3.9": addrA, "10.77.0.1": addrC, "10.77.0.200": addrC} {
		if got := l.b.carries(dst); got != want {
			l.t.Errorf("packets for %s go to %q, not to %s", dst, got, want)
		}
	}
	for _, c := range l.b.info().Conns {
		for _, s := range c.SAs {
			if n := len(s.Children); n > maxChildrenOfOne {
				l.t.Errorf("IKE SA #%d has %d CHILD SAs", s.ID, n)
			}
		}
	}
	l.b.plane.mu.Lock()
	for id, ts := range l.b.plane.pairs {
		for _, side := range [][]selector.Selector{ts.Local, ts.Remote} {
			if n, m := len(side), prefixCount(side); n > maxRanges || m > maxPrefixes {
				l.t.Errorf("CHILD SA #%d has %d ranges in %d prefixes", id, n, m)
			}
		}
	}
	l.b.plane.mu.Unlock()
	if last := l.b.last("a"); last != nil {
		l.t.Errorf("reported of the peer with a connection of its own: %v", last)
	}
	if n, most := strings.Count(l.log.String(), "\n"), maxLines*l.datagrams+int(time.Since(l.began).Minutes()+1)*maxLinesPerMinute; n > most {
		l.t.Errorf("%d lines in the log after %d datagrams", n, l.datagrams)
	}
	_ = l.b.d.call(l.t.Context(), func(time.Time) {
		l.crowded = max(l.crowded, len(l.b.d.installed))
		if n := len(l.b.d.failures.All()); n > diag.MaxRepeats {
			l.t.Errorf("%d failures are remembered", n)
		}
	})
}

// gone checks that nothing is left of the insiders.
func (l *siege) gone() {
	l.t.Helper()
	p := l.b.plane
	p.mu.Lock()
	if len(p.in) != 2 || len(p.out) != 2 || len(p.reserved) != 2 || len(p.spd) != 2 {
		l.t.Errorf("left in the data plane: %d in, %d out, %d SPIs, %d policies", len(p.in), len(p.out), len(p.reserved), len(p.spd))
	}
	p.mu.Unlock()
	if excluded, routes := l.b.net.Excluded(), l.b.net.Routes(); len(excluded) != 2 || len(routes) != 3 {
		l.t.Errorf("left in the network: excluded %v, routes %v", excluded, routes)
	}
	_ = l.b.d.call(l.t.Context(), func(time.Time) {
		d, t := l.b.d, &l.b.d.table
		if len(t.bySPI) != 2 || len(t.byInit) != 0 || len(t.peers) != 2 || len(t.byAddr) != 2 || len(d.installed) != 2 || t.open != 2 {
			l.t.Errorf("left: %d IKE SAs, %d half-open, %d peers at %d addresses, %d CHILD SAs, %d open",
				len(t.bySPI), len(t.byInit), len(t.peers), len(t.byAddr), len(d.installed), t.open)
		}
		for _, c := range d.conns {
			for _, h := range c.children {
				if len(h.refused) != 0 || len(h.live) != 1 {
					l.t.Errorf("%s/%s: %d refused, %d live", c.conf.Name, h.conf.Name, len(h.refused), len(h.live))
				}
			}
		}
	})
}

// carries is the address of the peer that a packet to dst would go to, by the rules of package dataplane: the policy with the
// longest prefix, then the first in the configuration; in it the SA with the longest prefix, then the older line, then the newer SA.
func (n *node) carries(dst string) string {
	a := netip.MustParseAddr(dst)
	p := n.plane
	p.mu.Lock()
	defer p.mu.Unlock()
	policy, bits, order := uint64(0), -1, 0
	for id, spd := range p.spd {
		if b := longest(spd.Remote, a); b > bits || b == bits && b >= 0 && spd.Order < order {
			policy, bits, order = id, b, spd.Order
		}
	}
	sa, bits := uint64(0), -1
	for id := range p.out {
		if p.policies[id] != policy {
			continue
		}
		b := longest(p.pairs[id].Remote, a)
		if b > bits || b == bits && b >= 0 && (p.lines[id] < p.lines[sa] || p.lines[id] == p.lines[sa] && id > sa) {
			sa, bits = id, b
		}
	}
	if bits < 0 {
		return ""
	}
	return p.paths[sa].Remote.Addr().String()
}

// longest is the length of the longest prefix of selectors that has an address; -1 for none.
func longest(list []selector.Selector, a netip.Addr) int {
	bits := -1
	for _, s := range list {
		if s.Matches(a, 1, 0) {
			for _, p := range s.Prefixes() {
				if p.Contains(a) {
					bits = max(bits, p.Bits())
				}
			}
		}
	}
	return bits
}

func prefixCount(list []selector.Selector) (n int) {
	for _, s := range list {
		n += len(s.Prefixes())
	}
	return n
}
