package dataplane

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"esplanade/esp"
	"esplanade/ike/selector"
)

// model is a security policy database that looks at everything it has.
type model struct {
	policies map[uint64]selector.Policy
	sas      map[uint64]modelSA // by child
}

type modelSA struct {
	policy, line uint64
	ts           selector.Pair
	sa           *outboundSA
}

// covering is the length of the longest remote prefix of a pair that has the packet, -1 when it does not select it.
func covering(ts selector.Pair, p selector.Packet) int {
	if !ts.MatchOut(p) {
		return -1
	}
	bits := -1
	for _, x := range remotePrefixes(ts) {
		if x.Contains(p.Dst) {
			bits = max(bits, x.Bits())
		}
	}
	return bits
}

// lookup gives the SA for a packet, or the number of the policy that it waits for, or that refuses it.
func (m *model) lookup(k *flowKey) (sa *outboundSA, waits, refuses uint64) {
	type found struct {
		id   uint64
		bits int
	}
	p := k.packet()
	var list []found
	for id, x := range m.policies {
		if bits := covering(x.Pair, p); bits >= 0 {
			list = append(list, found{id, bits})
		}
	}
	slices.SortFunc(list, func(a, b found) int {
		return cmp.Or(b.bits-a.bits, m.policies[a.id].Order-m.policies[b.id].Order)
	})
	least := 0
	for _, f := range list {
		if f.bits < least {
			break
		}
		var best modelSA
		up, bestBits := false, -1
		for _, x := range m.sas {
			if x.policy != f.id {
				continue
			}
			up = true
			if bits := covering(x.ts, p); bits > bestBits || bits >= 0 && bits == bestBits && x.line < best.line {
				best, bestBits = x, bits
			}
		}
		switch {
		case best.sa != nil:
			return best.sa, 0, 0
		case up:
			least = f.bits
		}
		if w := m.policies[f.id].Without; w == selector.Wait && waits == 0 {
			waits = f.id
		} else if w == selector.Refuse && refuses == 0 {
			refuses = f.id
		}
	}
	if waits != 0 {
		refuses = 0
	}
	return nil, waits, refuses
}

func randomSelectors(r *rand.Rand, v6 bool) []selector.Selector {
	var l []selector.Selector
	for range 1 + r.IntN(2) {
		s := selector.Selector{EndPort: selector.AnyEndPort}
		a, b := r.Uint32N(64), r.Uint32N(64)
		if r.IntN(3) == 0 { // a prefix
			n := r.IntN(7)
			a = a >> n << n
			b = a | 1<<n - 1
		}
		a, b = min(a, b), max(a, b)
		addr := func(x uint32) netip.Addr {
			if v6 {
				return netip.AddrFrom16([16]byte{0xfd, 15: byte(x)})
			}
			return netip.AddrFrom4([4]byte{10, 0, 0, byte(x)})
		}
		s.Start, s.End = addr(a), addr(b)
		if r.IntN(3) == 0 {
			s.Protocol = []uint8{protoTCP, protoUDP}[r.IntN(2)]
			if r.IntN(2) == 0 {
				s.StartPort, s.EndPort = 1, 2
			}
		}
		l = append(l, s)
	}
	return l
}

func randomKey(r *rand.Rand) flowKey {
	ip := ipSpec{src: fmt.Sprintf("10.0.0.%d", r.IntN(70)), dst: fmt.Sprintf("10.0.0.%d", r.IntN(70))}
	if r.IntN(2) == 0 {
		ip = ipSpec{src: fmt.Sprintf("fd00::%x", r.IntN(70)), dst: fmt.Sprintf("fd00::%x", r.IntN(70))}
	}
	l4 := make([]byte, 20)
	l4[1], l4[3] = byte(r.IntN(4)), byte(r.IntN(4))
	var h innerHeader
	if !h.parse(ip.build([]uint8{protoTCP, protoUDP, 99}[r.IntN(3)], l4)) {
		panic("randomKey")
	}
	return h.key
}

// narrowed gives some of what a pair has.
func narrowed(r *rand.Rand, p selector.Pair) selector.Pair {
	for range 20 {
		v6 := p.Remote[0].Is6()
		n := selector.Pair{Local: selector.Narrow(p.Local, randomSelectors(r, v6)), Remote: selector.Narrow(p.Remote, randomSelectors(r, v6))}
		if !n.Empty() {
			return n
		}
	}
	return p
}

