package ike

import (
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/hosttest"
	"esplanade/ike/pool"
)

// disk is where leases are written, with a time that it takes and an error that it gives.
type disk struct {
	mu     sync.Mutex
	takes  time.Duration
	err    error
	writes int
	kept   map[netip.Addr]pool.Record
}

func (d *disk) Write(list []pool.Change) error {
	d.mu.Lock()
	takes, err := d.takes, d.err
	d.mu.Unlock()
	time.Sleep(takes) // in virtual time
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes++
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Record == nil {
			delete(d.kept, c.Addr)
		} else {
			d.kept[c.Addr] = *c.Record
		}
	}
	return nil
}

func (d *disk) set(takes time.Duration, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.takes, d.err = takes, err
}

func (d *disk) owner(a string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kept[netip.MustParseAddr(a)].Owner
}

func change(a, owner string) pool.Change {
	c := pool.Change{Addr: netip.MustParseAddr(a)}
	if owner != "" {
		c.Record = &pool.Record{Addr: c.Addr, Owner: owner}
	}
	return c
}

// TestKeeper: whoever waits is told when it is written, in one write with all others that came meanwhile; what has time is written a little
// later; what could not be written is written again, unless something newer took its place; and the end writes what is left.
func TestKeeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{kept: map[netip.Addr]pool.Record{}}
		log := &hosttest.Log{}
		var mu sync.Mutex
		var told []error
		k := &keeper{}
		k.init(d, slog.New(slog.NewTextHandler(log, nil)), func(_ gateway.Keeping, err error) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, err)
		})
		k.start()
		keep := func(urgent bool, list ...pool.Change) {
			if err, done := k.keep(gateway.Keeping{Changes: list, Urgent: urgent}); err != nil || done {
				t.Fatal(err, done)
			}
		}
		want := func(n, writes int, owner string) {
			t.Helper()
			mu.Lock()
			defer mu.Unlock()
			if len(told) != n || d.writes != writes || d.owner("10.0.0.1") != owner {
				t.Errorf("%d were told, %d writes, %q; want %d, %d, %q", len(told), d.writes, d.owner("10.0.0.1"), n, writes, owner)
			}
		}
		d.set(time.Second, nil)
		keep(true, change("10.0.0.1", "a"))
		time.Sleep(100 * time.Millisecond)
		for i := range 50 {
			keep(true, change(netip.AddrFrom4([4]byte{10, 0, 1, byte(i)}).String(), "many"))
		}
		time.Sleep(800 * time.Millisecond)
		synctest.Wait()
		want(0, 0, "")
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		want(1, 1, "a")
		time.Sleep(time.Second)
		synctest.Wait()
		want(51, 2, "a")

		// What nobody waits for.
		d.set(0, nil)
		keep(false, change("10.0.0.1", "b"))
		keep(false, change("10.0.0.1", "c"))
		time.Sleep(lazyKeep / 2)
		synctest.Wait()
		want(51, 2, "a")
		time.Sleep(lazyKeep)
		synctest.Wait()
		want(51, 3, "c")

		// A disk that is full.
		d.set(0, errors.New("no space left on device"))
		keep(true, change("10.0.0.1", "d"), change("10.0.0.2", "d"))
		synctest.Wait()
		if want(52, 4, "c"); told[51] == nil {
			t.Error("the failure was not told")
		}
		keep(false, change("10.0.0.1", "e"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := strings.Count(log.String(), "cannot write leases"); n != 1 {
			t.Errorf("said %d times: %s", n, log)
		}
		d.set(0, nil)
		time.Sleep(keepRetry)
		synctest.Wait()
		if d.owner("10.0.0.1") != "e" || d.owner("10.0.0.2") != "d" || !strings.Contains(log.String(), "written again") {
			t.Errorf("%q, %q: %s", d.owner("10.0.0.1"), d.owner("10.0.0.2"), log)
		}

		// The end.
		keep(false, change("10.0.0.1", ""))
		k.close()
		if d.owner("10.0.0.1") != "" {
			t.Error("the end has lost a change")
		}
	})
}

// TestKeeperIsBounded: a disk that does not answer has so many waiting and no more. Without a store nobody waits.
func TestKeeperIsBounded(t *testing.T) {
	var k keeper
	k.init(&disk{kept: map[netip.Addr]pool.Record{}}, slog.New(slog.DiscardHandler), nil) // and never started
	for range maxKeeping {
		if err, done := k.keep(gateway.Keeping{Urgent: true, Changes: []pool.Change{change("10.0.0.1", "a")}}); done {
			t.Fatal(err)
		}
	}
	if err, done := k.keep(gateway.Keeping{Urgent: true}); !done || err == nil {
		t.Error("one too many waits")
	}
	k.init(nil, slog.New(slog.DiscardHandler), nil)
	if err, done := k.keep(gateway.Keeping{Urgent: true}); !done || err != nil {
		t.Error(err, done)
	}
	k.start()
	k.close()
}
