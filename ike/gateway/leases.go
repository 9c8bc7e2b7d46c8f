package gateway

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"esplanade/config"
	"esplanade/ike/aaa"
	"esplanade/ike/identity"
	"esplanade/ike/policy"
	"esplanade/ike/pool"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// Addresses for clients. A machine asks for them with [sa.Lease]; the book decides at once, in memory. What it has decided is kept by the host
// before the machine learns of it, and so before the peer does: a crash at any moment leaves no address with two owners.
//
//	machine ── sa.Lease ──> book ── Keeping ──> Host.Keep ── Kept ──> machine ── CFG_REPLY ──> peer
//
// An IKE SA and those that it is rekeyed to hold their addresses under one number, until the last of them has ended. What is released is kept as
// well, when there is time for it.

// Keeping is what has become of leases, for [Host.Keep].
type Keeping struct {
	Changes []pool.Change
	// Urgent: a peer waits for it, and [Manager.Kept] is to be told.
	Urgent bool

	errand Errand
	holder uint64
	leased sa.Leased
	name   string
}

// configurePools takes up the pools of the configuration.
func (g *Manager) configurePools(now time.Time, c *config.Config) {
	var list []*pool.Pool
	for _, p := range c.Pools {
		list = append(list, p.Pool())
	}
	g.keepLater(g.book.Configure(list, g.reserved(c)))
	g.loadLeases(now)
}

// KnowLeases has the addresses be known that an earlier run has given, as they were kept. It is for a configuration whose first pools come with a reload, and to be
// called before that.
func (g *Manager) KnowLeases(list []pool.Record) { g.o.Leases = list }

// loadLeases takes them up, as soon as there are pools.
func (g *Manager) loadLeases(now time.Time) {
	if len(g.o.Leases) > 0 {
		g.keepLater(g.book.Load(now, g.o.Leases))
		g.o.Leases = nil
	}
}

// reserved are addresses that no pool gives away: those of users, and those that this gateway has itself, for a pool may be a part of its own network.
func (g *Manager) reserved(c *config.Config) []netip.Addr {
	return slices.Concat(c.Reserved(), g.addrs.list)
}

// keepLater has changes kept for which nobody waits.
func (g *Manager) keepLater(list []pool.Change) {
	if len(list) > 0 {
		g.o.Host.Keep(Keeping{Changes: list})
	}
}

// lease gives addresses to the peer of an IKE SA.
func (g *Manager) lease(now time.Time, e *entry, x Errand, l sa.Lease) {
	if g.giver != nil {
		e.m.Complete(now, x.request, g.giver(l))
		return
	}
	c := g.dir.byName[l.Connection]
	if c == nil {
		e.m.Complete(now, x.request, sa.Unfulfilled{Err: &pool.EmptyError{Owner: e.m.RemoteID().String()}}) // a reload has taken it away
		return
	}
	g.releaseLeases(now, e) // of an attempt that was given up
	e.holder, e.leasing = e.m.ID(), x.request
	g.holders[e.holder] = e
	r := g.leaseRequest(e, c.conf, l)
	var grant pool.Grant
	err := g.poolsForUser(&r, l.User)
	if err == nil {
		err = g.ownAddress(r)
	}
	if err == nil {
		grant, err = g.book.Grant(now, r)
	}
	if err != nil {
		e.m.Complete(now, x.request, sa.Unfulfilled{Err: err})
		return
	}
	e.displaces = grant.Displaced
	leased := sa.Leased{Addresses: grant.Addrs, Attributes: grant.Attributes}
	if u := l.User; u != nil && len(u.DNS) > 0 {
		leased.Attributes.DNS = u.DNS
	}
	if !grant.Durable {
		g.keepLater(grant.Changes)
		g.leased(e, r.Name, leased)
		e.m.Complete(now, x.request, leased)
		return
	}
	k := Keeping{Changes: grant.Changes, Urgent: true, errand: x, holder: e.holder, leased: leased, name: r.Name}
	if err, done := g.o.Host.Keep(k); done {
		g.finishLease(now, k, err)
	}
}

