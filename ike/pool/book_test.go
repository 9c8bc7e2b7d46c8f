package pool

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// rig is a book whose changes are kept as a store does.
type rig struct {
	t     *testing.T
	b     *Book
	now   time.Time
	store map[netip.Addr]Record
}

func pools(t *testing.T, addrs ...string) (out []*Pool) {
	t.Helper()
	for i := 0; i+1 < len(addrs); i += 2 {
		s, err := ParseSpan(addrs[i+1])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, New(addrs[i], addrs[i+1], []Span{s}, nil, Attributes{Domains: []string{addrs[i]}}))
	}
	return out
}

func newRig(t *testing.T, addrs ...string) *rig {
	t.Helper()
	r := &rig{t: t, b: NewBook(), now: start, store: map[netip.Addr]Record{}}
	r.keep(r.b.Configure(pools(t, addrs...), nil))
	return r
}

func (r *rig) keep(list []Change) {
	for _, c := range list {
		if c.Record == nil {
			delete(r.store, c.Addr)
		} else {
			r.store[c.Addr] = *c.Record
		}
	}
	r.b.Kept(list)
	if err := r.b.Check(); err != nil {
		r.t.Fatal(err)
	}
}

// grant gives an owner one address, "" if there is none.
func (r *rig) grant(q Request) string {
	r.t.Helper()
	r.now = r.now.Add(time.Second)
	if q.Name == "" {
		q.Name = q.Owner
	}
	if q.Asked == nil {
		q.Asked = []netip.Addr{netip.IPv4Unspecified()}
	}
	if q.Pools == nil {
		q.Pools = r.b.order
	}
	g, err := r.b.Grant(r.now, q)
	r.keep(g.Changes)
	if err != nil {
		return ""
	}
	return g.Addrs[0].String()
}

func (r *rig) release(id uint64) {
	r.t.Helper()
	r.now = r.now.Add(time.Second)
	r.keep(r.b.Release(r.now, id))
}

// restart begins again with what was kept.
func (r *rig) restart(addrs ...string) {
	r.t.Helper()
	var list []Record
	for _, x := range r.store {
		list = append(list, x)
	}
	r.b = NewBook()
	r.now = r.now.Add(time.Minute)
	r.b.Configure(pools(r.t, addrs...), nil)
	r.keep(r.b.Load(r.now, list))
}

func (r *rig) want(got, want string) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("got %q, want %q", got, want)
	}
}

// A new client gets an address that was never given, one that comes back the one that it had, and only when none is left the one that has
// been offline for longest goes to somebody else.
func TestFreshFormerOldest(t *testing.T) {
	r := newRig(t, "a", "10.0.0.1-10.0.0.3")
	r.want(r.grant(Request{Owner: "x", Holder: 1}), "10.0.0.1")
	r.want(r.grant(Request{Owner: "y", Holder: 2}), "10.0.0.2")
	r.release(2)
	r.release(1)
	r.want(r.grant(Request{Owner: "z", Holder: 3}), "10.0.0.3")
	r.want(r.grant(Request{Owner: "x", Holder: 4}), "10.0.0.1")
	r.want(r.grant(Request{Owner: "w", Holder: 5}), "10.0.0.2")
	r.want(r.grant(Request{Owner: "y", Holder: 6}), "")
	r.release(4)
	r.release(5)
	r.want(r.grant(Request{Owner: "y", Holder: 7}), "10.0.0.1")
}

// What was given survives a restart, online leases included.
func TestRestart(t *testing.T) {
	r := newRig(t, "a", "10.0.0.1-10.0.0.3")
	r.grant(Request{Owner: "x", Holder: 1})
	r.grant(Request{Owner: "y", Holder: 2})
	r.release(2)
	r.restart("a", "10.0.0.1-10.0.0.3")
	r.want(r.grant(Request{Owner: "z", Holder: 11}), "10.0.0.3")
	// x was online at the end, so that y has been offline for longer.
	r.want(r.grant(Request{Owner: "w", Holder: 12}), "10.0.0.2")
	r.want(r.grant(Request{Owner: "x", Holder: 13}), "10.0.0.1")
	r.restart("a", "10.0.0.2-10.0.0.9")
	if len(r.store) != 2 {
		t.Errorf("kept: %v", r.store)
	}
}

// An address that is asked for is given if nobody had it, and the one that a client had goes before that.
func TestAsked(t *testing.T) {
	r := newRig(t, "a", "10.0.0.0/24")
	ask := func(a string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(a)} }
	r.want(r.grant(Request{Owner: "x", Holder: 1, Asked: ask("10.0.0.77")}), "10.0.0.77")
	r.want(r.grant(Request{Owner: "y", Holder: 2, Asked: ask("10.0.0.77")}), "10.0.0.1")
	r.want(r.grant(Request{Owner: "z", Holder: 3, Asked: ask("192.0.2.1")}), "10.0.0.2")
	r.release(1)
	r.want(r.grant(Request{Owner: "y", Holder: 4, Asked: ask("10.0.0.77")}), "10.0.0.3")
	r.want(r.grant(Request{Owner: "x", Holder: 5, Asked: ask("10.0.0.99")}), "10.0.0.77")
	r.want(r.grant(Request{Owner: "v", Holder: 6, Asked: ask("10.0.0.255")}), "10.0.0.4")
}