// TestPolicyDatabase changes policies and SAs at random and compares each lookup with a search through all of them.
func TestPolicyDatabase(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 0))
		l := newLab(t, plainEnds)
		e := l.e
		m := &model{policies: map[uint64]selector.Policy{}, sas: map[uint64]modelSA{}}
		encr, integ := keys(t, gcm128(), "x")
		for step := range uint64(80) {
			id := 1 + r.Uint64N(8)
			spd, there := m.policies[id]
			switch n := r.IntN(6); {
			case !there:
				v6 := r.IntN(2) == 0
				spd = selector.Policy{Pair: selector.Pair{Local: randomSelectors(r, v6), Remote: randomSelectors(r, v6)},
					Order: int(id), Without: selector.Without(r.IntN(2))}
				e.SetPolicy(id, spd)
				m.policies[id] = spd
			case n == 0: // another place, and something else for packets without an SA
				spd.Order, spd.Without = int(100-id), selector.Without(r.IntN(2))
				e.SetPolicy(id, spd)
				m.policies[id] = spd
			case n == 1 && len(m.sas) > 0:
				for child := range m.sas {
					e.RemoveOutbound(child)
					delete(m.sas, child)
					break
				}
			case n == 2:
				used := false
				for _, x := range m.sas {
					used = used || x.policy == id
				}
				if !used {
					e.ClearPolicy(id)
					delete(m.policies, id)
				}
			default:
				ts := narrowed(r, spd.Pair)
				err := e.InstallOutbound(step+1, id, step+1, esp.OutboundConfig{SPI: 4096, Suite: gcm128(), EncrKey: encr, IntegKey: integ},
					ts, esp.Path{Local: labA, Remote: labB, UDP: true})
				if err != nil {
					t.Fatal(err)
				}
				m.sas[step+1] = modelSA{policy: id, line: step + 1, ts: ts, sa: e.children[step+1].out}
			}
			for range 40 {
				k := randomKey(r)
				sa, waits, refuses := m.lookup(&k)
				got := e.policies.Load().lookup(&k)
				switch {
				case sa == nil && waits == 0 && refuses == 0:
					if got != nil {
						t.Fatalf("seed %d, step %d: %v: got %+v, want none", seed, step, k.packet(), got)
					}
				case got == nil || got.sa != sa || sa == nil && got.policy.id != max(waits, refuses):
					t.Fatalf("seed %d, step %d: %v: got %+v, want %v, %d or %d", seed, step, k.packet(), got, sa, waits, refuses)
				}
			}
		}
		for child := range m.sas {
			e.RemoveOutbound(child)
		}
		for id := range m.policies {
			e.ClearPolicy(id)
		}
		if n := e.policies.Load(); !n.empty() || len(e.entries) != 0 {
			t.Fatalf("seed %d: %d policies are left", seed, len(e.entries))
		}
	}
}

// spdLab is a lab with SAs that go nowhere.
type spdLab struct{ *lab }

func (l spdLab) install(id, policy, line uint64, local, remote string) {
	l.t.Helper()
	encr, integ := keys(l.t, gcm128(), "x")
	if err := l.e.InstallOutbound(id, policy, line, esp.OutboundConfig{SPI: 4096, Suite: gcm128(), EncrKey: encr, IntegKey: integ},
		pair(l.t, local, remote), esp.Path{Local: labA, Remote: labB, UDP: true}); err != nil {
		l.t.Fatal(err)
	}
}

// look says what becomes of a packet from the local network: the child that carries it, or the policy and what it does.
func (l spdLab) look(dst string) string {
	l.t.Helper()
	var h innerHeader
	if !h.parse(udpPacket(ipSpec{src: v4.src, dst: dst}, 1, 2, nil)) {
		l.t.Fatal("parse")
	}
	switch r := l.e.policies.Load().lookup(&h.key); {
	case r == nil:
		return "none"
	case r.sa != nil:
		return fmt.Sprintf("child %d", r.sa.child.id)
	case r.policy.spd.Without == selector.Refuse:
		return fmt.Sprintf("policy %d refuses", r.policy.id)
	default:
		return fmt.Sprintf("policy %d waits", r.policy.id)
	}
}