// ownAddress is the error of a client whose address, by what RADIUS or the users file says, is this gateway's: it would be both's.
func (g *Manager) ownAddress(r pool.Request) error {
	for _, a := range r.Own {
		if g.ownsOutside(a) || slices.ContainsFunc(g.conf.TUN.Addresses, func(p netip.Prefix) bool { return p.Addr() == a }) {
			return &pool.TakenError{Owner: r.Name, Addr: a, By: "this gateway"}
		}
	}
	return nil
}

// leaseRequest says who it is that asks.
func (g *Manager) leaseRequest(e *entry, c *config.Connection, l sa.Lease) pool.Request {
	k, name, device := keyOf(e.m), e.m.RemoteID().String(), ""
	pools := c.Pools
	r := pool.Request{Holder: e.holder, Remote: l.Remote, Asked: l.Asked}
	if u := l.User; u != nil {
		k, name, device = userKey(u), u.Name, e.m.RemoteID().Key()
		r.Own = u.Addresses
		if len(u.Pools) > 0 {
			pools = u.Pools
		}
	}
	r.Owner, r.Name, r.Device, r.Pools = k.owner(), name, device, pools
	switch {
	case c.Unique == policy.UniqueReplace:
		r.Replaces = pool.ReplacesAll
	case l.Resumes, l.Contact && c.Unique != policy.UniqueNever:
		r.Replaces = pool.ReplacesDevice
	}
	return r
}

// poolsForUser takes the pools out of a request that are for other groups of users. What a RADIUS server has said stays as it is.
func (g *Manager) poolsForUser(r *pool.Request, u *aaa.User) error {
	if u != nil && len(u.Pools) > 0 {
		return nil
	}
	var may []string
	var refused *pool.GroupsError
	for _, name := range r.Pools {
		switch p := g.conf.Pool(name); {
		case p == nil || len(p.Groups) == 0 || u != nil && slices.ContainsFunc(p.Groups, u.In):
			may = append(may, name)
		case refused == nil:
			refused = &pool.GroupsError{Owner: r.Name, Pool: name, Groups: p.Groups}
			if u != nil {
				refused.Has = u.Groups
			}
		}
	}
	if len(may) == 0 && refused != nil && len(r.Own) == 0 {
		return refused
	}
	r.Pools = may
	return nil
}

// userKey is what a user is filed under, without this side's identity.
func userKey(u *aaa.User) peerKey {
	return peerKey{remote: identity.FoldUser(u.Name), vouched: userVouched(u)}
}

// owner is whose the leases of a peer are: who it is and what vouches for that, whichever identity of this side it has talked to.
func (k peerKey) owner() string { return fmt.Sprintf("%q %q %q", k.remote, k.own, k.vouched) }

// Kept says that [Host.Keep] has done what it was to do, or why it could not.
func (g *Manager) Kept(now time.Time, k Keeping, err error) {
	g.begin()
	g.finishLease(now, k, err)
	if e := g.table.bySPI[k.errand.spi]; e != nil {
		g.drain(now, e)
	}
}

// finishLease is Kept without what belongs to an input.
func (g *Manager) finishLease(now time.Time, k Keeping, err error) {
	if err == nil {
		g.book.Kept(k.Changes)
	}
	e := g.table.bySPI[k.errand.spi]
	switch {
	case e == nil || e.m.ID() != k.errand.ike || e.holder != k.holder:
		return // it has ended, and the addresses are released
	case e.leasing != k.errand.request:
		return // it has given that up, and has asked again
	}
	if err != nil {
		g.releaseLeases(now, e)
		e.m.Complete(now, k.errand.request, sa.Unfulfilled{Err: &pool.StoreError{Owner: k.name, Err: err}})
		return
	}
	g.leased(e, k.name, k.leased)
	e.m.Complete(now, k.errand.request, k.leased)
}

