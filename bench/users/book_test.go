package users

import (
	"net/netip"
	"strings"
	"testing"
)

func TestBook(t *testing.T) {
	x, y := netip.MustParseAddr("10.64.0.1"), netip.MustParseAddr("10.64.0.2")
	for _, c := range []struct {
		name        string
		in          []map[int]netip.Addr
		twice, lost int
	}{
		{"each comes back to its own", []map[int]netip.Addr{{1: x, 2: y}, {2: y}, {1: x}}, 0, 0},
		{"two at a time", []map[int]netip.Addr{{1: x, 2: x}}, 1, 0},
		{"one after the other", []map[int]netip.Addr{{1: x}, {2: x}}, 1, 0},
		{"another one", []map[int]netip.Addr{{1: x}, {1: y}}, 0, 1},
	} {
		b := newBook()
		for _, in := range c.in {
			b.take(in)
		}
		if b.Twice != c.twice || b.Lost != c.lost || (b.first == "") != (c.twice+c.lost == 0) {
			t.Errorf("%s: twice %d, lost %d, %q", c.name, b.Twice, b.Lost, b.first)
		}
	}
}

func TestJudge(t *testing.T) {
	good := results{Count: 10, In: 10, Online: 10, Restarts: 1, Left: 1, Vanished: 1}
	if err := good.judge(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*results){
		"to two users":    func(r *results) { r.Twice = 1 },
		"addresses back":  func(r *results) { r.Lost = 1 },
		"were forgotten":  func(r *results) { r.Forgotten = 1 },
		"logins failed":   func(r *results) { r.Failed = 1 },
		"9 of 10 users":   func(r *results) { r.In, r.Online = 9, 9 },
		"9 addresses are": func(r *results) { r.Online = 9 },
		"not killed":      func(r *results) { r.Restarts = 0 },
		"have vanished":   func(r *results) { r.Vanished = 0 },
	} {
		r := good
		if change(&r); r.judge() == nil || !strings.Contains(r.judge().Error(), want) {
			t.Errorf("%v, want %q", r.judge(), want)
		}
	}
}
