package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/diag"
	"esplanade/ike/pool"
	"esplanade/ike/sa"
)

// warriors is a gateway with clients on a fabric.
type warriors struct {
	t  *testing.T
	f  *fabric
	gw *node
	// store is what is kept of leases.
	store map[netip.Addr]pool.Record
	pools string
}

const officePool = "[pools.office]\naddrs = \"10.30.0.0/29\"\ndns = \"10.0.0.53\"\n"

func newWarriors(t *testing.T, pools, extra string, change ...func(*rigOptions)) *warriors {
	w := &warriors{t: t, f: newFabric(t), store: map[netip.Addr]pool.Record{}, pools: pools}
	w.start(extra, change...)
	return w
}

func (w *warriors) config(pools, extra string) string {
	return pools + "[connections.rw]\nlocal_addrs = \"" + addrA + "\"\nlocal_ts = [\"0.0.0.0/0\", \"::/0\"]\n" + extra +
		"\n[connections.rw.local]\nid = \"gw.example\"\nauth = \"psk\"\n[connections.rw.remote]\nid = \"*.clients.example\"\nauth = \"psk\"\n[secrets.ike.all]\nsecret = \"" + testKey + "\"\n"
}

// start begins the gateway, with what was kept of an earlier one.
func (w *warriors) start(extra string, change ...func(*rigOptions)) {
	if !strings.Contains(extra, "pools") {
		extra += "\npools = \"office\"\n"
	}
	change = append([]func(*rigOptions){func(o *rigOptions) {
		for _, r := range w.store {
			o.Leases = append(o.Leases, r)
		}
		o.keep = func(k Keeping) (error, bool) { w.kept(k.Changes); return nil, true }
	}}, change...)
	w.gw = w.f.start(addrA, w.config(w.pools, extra), change...)
}

func (w *warriors) kept(list []pool.Change) {
	for _, c := range list {
		if c.Record == nil {
			delete(w.store, c.Addr)
		} else {
			w.store[c.Addr] = *c.Record
		}
	}
}

// client starts one at an address, as NAME.clients.example.
func (w *warriors) client(addr, name, extra string) *node {
	if !strings.Contains(extra, "vips") {
		extra += "\nvips = \"0.0.0.0\"\n"
	}
	return w.f.start(addr, "[connections.gw]\nlocal_addrs = \""+addr+"\"\nremote_addrs = \""+addrA+"\"\nremote_ts = \"10.0.0.0/8\"\n"+extra+
		"\n[connections.gw.local]\nid = \""+name+".clients.example\"\nauth = \"psk\"\n[connections.gw.remote]\nid = \"gw.example\"\nauth = \"psk\"\n[secrets.ike.all]\nsecret = \""+testKey+"\"\n")
}

// has is what a client was given, as the client sees it.
func (w *warriors) has(n *node) string {
	w.t.Helper()
	var out []string
	_ = n.d.call(context.Background(), func(time.Time) {
		for _, e := range n.d.table.all() {
			if own, _ := e.m.Virtual(); e.alive() {
				for _, a := range own {
					out = append(out, a.String())
				}
			}
		}
	})
	return strings.Join(out, " ")
}

// check holds the gateway to what must hold.
func (w *warriors) check() {
	w.t.Helper()
	_ = w.gw.d.call(context.Background(), func(time.Time) {
		if err := w.gw.d.CheckLeases(); err != nil {
			w.t.Error(err)
		}
	})
}

// leases are those of the gateway: "10.30.0.1 x.clients.example online".
func (w *warriors) leases() string {
	var out []string
	_ = w.gw.d.call(context.Background(), func(time.Time) {
		for _, l := range w.gw.d.Leases("") {
			out = append(out, fmt.Sprintf("%s %s %s", l.Addr, strings.TrimSuffix(l.Name, ".clients.example"), map[bool]string{true: "online", false: "offline"}[l.Online]))
		}
	})
	return strings.Join(out, ", ")
}

