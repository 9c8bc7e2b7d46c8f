package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"esplanade/ike/pool"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

func address(i int) netip.Addr {
	if i%3 == 0 {
		return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 14: byte(i >> 8), 15: byte(i)})
	}
	return netip.AddrFrom4([4]byte{10, 3, byte(i >> 8), byte(i)})
}

func put(i int, owner string) pool.Change {
	return pool.Change{Addr: address(i), Record: &pool.Record{Addr: address(i), Pool: "office", Owner: owner, Name: "name of " + owner, Online: i%2 == 0,
		Seen: now.Add(time.Duration(i))}}
}

func mustOpen(t *testing.T, name string) (*Store, map[netip.Addr]pool.Record) {
	t.Helper()
	s, list, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, byAddr(list)
}

func byAddr(list []pool.Record) map[netip.Addr]pool.Record {
	m := map[netip.Addr]pool.Record{}
	for _, r := range list {
		m[r.Addr] = r
	}
	return m
}

// What was written is there when the file is opened again, and what was taken out is not. Only one has it at a time.
func TestStore(t *testing.T) {
	name := filepath.Join(t.TempDir(), "leases.db")
	s, got := mustOpen(t, name)
	if len(got) != 0 {
		t.Errorf("a new store has %v", got)
	}
	list := []pool.Change{put(1, "a"), put(2, ""), put(3, "\x00ünïcode\xff"), put(4, "d")}
	if err := s.Write(list); err != nil {
		t.Fatal(err)
	}
	if err := s.Write([]pool.Change{put(1, "other"), {Addr: address(4)}, {Addr: address(99)}}); err != nil {
		t.Fatal(err)
	}
	var busy *BusyError
	if _, _, err := Open(name); !errors.As(err, &busy) || busy.File != name {
		t.Errorf("a second one: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, got = mustOpen(t, name)
	want := map[netip.Addr]pool.Record{address(1): *put(1, "other").Record, address(2): *list[1].Record, address(3): *list[2].Record}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if list, _ := filepath.Glob(name + "?*"); len(list) > 0 {
		t.Errorf("left behind: %v", list)
	}
}

// A file that can't be had is no damaged one.
func TestOpenErrors(t *testing.T) {
	var path *fs.PathError
	if _, _, err := Open(filepath.Join(t.TempDir(), "none", "leases.db")); !errors.As(err, &path) {
		t.Errorf("no directory: %v", err)
	}
	if _, _, err := Open(t.TempDir()); err == nil {
		t.Error("a directory")
	}
}

// A file that is damaged in any way is never an empty store, and never ends the process.
func TestDamaged(t *testing.T) {
	name := filepath.Join(t.TempDir(), "leases.db")
	s, _ := mustOpen(t, name)
	for i := range 400 {
		if err := s.Write([]pool.Change{put(2*i, fmt.Sprint(i)), put(2*i+1, fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := func() (*Store, []pool.Record, error) {
		s, list, err := Open(name)
		s.Close()
		return s, list, err
	}()
	full := byAddr(list)
	if len(full) != 800 {
		t.Fatalf("%d leases", len(full))
	}
	dir, tries := t.TempDir(), 0
	try := func(what string, data []byte, must bool) {
		t.Helper()
		tries++ // the library leaves a file locked over which it has panicked
		other := filepath.Join(dir, fmt.Sprint(tries))
		if err := os.WriteFile(other, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, list, err := Open(other)
		var corrupt *CorruptError
		switch {
		case err == nil:
			s.Close()
			if must || !maps.Equal(byAddr(list), full) {
				t.Errorf("%s: opened, with %d leases", what, len(list))
			}
		case !errors.As(err, &corrupt) || corrupt.File != other:
			t.Errorf("%s: %v", what, err)
		}
	}
	try("empty", nil, true)
	try("another kind of file", []byte("[connections.office]\n"), true)
	try("zeros", make([]byte, len(whole)), true)
	for _, n := range []int{1, 100, 4095, 4096, 8192, 16384, len(whole) / 2, len(whole) - 8192} {
		// What is cut off may be free pages.
		try(fmt.Sprintf("cut to %d bytes", n), whole[:n], false)
	}
	page := os.Getpagesize()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		data := bytes.Clone(whole)
		at := 2*page + r.IntN(len(data)-2*page) // the two meta pages have checksums, and stand in for each other
		for j := range 1 + r.IntN(64) {
			if at+j < len(data) {
				data[at+j] ^= byte(1 + r.IntN(255))
			}
		}
		try(fmt.Sprintf("damage %d at %d", i, at), data, false)
	}
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "x"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	data, _ := os.ReadFile(db.Path())
	try("a file of somebody else's", data, true)
}

// A file that can't grow any more takes nothing, keeps what it has, and takes what fits.
func TestFull(t *testing.T) {
	name := filepath.Join(t.TempDir(), "leases.db")
	s, _, err := open(name, 96<<10)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[netip.Addr]pool.Record{}
	var failed error
	for i := 0; i < 100_000 && failed == nil; i++ {
		c := put(i, "owner")
		if failed = s.Write([]pool.Change{c}); failed == nil {
			kept[c.Addr] = *c.Record
		}
	}
	if failed == nil || len(kept) < 100 {
		t.Fatalf("%d leases fit: %v", len(kept), failed)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, got := mustOpen(t, name)
	if !maps.Equal(got, kept) {
		t.Errorf("%d leases are left of %d", len(got), len(kept))
	}
	if err := s.Write([]pool.Change{put(60_000, "later")}); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// Whatever a write has got to when the power fails, the file has the state of before or of after: the pages are written first, and one of the
// two meta pages last.
func TestCrashPoints(t *testing.T) {
	name := filepath.Join(t.TempDir(), "leases.db")
	s, _ := mustOpen(t, name)
	read := func() []byte {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	r := rand.New(rand.NewPCG(3, 4))
	state := map[netip.Addr]pool.Record{}
	before := read()
	metas := 2 * os.Getpagesize()
	other := filepath.Join(t.TempDir(), "crashed.db")
	for i := range 150 {
		old := maps.Clone(state)
		var list []pool.Change
		for range 1 + r.IntN(20) {
			c := put(r.IntN(300), fmt.Sprint("owner ", i))
			if r.IntN(4) == 0 {
				c.Record = nil
				delete(state, c.Addr)
			} else {
				state[c.Addr] = *c.Record
			}
			list = append(list, c)
		}
		if err := s.Write(list); err != nil {
			t.Fatal(err)
		}
		after := read()
		half := metas/2 + 40 // within the second meta page
		for what, x := range map[string]struct {
			data []byte
			want []map[netip.Addr]pool.Record
		}{
			"before":            {before, []map[netip.Addr]pool.Record{old}},
			"after":             {after, []map[netip.Addr]pool.Record{state}},
			"no meta page yet":  {append(bytes.Clone(before[:metas]), after[metas:]...), []map[netip.Addr]pool.Record{old}},
			"half a meta page":  {append(bytes.Clone(after[:half]), append(bytes.Clone(before[half:metas]), after[metas:]...)...), []map[netip.Addr]pool.Record{old, state}},
			"half of the other": {append(bytes.Clone(after[:40]), append(bytes.Clone(before[40:metas/2]), after[metas/2:]...)...), []map[netip.Addr]pool.Record{old, state}},
		} {
			if err := os.WriteFile(other, x.data, 0o600); err != nil {
				t.Fatal(err)
			}
			c, list, err := Open(other)
			if err != nil {
				t.Fatalf("write %d, %s: %v", i, what, err)
			}
			c.Close()
			got := byAddr(list)
			ok := false
			for _, w := range x.want {
				ok = ok || maps.Equal(got, w)
			}
			if !ok {
				t.Fatalf("write %d, %s: neither the state of before nor that of after", i, what)
			}
		}
		before = after
	}
}

// What is in a record is what was put into it, and any other octets are no record.
func FuzzRecord(f *testing.F) {
	key := address(1).AsSlice()
	f.Add(encode(key, *put(1, "a").Record))
	f.Add([]byte{1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, value []byte) {
		r, err := decode(key, value)
		if err == nil && !bytes.Equal(encode(key, r), value) && value[1] < 2 {
			t.Fatalf("%v is written as %x, and was %x", r, encode(key, r), value)
		}
	})
}
