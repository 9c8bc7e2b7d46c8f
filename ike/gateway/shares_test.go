package gateway

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// What is known of who has most is what counting everything gives.
func TestShares(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var s shares[int]
	s.init()
	now := time.Unix(0, 0)
	var all []*claim[int]
	for i := range 20000 {
		now = now.Add(time.Millisecond)
		switch k := r.IntN(10); {
		case k < 5 || len(all) == 0:
			a := netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(6)), byte(r.IntN(5))})
			all = append(all, s.add(now, a, i, 1+r.IntN(3)))
		case k < 6:
			s.weigh(all[r.IntN(len(all))], 1+r.IntN(9))
		default:
			n := r.IntN(len(all))
			s.remove(all[n])
			all[n] = all[len(all)-1]
			all = all[:len(all)-1]
		}
		if i%7 > 0 {
			continue
		}
		total, nets, sources := 0, map[netip.Addr]int{}, map[netip.Addr]int{}
		for _, c := range all {
			total += c.weight
			nets[c.of.up.key] += c.weight
			sources[c.of.key] += c.weight
		}
		if s.total() != total || len(s.nets) != len(nets) || len(s.sources) != len(sources) {
			t.Fatalf("%d in %d networks, %d sources; want %d in %d, %d", s.total(), len(s.nets), len(s.sources), total, len(nets), len(sources))
		}
		most := s.most()
		if most == nil {
			if len(all) > 0 {
				t.Fatal("nobody has most")
			}
			continue
		}
		for a, n := range nets {
			if n > nets[most.of.up.key] {
				t.Fatalf("%s has %d, more than %s with %d", a, n, most.of.up.key, nets[most.of.up.key])
			}
		}
		for _, c := range all {
			switch {
			case c.of.up == most.of.up && sources[c.of.key] > sources[most.of.key]:
				t.Fatalf("%s has more than %s", c.of.key, most.of.key)
			case c.of == most.of && c.at.Before(most.at):
				t.Fatal("it is not the oldest")
			case s.from(c.of.key) != sources[c.of.key]:
				t.Fatalf("%s has %d, want %d", c.of.key, s.from(c.of.key), sources[c.of.key])
			}
		}
	}
}

// Who has more than a newcomer would have gives way to it, first of all networks, then of its own. Who has as much gives way when
// what he began is stale, and a peer that has begun a moment ago is left alone.
func TestYields(t *testing.T) {
	for _, c := range []struct {
		name     string
		have     map[string]int // by address
		age      time.Duration
		newcomer string
		want     string // the address, "" for nobody
	}{
		{"nobody is there", nil, 0, "192.0.2.1", ""},
		{"one has many", map[string]int{"198.51.100.1": 9, "203.0.113.1": 1}, 0, "192.0.2.1", "198.51.100.1"},
		{"it is the newcomer", map[string]int{"198.51.100.1": 9}, 0, "198.51.100.1", ""},
		{"all have one", map[string]int{"198.51.100.1": 1, "203.0.113.1": 1}, 2 * time.Second, "192.0.2.1", ""},
		{"all have one, and long since", map[string]int{"198.51.100.1": 1}, 6 * time.Second, "192.0.2.1", "198.51.100.1"},
		{"a network has many", map[string]int{"198.51.100.1": 2, "198.51.100.2": 2, "203.0.113.1": 3}, 2 * time.Second, "192.0.2.1", "198.51.100."},
		{"a network has many, of a moment ago", map[string]int{"198.51.100.1": 2, "198.51.100.2": 2}, 0, "192.0.2.1", ""},
		{"the newcomer's neighbour", map[string]int{"192.0.2.7": 9}, 0, "192.0.2.1", "192.0.2.7"},
		{"the neighbour while another network has as much", map[string]int{"192.0.2.7": 9, "198.51.100.1": 9}, 0, "192.0.2.1", "192.0.2.7"},
		{"an IPv6 site has many networks", map[string]int{"2001:db8:1:1::1": 2, "2001:db8:1:2::1": 2, "2001:db8:1:3::1": 2, "203.0.113.1": 3},
			2 * time.Second, "192.0.2.1", "2001:db8:1:"},
		{"an IPv6 host has many addresses", map[string]int{"2001:db8:1:1::1": 3, "2001:db8:1:1::2": 3}, 0, "2001:db8:1:2::1", "2001:db8:1:1::"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s shares[string]
			s.init()
			now := time.Unix(1e9, 0)
			for a, n := range c.have {
				for range n {
					s.add(now.Add(-c.age), netip.MustParseAddr(a), a, 1)
				}
			}
			got := ""
			if y := s.yields(now, netip.MustParseAddr(c.newcomer)); y != nil {
				got = y.x
			}
			if got != c.want && (c.want == "" || len(got) < len(c.want) || got[:len(c.want)] != c.want) {
				t.Errorf("%q gives way, want %q", got, c.want)
			}
		})
	}
}