func (w *warriors) want(got, want string) {
	w.t.Helper()
	w.check()
	if got != want {
		w.t.Errorf("got %q, want %q\n%s", got, want, w.gw.log)
	}
}

// Clients get addresses, keep them when they are rekeyed, move or authenticate again, and get them again after they have gone and after
// the gateway was started again.
func TestClientsAndTheirAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWarriors(t, officePool, "rekey_time = \"10m\"\nrand_time = \"0s\"")
		x := w.client("192.0.2.11", "x", "reauth_time = \"25m\"\nrand_time = \"0s\"")
		settle(time.Second)
		y := w.client("192.0.2.12", "y", "")
		settle(5 * time.Second)
		w.want(w.has(x)+", "+w.has(y), "10.30.0.1, 10.30.0.2")
		w.want(w.leases(), "10.30.0.1 x online, 10.30.0.2 y online")
		settle(2 * time.Hour) // rekeyed and reauthenticated, several times each
		w.want(w.has(x)+", "+w.has(y), "10.30.0.1, 10.30.0.2")
		// The routes of the pool are there once, whoever is connected.
		if r := w.gw.net.Routes(); len(r) != 1 || r["10.30.0.0/29"] == 0 {
			t.Errorf("routes: %v", r)
		}
		y.moveTo(netip.MustParseAddr("192.0.2.99"))
		settle(time.Minute)
		w.want(w.has(y), "10.30.0.2")
		y.stop()
		settle(time.Minute)
		w.want(w.leases(), "10.30.0.1 x online, 10.30.0.2 y offline")
		z := w.client("192.0.2.13", "z", "")
		settle(5 * time.Second)
		w.want(w.has(z), "10.30.0.3")
		y = w.client("192.0.2.12", "y", "")
		settle(5 * time.Second)
		w.want(w.has(y), "10.30.0.2")
		w.gw.crash()
		w.start("")
		settle(5 * time.Minute)
		w.want(w.has(x)+", "+w.has(y)+", "+w.has(z), "10.30.0.1, 10.30.0.2, 10.30.0.3")
	})
}

// A pool that is for groups gives nothing to others: the next one of the connection is for them, or they are told so.
func TestPoolForGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const staff = "[pools.staff]\naddrs = \"10.30.1.0/29\"\ngroups = \"staff\"\n"
		w := newWarriors(t, "[pools.office]\naddrs = \"10.30.0.0/29\"\n"+staff, "pools = [\"staff\", \"office\"]")
		x := w.client("192.0.2.11", "x", "")
		settle(5 * time.Second)
		w.want(w.has(x), "10.30.0.1")
		_ = w.gw.d.call(t.Context(), func(time.Time) {
			for _, c := range []struct {
				user *aaa.User
				want string
				err  bool
			}{
				{nil, "office", false},
				{&aaa.User{Name: "ann", Groups: []string{"staff"}}, "staff office", false},
				{&aaa.User{Name: "ben", Groups: []string{"guests"}}, "office", false},
				{&aaa.User{Name: "eve", Pools: []string{"staff"}}, "staff office", false},
			} {
				r := pool.Request{Pools: []string{"staff", "office"}}
				if err := w.gw.d.poolsForUser(&r, c.user); err != nil || strings.Join(r.Pools, " ") != c.want {
					t.Errorf("%+v: %v, %v", c.user, r.Pools, err)
				}
			}
			r := pool.Request{Name: "ben", Pools: []string{"staff"}}
			var refused *pool.GroupsError
			if err := w.gw.d.poolsForUser(&r, &aaa.User{Name: "ben", Groups: []string{"guests"}}); !errors.As(err, &refused) || refused.Pool != "staff" {
				t.Errorf("%v", err)
			}
		})
	})
}

