package store

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"esplanade/ike/pool"
)

// TestChurn has thousands of users come and go, with restarts in between, on a real file: no address has two owners, whoever comes back gets
// the address that it had, and nothing of what was kept is lost.
func TestChurn(t *testing.T) {
	users, steps := 10_000, 60_000
	if testing.Short() {
		users, steps = 1500, 8_000
	}
	name := filepath.Join(t.TempDir(), "leases.db")
	span, err := pool.ParseSpan("10.30.0.0/18") // 16382 addresses
	if err != nil {
		t.Fatal(err)
	}
	pools := []*pool.Pool{pool.New("office", "10.30.0.0", []pool.Span{span}, nil, pool.Attributes{})}
	r := rand.New(rand.NewPCG(5, 6))
	at := now
	var s *Store
	var b *pool.Book
	restart := func() {
		if s != nil {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		var list []pool.Record
		if s, list, err = Open(name); err != nil {
			t.Fatal(err)
		}
		b = pool.NewBook()
		b.Configure(pools, nil)
		if err := s.Write(b.Load(at, list)); err != nil {
			t.Fatal(err)
		}
	}
	restart()
	defer func() { _ = s.Close() }()
	had := map[int]netip.Addr{}
	owner := map[netip.Addr]int{}
	online := map[int]uint64{}
	var batch []pool.Change
	flush := func() { // as the daemon does: many in one transaction
		if err := s.Write(batch); err != nil {
			t.Fatal(err)
		}
		b.Kept(batch)
		batch = nil
	}
	next := uint64(0)
	for i := range steps {
		at = at.Add(time.Millisecond)
		u := r.IntN(users)
		if id, is := online[u]; is {
			batch = append(batch, b.Release(at, id)...)
			delete(online, u)
		} else {
			next++
			g, err := b.Grant(at, pool.Request{Owner: fmt.Sprint("user ", u), Name: fmt.Sprint(u), Holder: next, Pools: []string{"office"}, Asked: []netip.Addr{netip.IPv4Unspecified()}})
			if err != nil {
				t.Fatal(err)
			}
			a := g.Addrs[0]
			if o, taken := owner[a]; taken && o != u {
				t.Fatalf("step %d: %s of user %d is given to user %d", i, a, o, u)
			}
			if old, ok := had[u]; ok && old != a {
				t.Fatalf("step %d: user %d had %s and gets %s", i, u, old, a)
			}
			had[u], owner[a], online[u] = a, u, next
			batch = append(batch, g.Changes...)
		}
		if len(batch) >= 200 {
			flush()
		}
		if i%(steps/4) == steps/8 {
			flush()
			restart()
			clear(online)
			if n := len(b.Leases("")); n != len(had) {
				t.Fatalf("step %d: %d leases after the restart, %d users have had one", i, n, len(had))
			}
		}
	}
	if err := b.Check(); err != nil {
		t.Error(err)
	}
}