// Two devices of one user have two addresses, and each gets its own back. A reauthentication keeps the address while both IKE SAs are there, and so
// does one that ends the others.
func TestDevicesAndReauthentication(t *testing.T) {
	r := newRig(t, "a", "10.0.0.0/24")
	one, two := netip.MustParseAddrPort("192.0.2.1:4500"), netip.MustParseAddrPort("192.0.2.1:61000")
	first := []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	r.want(r.grant(Request{Owner: "x", Holder: 1, Remote: one}), "10.0.0.1")
	r.want(r.grant(Request{Owner: "x", Holder: 2, Remote: two}), "10.0.0.2")
	r.want(r.grant(Request{Owner: "x", Holder: 3, Remote: one, Asked: first}), "10.0.0.1")
	if got := r.b.Leases("a")[0].Holders; !slices.Equal(got, []uint64{1, 3}) {
		t.Errorf("held by %v", got)
	}
	r.release(1)
	r.want(r.grant(Request{Owner: "y", Holder: 4, Remote: one, Asked: first}), "10.0.0.3") // not the same user
	r.want(r.grant(Request{Owner: "x", Holder: 5, Remote: two, Asked: first}), "10.0.0.4") // not the same device
	for _, id := range []uint64{2, 3, 5} {
		r.release(id)
	}
	r.want(r.grant(Request{Owner: "x", Holder: 6, Remote: one, Asked: first}), "10.0.0.1")
	r.want(r.grant(Request{Owner: "x", Holder: 7, Remote: two}), "10.0.0.4")
	r.want(r.grant(Request{Owner: "x", Holder: 8, Remote: two, Replaces: ReplacesAll}), "10.0.0.4")
	// A device that has started again takes its own place, not that of another one.
	r = newRig(t, "a", "10.0.0.0/24")
	r.want(r.grant(Request{Owner: "x", Holder: 1, Device: "phone", Remote: one}), "10.0.0.1")
	r.want(r.grant(Request{Owner: "x", Holder: 2, Device: "laptop", Remote: two}), "10.0.0.2")
	r.want(r.grant(Request{Owner: "x", Holder: 3, Device: "phone", Remote: two, Replaces: ReplacesDevice}), "10.0.0.1")
	r.want(r.grant(Request{Owner: "x", Holder: 4, Device: "tablet", Remote: two, Replaces: ReplacesDevice}), "10.0.0.3")
}

// An address that is a user's own is no other's: the newest IKE SA of the user has it, and the others end.
func TestOwn(t *testing.T) {
	r := newRig(t, "a", "10.0.0.1-10.0.0.3")
	mine := []netip.Addr{netip.MustParseAddr("10.0.0.2")}
	r.keep(r.b.Configure(pools(t, "a", "10.0.0.1-10.0.0.3"), mine))
	r.want(r.grant(Request{Owner: "x", Holder: 1}), "10.0.0.1")
	r.want(r.grant(Request{Owner: "y", Holder: 2, Asked: mine}), "10.0.0.3")
	r.want(r.grant(Request{Owner: "z", Holder: 3}), "")
	r.want(r.grant(Request{Owner: "u", Holder: 4, Own: mine}), "10.0.0.2")
	g, err := r.b.Grant(r.now, Request{Owner: "u", Name: "u", Holder: 5, Own: mine, Asked: mine, Remote: netip.MustParseAddrPort("192.0.2.1:1")})
	if err != nil || !slices.Equal(g.Displaced, []uint64{4}) {
		t.Errorf("displaced: %v, %v", g.Displaced, err)
	}
	_, err = r.b.Grant(r.now, Request{Owner: "v", Name: "v", Holder: 6, Own: mine, Asked: mine})
	var taken *TakenError
	if !errors.As(err, &taken) || taken.By != "u" {
		t.Errorf("another: %v", err)
	}
	// One of no pool is kept nowhere.
	far := []netip.Addr{netip.MustParseAddr("172.16.0.9")}
	g, err = r.b.Grant(r.now, Request{Owner: "w", Holder: 7, Own: far, Asked: mine})
	if err != nil || g.Addrs[0] != far[0] || g.Durable || len(g.Changes) > 0 {
		t.Errorf("%+v, %v", g, err)
	}
	r.release(7)
	if err := r.b.Check(); err != nil || len(r.b.Leases("")) != 3 {
		t.Errorf("%v, %v", err, r.b.Leases(""))
	}
}