// Where all pools are for others, whoever is in none of their groups is told nothing and the operator all.
func TestNoPoolForGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWarriors(t, "[pools.office]\naddrs = \"10.30.0.0/29\"\ngroups = \"staff\"\n", "")
		x := w.client("192.0.2.11", "x", "")
		settle(5 * time.Second)
		w.want(w.has(x), "")
		if log := w.gw.log.String(); !strings.Contains(log, "E-EAP-ALLOWED") || !strings.Contains(log, "the pool office for users in staff") {
			t.Error(log)
		}
	})
}

// The last of a pool is refused with the pool's name and how full it is; the others go on.
func TestPoolIsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWarriors(t, "[pools.office]\naddrs = \"10.30.0.1-10.30.0.2\"\n", "")
		for i := range 2 {
			w.client(fmt.Sprintf("192.0.2.%d", 11+i), fmt.Sprint("c", i), "")
			settle(time.Second)
		}
		late := w.client("192.0.2.20", "late", "")
		settle(5 * time.Second)
		w.want(w.has(late), "")
		if log := w.gw.log.String(); !strings.Contains(log, "E-POOL-EMPTY") || !strings.Contains(log, "office (2 of 2 online)") || !strings.Contains(log, "late.clients.example") {
			t.Error(log)
		}
		w.want(w.leases(), "10.30.0.1 c0 online, 10.30.0.2 c1 online")
	})
}

// A client learns of its address only when it is kept. One whose lease can't be kept is refused, and those that had theirs before go on.
func TestLeaseIsKeptFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waiting []Keeping
		w := newWarriors(t, officePool, "", func(o *rigOptions) {
			o.keep = func(k Keeping) (error, bool) {
				if !k.Urgent {
					return nil, true
				}
				waiting = append(waiting, k)
				return nil, false
			}
		})
		x := w.client("192.0.2.11", "x", "")
		settle(5 * time.Second)
		w.want(w.has(x), "")
		if len(waiting) != 1 || len(waiting[0].Changes) != 1 || waiting[0].Changes[0].Addr.String() != "10.30.0.1" {
			t.Fatalf("to be kept: %+v", waiting)
		}
		w.gw.d.turn(func(now time.Time) { w.gw.d.Kept(now, waiting[0], nil) })
		settle(time.Second)
		w.want(w.has(x), "10.30.0.1")
		y := w.client("192.0.2.12", "y", "")
		settle(time.Second)
		w.gw.d.turn(func(now time.Time) { w.gw.d.Kept(now, waiting[1], errors.New("no space left on device")) })
		settle(100 * time.Millisecond)
		w.want(w.has(y), "")
		w.want(w.leases(), "10.30.0.1 x online, 10.30.0.2 y offline")
		if log := w.gw.log.String(); !strings.Contains(log, string(diag.CodePoolStore)) || !strings.Contains(log, "no space left on device") {
			t.Error(log)
		}
		// One that is told too late, or twice, changes nothing.
		x.stop()
		w.gw.d.turn(func(now time.Time) {
			w.gw.d.Kept(now, waiting[0], nil)
			w.gw.d.Kept(now, waiting[0], errors.New("late"))
		})
		n := len(waiting)
		x = w.client("192.0.2.11", "x", "")
		settle(time.Second)
		w.want(w.has(x), "10.30.0.1")
		if slices.ContainsFunc(waiting[n:], func(k Keeping) bool { return k.name == "x.clients.example" }) {
			t.Error("a lease that is kept has to be kept again")
		}
	})
}

// A client that has started again takes its address with it, and a second device of the same identity gets another one.
func TestClientStartsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWarriors(t, officePool, "")
		x := w.client("192.0.2.11", "x", "")
		settle(time.Second)
		x.crash()
		x = w.client("192.0.2.17", "x", "")
		settle(5 * time.Second)
		w.want(w.has(x), "10.30.0.1")
		w.want(w.leases(), "10.30.0.1 x online")
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWarriors(t, officePool, "unique = \"never\"")
		x := w.client("192.0.2.11", "x", "unique = \"never\"")
		settle(time.Second)
		other := w.client("192.0.2.17", "x", "unique = \"never\"")
		settle(5 * time.Second)
		w.want(w.has(x)+", "+w.has(other), "10.30.0.1, 10.30.0.2")
	})
}

