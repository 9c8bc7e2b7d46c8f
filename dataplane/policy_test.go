package dataplane

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"esplanade/ike/selector"
)

// slowLookup looks at every rule: SAs before traps, then the longest remote prefix that covers the packet, then the
// lower policy, then the newer.
func slowLookup(rules []*rule, k *flowKey) *rule {
	p := k.packet()
	var best *rule
	var bestAt ruleAt
	for _, r := range rules {
		if !r.ts.MatchOut(p) {
			continue
		}
		bits := -1
		for _, x := range remotePrefixes(r.ts) {
			if x.Contains(p.Dst) {
				bits = max(bits, x.Bits())
			}
		}
		if at := (ruleAt{r, bits}); best == nil || at.before(bestAt) < 0 {
			best, bestAt = r, at
		}
	}
	return best
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

// TestPolicyTable adds and removes random rules and compares each lookup with a search through all rules.
func TestPolicyTable(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 0))
		table := &policyTable{}
		var rules []*rule
		for step := range 60 {
			if len(rules) > 0 && r.IntN(3) == 0 {
				i := r.IntN(len(rules))
				table = table.without(rules[i])
				rules = slices.Delete(rules, i, i+1)
			} else {
				v6 := r.IntN(2) == 0
				x := &rule{ts: selector.Pair{Local: randomSelectors(r, v6), Remote: randomSelectors(r, v6)},
					policy: uint64(r.IntN(5)), serial: uint64(step)}
				if r.IntN(2) == 0 {
					x.sa = &outboundSA{}
				} else {
					x.trap = &trap{}
				}
				table = table.with(x)
				rules = append(rules, x)
			}
			if table.gen != uint64(step+1) {
				t.Fatal("gen")
			}
			for range 40 {
				k := randomKey(r)
				if got, want := table.lookup(&k), slowLookup(rules, &k); got != want {
					t.Fatalf("seed %d, step %d: %v: got %+v, want %+v", seed, step, k.packet(), got, want)
				}
			}
		}
		for _, x := range rules {
			table = table.without(x)
		}
		if table.table.Size() != 0 {
			t.Fatalf("seed %d: %d prefixes are left", seed, table.table.Size())
		}
	}
}

func TestSAsBeforeTraps(t *testing.T) {
	wide := &rule{ts: pair(t, "0.0.0.0/0", "0.0.0.0/0"), sa: &outboundSA{}, serial: 1}
	trapped := &rule{ts: pair(t, ts4Local, "10.2.0.0/16"), trap: &trap{}, serial: 2}
	narrow := &rule{ts: pair(t, ts4Local, "10.2.3.0/24"), sa: &outboundSA{}, serial: 3}
	newer := &rule{ts: pair(t, ts4Local, "10.2.3.0/24"), sa: &outboundSA{}, serial: 4}
	table := (&policyTable{}).with(wide).with(trapped).with(narrow)
	look := func(dst string) *rule {
		var h innerHeader
		if !h.parse(udpPacket(ipSpec{src: v4.src, dst: dst}, 1, 2, nil)) {
			t.Fatal("parse")
		}
		return table.lookup(&h.key)
	}
	if look("10.2.1.1") != wide || look("10.2.3.1") != narrow {
		t.Error("order")
	}
	table = table.without(wide)
	if look("10.2.1.1") != trapped || look("10.2.3.1") != narrow || look("10.9.1.1") != nil {
		t.Error("order without the wide one")
	}
	table = table.with(newer)
	if look("10.2.3.1") != newer {
		t.Error("a rekeyed SA does not take over")
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
	table := &policyTable{}
	hosts := &rule{ts: selector.Pair{Local: pair(t, ts4Local, "10.2.0.0/16").Local}, sa: &outboundSA{}}
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
	k := randomKey(rand.New(rand.NewPCG(1, 1)))
	if n := testing.AllocsPerRun(100, func() { table.lookup(&k) }); n != 0 {
		t.Errorf("%v allocations a lookup", n)
	}
}