// The policy with the most specific configured selectors that is up decides, whatever its peers and those of others have
// narrowed theirs to.
func TestConfiguredSelectorsDecide(t *testing.T) {
	l := spdLab{newLab(t, plainEnds)}
	want := func(dst, what string) {
		t.Helper()
		if got := l.look(dst); got != what {
			t.Errorf("%s: %s, want %s", dst, got, what)
		}
	}
	l.e.SetPolicy(1, selector.Policy{Pair: pair(t, ts4Local, "10.0.0.0/8"), Order: 1, Without: selector.Refuse})
	l.e.SetPolicy(2, selector.Policy{Pair: pair(t, ts4Local, "10.30.0.0/16"), Order: 2})
	l.e.SetPolicy(3, selector.Policy{Pair: pair(t, ts4Local, "10.30.0.0/16"), Order: 3})
	want("10.30.0.5", "policy 2 waits")
	want("10.40.0.5", "policy 1 refuses")
	want("172.16.0.1", "none")

	// The wider one carries all while the others are down, also what its peer has asked for most specifically.
	l.install(10, 1, 10, ts4Local, "10.30.0.5/32")
	want("10.30.0.5", "child 10")
	want("10.30.0.6", "policy 2 waits")
	l.install(11, 1, 11, ts4Local, "10.0.0.0/8")
	want("10.30.0.6", "child 11")

	// Once the more specific one is up it has them, with all that its own peer took; the rest goes to no other peer with
	// less specific selectors, but to one with equal ones.
	l.install(20, 2, 20, ts4Local, "10.30.0.0/24")
	want("10.30.0.5", "child 20")
	want("10.30.1.5", "policy 2 waits")
	want("10.40.0.5", "child 11")
	l.install(30, 3, 30, ts4Local, "10.30.1.0/24")
	want("10.30.1.5", "child 30")
	want("10.30.0.5", "child 20")
	want("10.30.2.5", "policy 2 waits")

	// Two peers of one policy with the same selectors: the first one has them until it goes.
	l.install(21, 2, 21, ts4Local, "10.30.0.0/24")
	want("10.30.0.5", "child 20")
	l.install(22, 2, 20, ts4Local, "10.30.0.0/24") // rekeyed
	want("10.30.0.5", "child 22")
	l.e.RemoveOutbound(20)
	l.e.RemoveOutbound(22)
	want("10.30.0.5", "child 21")

	// A policy that a reload has taken away goes with its last SA, and has no say about anything else.
	l.e.ClearPolicy(2)
	want("10.30.0.5", "child 21")
	want("10.30.2.5", "policy 3 waits")
	l.e.RemoveOutbound(21)
	want("10.30.0.5", "policy 3 waits")
	if l.e.entries[2] != nil {
		t.Error("the policy is still there")
	}

	// Another place in the configuration.
	l.e.SetPolicy(4, selector.Policy{Pair: pair(t, ts4Local, "10.30.0.0/16"), Order: 1})
	want("10.30.9.5", "policy 4 waits")
	l.e.SetPolicy(4, selector.Policy{Pair: pair(t, ts4Local, "10.30.0.0/16"), Order: 9})
	want("10.30.9.5", "policy 3 waits")
}

// What a dynamic selector stands for is known with the SA only.
func TestOpenPolicy(t *testing.T) {
	l := spdLab{newLab(t, plainEnds)}
	l.e.SetPolicy(1, selector.Policy{Order: 2, Open: true, Without: selector.Refuse})
	if got := l.look("10.30.0.5"); got != "none" {
		t.Errorf("before it is up: %s", got)
	}
	l.install(10, 1, 10, ts4Local, "10.30.0.5/32")
	l.install(11, 1, 11, ts4Local, "10.30.0.5/32")
	l.install(20, 2, 20, ts4Local, "10.30.0.5/32") // of no policy: behind all others
	if got := l.look("10.30.0.5"); got != "child 10" {
		t.Error(got)
	}
	// In the network of another policy, up or not, it takes nothing; a policy of every address is no such network.
	l.e.SetPolicy(4, selector.Policy{Pair: pair(t, ts4Local, "0.0.0.0/0"), Order: 1})
	l.install(40, 4, 40, ts4Local, "0.0.0.0/0")
	if got := l.look("10.30.0.5"); got != "child 10" {
		t.Error(got)
	}
	l.e.SetPolicy(3, selector.Policy{Pair: pair(t, ts4Local, "10.30.0.0/16"), Order: 3, Without: selector.Refuse})
	if got := l.look("10.30.0.5"); got != "policy 3 refuses" {
		t.Error(got)
	}
	l.install(30, 3, 30, ts4Local, "10.30.0.0/16")
	if got := l.look("10.30.0.5"); got != "child 30" {
		t.Error(got)
	}
	// What the same child is configured with is its own.
	l.e.SetPolicy(1, selector.Policy{Pair: pair(t, ts4Local, "10.30.0.0/24"), Order: 5, Open: true, Without: selector.Refuse})
	if got := l.look("10.30.0.5"); got != "child 10" {
		t.Error(got)
	}
	if got := l.look("10.30.0.6"); got != "policy 1 refuses" {
		t.Error(got)
	}
	l.e.SetPolicy(1, selector.Policy{Order: 0, Open: true, Without: selector.Refuse})
	l.e.RemoveOutbound(40)
	l.e.ClearPolicy(4)
	for _, id := range []uint64{10, 11, 30} {
		l.e.RemoveOutbound(id)
	}
	l.e.ClearPolicy(3)
	if got := l.look("10.30.0.5"); got != "child 20" {
		t.Error(got)
	}
	l.e.ClearPolicy(1)
	l.e.RemoveOutbound(20)
	if got := l.look("10.30.0.5"); got != "none" || len(l.e.entries) != 0 {
		t.Errorf("%s; %d entries are left", got, len(l.e.entries))
	}
}