// A lease has to be kept before its client learns of it, once.
func TestDurable(t *testing.T) {
	r := newRig(t, "a", "10.0.0.1-10.0.0.1")
	any4 := []netip.Addr{netip.IPv4Unspecified()}
	grant := func(owner string, id uint64) bool {
		t.Helper()
		g, err := r.b.Grant(r.now, Request{Owner: owner, Holder: id, Pools: []string{"a"}, Asked: any4})
		if err != nil || len(g.Changes) != 1 {
			t.Fatal(g, err)
		}
		return g.Durable
	}
	if !grant("x", 1) {
		t.Error("a new lease need not be kept")
	}
	r.b.Release(r.now, 1) // the store has refused it
	if !grant("x", 2) {
		t.Error("a lease that was never kept need not be")
	}
	r.keep([]Change{{r.b.Leases("a")[0].Addr, &Record{Addr: r.b.Leases("a")[0].Addr, Owner: "x"}}})
	r.keep(r.b.Release(r.now, 2))
	if grant("x", 3) {
		t.Error("a lease that is kept has to be kept again")
	}
	r.keep(r.b.Release(r.now, 3))
	if !grant("y", 4) {
		t.Error("the lease of another owner need not be kept")
	}
}

// Both families, several pools in order, and what can be had of it.
func TestFamilies(t *testing.T) {
	r := newRig(t, "a", "10.0.0.1-10.0.0.1", "b", "10.1.0.1-10.1.0.2", "six", "2001:db8::/64")
	both := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	names := []string{"a", "b", "six"}
	for i, want := range []string{"10.0.0.1 2001:db8::1", "10.1.0.1 2001:db8::2", "10.1.0.2 2001:db8::3", "2001:db8::4"} {
		g, err := r.b.Grant(r.now, Request{Owner: want, Holder: uint64(i), Pools: names, Asked: both})
		var got string
		for _, a := range g.Addrs {
			got += " " + a.String()
		}
		if err != nil || got != " "+want {
			t.Errorf("%d: %s, %v", i, got, err)
		}
		if i == 1 && !slices.Equal(g.Attributes.Domains, []string{"b", "six"}) {
			t.Errorf("attributes of %v", g.Attributes.Domains)
		}
	}
	// Only that of which there are pools counts.
	g, err := r.b.Grant(r.now, Request{Owner: "x", Holder: 9, Pools: []string{"six"}, Asked: both})
	if err != nil || len(g.Addrs) != 1 {
		t.Errorf("%v, %v", g.Addrs, err)
	}
	var empty *EmptyError
	if _, err = r.b.Grant(r.now, Request{Owner: "x", Holder: 10, Pools: []string{"a", "b"}, Asked: both}); !errors.As(err, &empty) || empty.Six ||
		len(empty.Pools) != 2 || empty.Pools[1].Online != 2 || empty.Pools[1].Size != 2 {
		t.Errorf("%v", err)
	}
	if _, err = r.b.Grant(r.now, Request{Owner: "x", Holder: 11, Pools: []string{"a"}, Asked: both[1:]}); !errors.As(err, &empty) || !empty.Six {
		t.Errorf("%v", err)
	}
	var unknown *UnknownError
	if _, err = r.b.Grant(r.now, Request{Owner: "x", Holder: 12, Pools: []string{"c"}, Asked: both}); !errors.As(err, &unknown) || unknown.Pool != "c" {
		t.Errorf("%v", err)
	}
	// Several of one family, but not without end.
	g, err = r.b.Grant(r.now, Request{Owner: "m", Holder: 13, Pools: names, Asked: slices.Repeat(both[1:], 99)})
	if err != nil || len(g.Addrs) != maxAsked {
		t.Errorf("%v, %v", g.Addrs, err)
	}
}

// A pool that changes keeps what still fits.
func TestConfigure(t *testing.T) {
	r := newRig(t, "a", "10.0.0.1-10.0.0.9")
	for i, o := range []string{"x", "y", "z", "v"} {
		r.grant(Request{Owner: o, Holder: uint64(i)})
	}
	r.release(1)
	r.release(0)
	r.keep(r.b.Configure(pools(t, "b", "10.0.0.2-10.0.0.3"), nil)) // x offline and v online have no place in it
	if got := r.b.Stats(); got[0] != (Stats{"b", "10.0.0.2-10.0.0.3", 2, 1, 1}) {
		t.Errorf("%+v", got)
	}
	r.want(r.grant(Request{Owner: "y", Holder: 11}), "10.0.0.2")
	r.keep(r.b.Configure(pools(t, "a", "10.0.0.1-10.0.0.9"), nil))
	r.want(r.grant(Request{Owner: "new", Holder: 12}), "10.0.0.1")
	r.want(r.grant(Request{Owner: "newer", Holder: 13}), "10.0.0.5")
	r.release(3)
	r.want(r.grant(Request{Owner: "v", Holder: 14}), "10.0.0.4")
}

// A huge pool costs what its leases cost, and no more of them are remembered than there is room for.
func TestManyOffline(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	b := NewBook()
	b.Configure(pools(t, "six", "2001:db8::/64"), nil)
	six := []netip.Addr{netip.IPv6Unspecified()}
	now := start
	for i := range maxOffline + 100 {
		now = now.Add(time.Second)
		if _, err := b.Grant(now, Request{Owner: string(rune(i)) + time.Duration(i).String(), Holder: 1, Pools: []string{"six"}, Asked: six}); err != nil {
			t.Fatal(err)
		}
		b.Release(now, 1)
	}
	if s := b.Stats()[0]; s.Offline != maxOffline {
		t.Errorf("%d offline leases", s.Offline)
	}
}