// A reload with another pool keeps what still fits, and clients keep what they have.
func TestPoolsAreReloaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWarriors(t, officePool, "")
		x := w.client("192.0.2.11", "x", "")
		settle(time.Second)
		y := w.client("192.0.2.12", "y", "")
		settle(time.Second)
		w.gw.d.turn(func(now time.Time) {
			w.gw.d.Manager.Reload(now, parse(t, w.config("[pools.office]\naddrs = \"10.30.0.2-10.30.0.9\"\n", "pools = \"office\"")))
		})
		settle(time.Minute)
		w.want(w.has(x)+", "+w.has(y), "10.30.0.1, 10.30.0.2")
		if r := w.gw.net.Routes(); r["10.30.0.1/32"] == 0 {
			t.Errorf("the route of a client outside of the pool: %v", r)
		}
		x.stop()
		settle(time.Second)
		w.want(w.leases(), "10.30.0.2 y online")
		x = w.client("192.0.2.11", "x", "")
		settle(5 * time.Second)
		w.want(w.has(x), "10.30.0.3")
	})
}

// An IKE SA that has given a request up, since its peer has come from elsewhere meanwhile, and has asked again: what becomes of the first request on the disk,
// late, says nothing about the second one.
func TestLeaseIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waiting []Keeping
		w := newWarriors(t, officePool, "", func(o *rigOptions) {
			o.keep = func(k Keeping) (error, bool) {
				if !k.Urgent {
					return nil, true
				}
				waiting = append(waiting, k)
				return nil, false
			}
		})
		w.client("192.0.2.11", "x", "")
		settle(time.Second)
		w.gw.d.turn(func(now time.Time) {
			x := waiting[0].errand
			e := w.gw.d.table.bySPI[x.spi]
			again := x
			again.request += 100
			w.gw.d.lease(now, e, again, x.Want.(sa.Lease))
			w.gw.d.Kept(now, waiting[0], errors.New("no space left on device"))
			if held := w.gw.d.book.Held(e.holder); len(held) != 1 {
				t.Errorf("the first request's failure has taken away what the second one was given: %v", held)
			}
			w.gw.d.Kept(now, waiting[1], errors.New("no space left on device"))
			if e.holder != 0 {
				t.Error("its own failure does not")
			}
		})
	})
}

// A pool that is a part of the gateway's own network gives no address away that the gateway has on a link, also one that it gets or loses
// while it runs. Whoever has such an address keeps it.
func TestPoolGivesNoAddressOfTheGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWarriors(t, strings.Replace(officePool, "10.30.0.0/29", "10.30.0.0/28", 1), "")
		own := func(list ...string) {
			addrs := []netip.Addr{w.gw.addr}
			for _, a := range list {
				addrs = append(addrs, netip.MustParseAddr(a))
			}
			w.gw.d.turn(func(now time.Time) { w.gw.d.Manager.AddressesChanged(now, addrs, true) })
		}
		own("10.30.0.1", "10.30.0.3")
		x := w.client("192.0.2.11", "x", "")
		settle(5 * time.Second)
		w.want(w.has(x), "10.30.0.2")
		own("10.30.0.1", "10.30.0.2", "10.30.0.4")
		settle(time.Second)
		y := w.client("192.0.2.12", "y", "")
		z := w.client("192.0.2.13", "z", "")
		settle(5 * time.Second)
		w.want(w.has(x), "10.30.0.2")
		if got := w.has(y) + " " + w.has(z); got != "10.30.0.3 10.30.0.5" && got != "10.30.0.5 10.30.0.3" {
			t.Errorf("the others have %s", got)
		}
		// Who has an address that has become the gateway's gets another one next time.
		x.stop()
		settle(time.Minute)
		x = w.client("192.0.2.11", "x", "")
		settle(5 * time.Second)
		w.want(w.has(x), "10.30.0.6")
	})
}