func TestSPITable(t *testing.T) {
	var s spiTable
	seen := make(map[uint32]bool)
	var order []uint32
	for range 3000 {
		spi, err := s.allocate()
		if err != nil || spi < 256 || seen[spi] {
			t.Fatalf("%08x: %v", spi, err)
		}
		seen[spi] = true
		order = append(order, spi)
		if s.lookup(spi) != nil {
			t.Fatal("found before it was inserted")
		}
		s.insert(&inboundSA{spi: spi})
		if sa := s.lookup(spi); sa == nil || sa.spi != spi {
			t.Fatal("not found")
		}
		if s.lookup(spi^1<<31) != nil || s.lookup(spi^1) != nil && !seen[spi^1] {
			t.Fatal("found by another SPI")
		}
	}
	for _, spi := range order[:2000] {
		s.release(spi)
		s.release(spi)
		if s.lookup(spi) != nil || s.allocated(spi) {
			t.Fatal("found after it was released")
		}
	}
	for range 4000 {
		spi, err := s.allocate()
		if err != nil || seen[spi] {
			t.Fatalf("%08x given out again: %v", spi, err)
		}
	}
	s.release(0)
	s.release(0xffffffff)
	// The end of the indexes.
	s.next = spiIndexMask
	s.free = nil
	if _, err := s.allocate(); err != nil {
		t.Error(err)
	}
	if _, err := s.allocate(); err != ErrNoSPI {
		t.Errorf("more SPIs than there are: %v", err)
	}
	s.release(order[2500])
	if spi, err := s.allocate(); err != nil || spi == order[2500] || spi&spiIndexMask != order[2500]&spiIndexMask {
		t.Errorf("the last free index: %08x, %v", spi, err)
	}
}

func TestFlowCache(t *testing.T) {
	var c flowCache[*rule]
	c.use(1)
	r := rand.New(rand.NewPCG(1, 1))
	k := randomKey(r)
	*c.at(&k) = flowEntry[*rule]{k, &rule{}}
	c.use(1)
	if c.at(&k).key != k {
		t.Error("forgotten")
	}
	c.use(2)
	if c.at(&k).key == k {
		t.Error("remembered")
	}
	// Keys that differ in one field only are spread.
	buckets := make(map[uint64]int)
	for i := range uint64(4096) {
		x := k
		x.rest += i << 48
		buckets[x.hash()&(flowCacheSize-1)]++
	}
	for b, n := range buckets {
		if n > 30 {
			t.Errorf("bucket %d has %d of 4096 keys", b, n)
		}
	}
}

// A rule costs what its own prefixes cost, however many others lie inside them or around them.
func TestPolicyTableCostOfNestedRules(t *testing.T) {
	table := &ruleTable{}
	hosts := &rule{ts: selector.Pair{Local: pair(t, "10.1.0.0/16", "10.2.0.0/16").Local}, sa: &outboundSA{}}
	for i := range 200 {
		a := netip.AddrFrom4([4]byte{10, 2, byte(i), 1})
		hosts.ts.Remote = append(hosts.ts.Remote, selector.Selector{Start: a, End: a, EndPort: selector.AnyEndPort})
	}
	table = table.with(hosts)
	for i := range 100 {
		table = table.with(&rule{ts: pair(t, ts4Local, "10.2.0.0/16"), sa: &outboundSA{}, serial: uint64(i)})
	}
	kept := 0
	for _, l := range table.table.All() {
		kept += len(l.rules)
	}
	if kept != 300 {
		t.Errorf("the table holds %d rules, want each of the 300 prefixes of 101 rules once", kept)
	}
	var k flowKey
	k.srcLo, k.dstLo, k.rest = 10<<24|1<<16|5, 10<<24|2<<16|1, 4<<8
	one := &policy{}
	one.sas.Store(table)
	spd := (&ruleTable{}).with(&rule{ts: pair(t, ts4Local, "10.2.0.0/16"), policy: one})
	if spd.lookup(&k) == nil {
		t.Error("not found")
	}
	if n := testing.AllocsPerRun(100, func() { spd.lookup(&k) }); n != 0 {
		t.Errorf("%v allocations a lookup", n)
	}
}