// leased says that the peer of an IKE SA has addresses.
func (g *Manager) leased(e *entry, owner string, l sa.Leased) {
	e.leased = owner
	g.o.Observer.Observe(AddressLeased{Connection: e.m.Config().Name, Owner: owner, IKE: e.m.ID(), Remote: e.m.Path().Remote, Addresses: l.Addresses})
}

// releaseLeases takes the addresses of an IKE SA back. What was never kept needs no keeping.
func (g *Manager) releaseLeases(now time.Time, e *entry) {
	if e.holder == 0 {
		return
	}
	held := g.book.Held(e.holder)
	g.keepLater(g.book.Release(now, e.holder))
	if e.leased != "" && len(held) > 0 {
		g.o.Observer.Observe(AddressReleased{Connection: e.m.Config().Name, Owner: e.leased, IKE: e.m.ID(), Addresses: held})
	}
	e.leased = ""
	delete(g.holders, e.holder)
	e.holder, e.displaces = 0, nil
}

// displace ends IKE SAs whose address the peer of e has now, as far as nothing else does so.
func (g *Manager) displace(now time.Time, e *entry) {
	for _, id := range e.displaces {
		x := g.holders[id]
		if x == nil || x == e || x.leaving || x.closed {
			continue
		}
		switch from := e.handover.from; {
		case from == x || x.handover.from == e || g.reauthenticating(x):
			continue // it goes when its children are there
		case from != nil && from.alive():
			g.retire(now, x, "its address goes to a newer IKE SA of the same client")
		default:
			g.takeOver(now, e, x) // the peer may not have our answer yet
		}
	}
	e.displaces = nil
}

// poolRanges are the addresses that the clients of a connection may be given, nil for none.
func (g *Manager) poolRanges(c *config.Connection) (out []selector.Selector) {
	for _, name := range c.Pools {
		if p := g.conf.Pool(name); p != nil {
			for _, s := range p.Routes() {
				out = append(out, selector.Selector{Start: s.First, End: s.Last, StartPort: selector.AnyStartPort, EndPort: selector.AnyEndPort})
			}
		}
	}
	return selector.Simplify(out)
}

// Pools are the numbers of all pools.
func (g *Manager) Pools() []pool.Stats { return g.book.Stats() }

// Leases lists the leases of a pool, or all of them for "".
func (g *Manager) Leases(name string) []pool.Info { return g.book.Leases(name) }

// CheckLeases looks whether all that must hold of addresses does, for tests: no address has two owners, and each IKE SA has the addresses that
// the book says it has.
func (g *Manager) CheckLeases() error {
	if err := g.book.Check(); err != nil {
		return err
	}
	type owner struct {
		key string
		e   *entry
	}
	owners := map[string]owner{}
	for _, e := range g.table.all() {
		_, addrs := e.m.Virtual()
		if !e.up || e.heir != nil || e.closed || len(addrs) == 0 {
			continue
		}
		held := g.book.Held(e.holder)
		k := keyOf(e.m)
		for _, a := range addrs {
			if !slices.Contains(held, a) {
				return fmt.Errorf("IKE SA %d has %s, and the book says %v", e.m.ID(), a, held)
			}
			key := k.owner()
			if o, ok := owners[a.String()]; ok && o.key != key {
				return fmt.Errorf("%s belongs to IKE SA %d and to IKE SA %d, of other clients", a, o.e.m.ID(), e.m.ID())
			}
			owners[a.String()] = owner{key, e}
		}
		for _, c := range e.m.Children() {
			if h := e.child(c.Config); h == nil || !c.Config.Pools || !inUse(c) {
				continue
			}
			if allowed := e.m.Configured(c.Config); !allowed.Contains(c.TS) {
				return fmt.Errorf("IKE SA %d carries %s, and may carry %s", e.m.ID(), c.TS, allowed)
			}
		}
	}
	return nil
}
