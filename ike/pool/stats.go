package pool

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Stats are the numbers of one pool.
type Stats struct {
	Name, Base string
	// Size is how many addresses it has, at most math.MaxUint64. Online are held by clients, Offline were.
	Size            uint64
	Online, Offline int
}

// Info is one lease, for an operator.
type Info struct {
	Addr netip.Addr
	Pool string // "" for an address of no pool
	Name string // the identity of the client
	// Online: an IKE SA has it. Seen is since when.
	Online  bool
	Seen    time.Time
	Holders []uint64
}

func (s *shelf) stats() Stats {
	return Stats{Name: s.name, Base: s.base, Size: s.Size(), Online: s.online, Offline: s.offline}
}

// Stats are the numbers of all pools, in the order of the configuration.
func (b *Book) Stats() (out []Stats) {
	for _, name := range b.order {
		out = append(out, b.pools[name].stats())
	}
	return out
}

// Leases lists the leases of a pool, or all of them for "", by address.
func (b *Book) Leases(pool string) (out []Info) {
	for _, l := range b.leases {
		x := Info{Addr: l.addr, Name: l.owner.name, Online: len(l.holders) > 0, Seen: l.seen}
		if l.shelf != nil {
			x.Pool = l.shelf.name
		}
		if pool != "" && x.Pool != pool {
			continue
		}
		for _, h := range l.holders {
			x.Holders = append(x.Holders, h.id)
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(x, y Info) int { return cmp.Or(cmp.Compare(x.Pool, y.Pool), x.Addr.Compare(y.Addr)) })
	return out
}

// Held are the addresses that an IKE SA has.
func (b *Book) Held(id uint64) (out []netip.Addr) {
	for _, l := range b.held[id] {
		out = append(out, l.addr)
	}
	return out
}

// Check looks whether all that must hold does, for tests.
func (b *Book) Check() error {
	online, offline := map[*shelf]int{}, map[*shelf]int{}
	for a, l := range b.leases {
		switch {
		case l.addr != a || b.owners[l.owner.key] != l.owner || !slices.Contains(l.owner.leases, l):
			return fmt.Errorf("%s is not filed as it should be", a)
		case l.shelf != b.shelfOf(a):
			return fmt.Errorf("%s is in another pool", a)
		case len(l.holders) == 0 && l.shelf == nil:
			return fmt.Errorf("%s is of no pool, and nobody has it", a)
		}
		for _, h := range l.holders {
			if !slices.Contains(b.held[h.id], l) {
				return fmt.Errorf("%s: %d does not know that it has it", a, h.id)
			}
		}
		if len(l.holders) > 0 {
			online[l.shelf]++
		} else {
			offline[l.shelf]++
		}
	}
	for id, list := range b.held {
		for _, l := range list {
			if !l.heldBy(id) || b.leases[l.addr] != l {
				return fmt.Errorf("%d has %s, which does not know of it", id, l.addr)
			}
		}
	}
	for _, o := range b.owners {
		for _, l := range o.leases {
			if b.leases[l.addr] != l || l.owner != o {
				return fmt.Errorf("%s has %s, which is not his", o.name, l.addr)
			}
		}
	}
	for _, s := range b.pools {
		n := 0
		for l := s.first; l != nil; l = l.following {
			if n++; len(l.holders) > 0 || l.shelf != s || l.following != nil && l.following.previous != l {
				return fmt.Errorf("%s: %s is not where it should be in the list", s.name, l.addr)
			}
		}
		if s.online != online[s] || s.offline != offline[s] || n != s.offline {
			return fmt.Errorf("%s: %d online and %d offline are counted, of %d and %d; the list has %d", s.name, s.online, s.offline, online[s], offline[s], n)
		}
	}
	return nil
}
