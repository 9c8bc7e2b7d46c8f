package main

import (
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"esplanade/ike/pool"
	"esplanade/ike/pool/store"
)

// TestFirstPoolByReload: the first pools may come with a reload. Leases are kept from then on, and those that an earlier run has kept are known. A file that can't be
// read refuses the reload.
func TestFirstPoolByReload(t *testing.T) {
	l := newLab(t)
	file := l.path("leases.db")
	was := netip.MustParseAddr("10.30.0.3")
	s, _, err := store.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write([]pool.Change{{Addr: was, Record: &pool.Record{Addr: was, Pool: "office", Owner: "x", Name: "ann", Seen: time.Now().Add(-time.Hour)}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	side := rightSide()
	side.ike = "lease_file = " + strconv.Quote(file)
	n := l.start(side)
	n.seen.await(t, "the start", func(*watcher) bool { return n.daemon.Queued() == 0 })
	if code, _, stderr := cli("reload", "--socket", n.socket); code != exitOK {
		t.Fatal(stderr)
	}
	if n.leases != nil {
		t.Error("leases are kept without a pool")
	}
	side.top = "[pools.office]\naddrs = \"10.30.0.0/24\"\n"
	text := l.text(side)

	// Another daemon has the file.
	other, _, err := store.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	l.write("right.toml", text)
	if code, _, stderr := cli("reload", "--socket", n.socket); code == exitOK || !strings.Contains(stderr, "ike.lease_file") {
		t.Errorf("a file that another daemon has: %d, %s", code, stderr)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}

	for range 2 { // the second time the file is open
		if code, _, stderr := cli("reload", "--socket", n.socket); code != exitOK {
			t.Fatal(stderr)
		}
		info, err := n.commands.Info(t.Context())
		if err != nil || len(info.Pools) != 1 || info.Pools[0].Offline != 1 {
			t.Fatalf("%+v, %v", info.Pools, err)
		}
	}
	// What the pool has no room for is forgotten, on the disk as well: it is written there.
	l.write("right.toml", strings.Replace(text, "10.30.0.0/24", "10.31.0.0/24", 1))
	if code, _, stderr := cli("reload", "--socket", n.socket); code != exitOK {
		t.Fatal(stderr)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
	s, list, err := store.Open(file)
	if err != nil || len(list) != 0 {
		t.Fatalf("%v, %v", list, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
