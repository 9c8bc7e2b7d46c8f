package pool

import (
	"net/netip"
	"slices"
	"time"
)

// Book has the pools of a gateway and who has which of their addresses. It belongs to one goroutine.
type Book struct {
	pools  map[string]*shelf
	order  []string // of the configuration
	leases map[netip.Addr]*lease
	owners map[string]*owner
	held   map[uint64][]*lease // by who holds them
	// reserved are addresses that nobody is given unless they are his own.
	reserved map[netip.Addr]struct{}
}

// shelf is a pool with what was given of it.
type shelf struct {
	*Pool
	// span and next are where addresses begin that were perhaps never given. next is not valid when there are none.
	span int
	next netip.Addr
	// online and offline count leases. The offline ones are a list, the oldest first.
	online, offline int
	first, last     *lease
}

// owner is whose leases are: an identity, and what vouches for it.
type owner struct {
	key, name string
	leases    []*lease
}

// lease is an address that was given to an owner.
type lease struct {
	addr  netip.Addr
	shelf *shelf // nil: the address is of no pool
	owner *owner
	// holders are the IKE SAs that have it, the oldest first. None: it is offline, since the time seen.
	holders []holder
	seen    time.Time
	// kept: it survives a restart that it was given to its owner.
	kept bool
	// previous and following are its neighbours in the list of its pool while it is offline.
	previous, following *lease
}

// holder is an IKE SA with a lease, where its peer is, and which of its owner's devices that is.
type holder struct {
	id     uint64
	remote netip.AddrPort
	device string
}

const (
	// maxOffline is how many leases of one pool are remembered while they are offline. A pool has far more addresses where it is IPv6, and
	// a peer may have any number of identities where a connection takes a pattern of them; beyond that the oldest are given again.
	maxOffline = 1 << 17
	// maxAsked is how many addresses of one family one IKE SA is given.
	maxAsked = 4
)

// NewBook makes a book without pools.
func NewBook() *Book {
	return &Book{pools: map[string]*shelf{}, leases: map[netip.Addr]*lease{}, owners: map[string]*owner{}, held: map[uint64][]*lease{},
		reserved: map[netip.Addr]struct{}{}}
}

// Change is what has become of the lease of an address, for whoever keeps them over a restart.
type Change struct {
	Addr netip.Addr
	// Record is what is to be kept, nil for nothing.
	Record *Record
}

// Record is a lease as it is kept.
type Record struct {
	Addr netip.Addr
	Pool string
	// Owner is a key that is only compared, Name the identity for people.
	Owner, Name string
	// Online: an IKE SA has it. Seen is when that was written, or since when none has it.
	Online bool
	Seen   time.Time
}

// Configure replaces the pools, in the order of the configuration, and the addresses that are somebody's own. Leases that still fit stay, whatever
// pool they are in now. Of the others those that are online stay until they are released: their clients have the addresses.
func (b *Book) Configure(pools []*Pool, reserved []netip.Addr) []Change {
	old := b.pools
	b.pools, b.order = map[string]*shelf{}, nil
	for _, p := range pools {
		b.pools[p.name] = &shelf{Pool: p}
		b.order = append(b.order, p.name)
	}
	b.reserve(reserved)
	// The lists of offline leases are made again in their order: pool by pool, and each from the oldest on.
	var offline []*lease
	for _, name := range sortedKeys(old) {
		for l := old[name].first; l != nil; l = l.following {
			offline = append(offline, l)
		}
	}
	slices.SortStableFunc(offline, func(x, y *lease) int { return x.seen.Compare(y.seen) })
	for _, l := range b.leases {
		l.shelf = b.shelfOf(l.addr)
		if s := l.shelf; s != nil && len(l.holders) > 0 {
			s.online++
		}
	}
	var out []Change
	for _, l := range offline {
		l.previous, l.following = nil, nil
		if l.shelf == nil {
			out = append(out, b.forget(l))
			continue
		}
		l.shelf.append(l)
	}
	for _, s := range b.pools {
		s.rewind()
	}
	return out
}

// Reserve replaces the addresses that are somebody's own, which [Book.Configure] was given before. Whoever has one of them keeps it until it is released.
func (b *Book) Reserve(reserved []netip.Addr) {
	b.reserve(reserved)
	for _, s := range b.pools {
		s.rewind()
	}
}

func (b *Book) reserve(list []netip.Addr) {
	clear(b.reserved)
	for _, a := range list {
		b.reserved[a] = struct{}{}
	}
}

// Load takes up what was kept of an earlier run, after the first [Book.Configure] and before anything else. All of it is offline now, since now
// where it was online at the end. What fits no pool is forgotten.
func (b *Book) Load(now time.Time, list []Record) []Change {
	list = slices.Clone(list)
	for i := range list {
		if list[i].Online {
			list[i].Online, list[i].Seen = false, now
		}
	}
	slices.SortFunc(list, func(x, y Record) int {
		if c := x.Seen.Compare(y.Seen); c != 0 {
			return c
		}
		return x.Addr.Compare(y.Addr)
	})
	var out []Change
	for _, r := range list {
		s := b.shelfOf(r.Addr)
		if s == nil || b.leases[r.Addr] != nil || s.offline >= maxOffline {
			out = append(out, Change{Addr: r.Addr})
			continue
		}
		l := b.lease(r.Addr, s, r.Owner, r.Name)
		l.seen, l.kept = r.Seen, true
		s.append(l)
	}
	return out
}

// shelfOf finds the pool that has an address. Pools have no address in common; if they do, it is the first one's.
func (b *Book) shelfOf(a netip.Addr) *shelf {
	for _, name := range b.order {
		if s := b.pools[name]; s.Contains(a) {
			return s
		}
	}
	return nil
}

// lease makes a lease for an owner.
func (b *Book) lease(a netip.Addr, s *shelf, key, name string) *lease {
	o := b.owners[key]
	if o == nil {
		o = &owner{key: key}
		b.owners[key] = o
	}
	o.name = name
	l := &lease{addr: a, shelf: s, owner: o}
	o.leases = append(o.leases, l)
	b.leases[a] = l
	return l
}

// disown takes a lease from its owner.
func (b *Book) disown(l *lease) {
	o := l.owner
	if i := slices.Index(o.leases, l); i >= 0 {
		o.leases = slices.Delete(o.leases, i, i+1)
	}
	if len(o.leases) == 0 {
		delete(b.owners, o.key)
	}
}

// forget takes a lease out that nobody holds and that is in no list.
func (b *Book) forget(l *lease) Change {
	b.disown(l)
	delete(b.leases, l.addr)
	if l.shelf != nil {
		l.shelf.giveBack(l.addr)
	}
	return Change{Addr: l.addr}
}

// record is the lease of a pool's address as it is to be kept.
func (l *lease) record() Change {
	return Change{l.addr, &Record{Addr: l.addr, Pool: l.shelf.name, Owner: l.owner.key, Name: l.owner.name, Online: len(l.holders) > 0, Seen: l.seen}}
}
