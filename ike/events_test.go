package ike

import (
	"testing"

	"esplanade/ike/sa"
	"esplanade/ike/vici"
)

// While no client listens, events cost a look and no memory: every handshake has some.
func TestEventsForNobody(t *testing.T) {
	asked := 0
	e := Events{Server: vici.NewServer(nil, vici.Options{}), Counters: func(uint64) (Counters, bool) { asked++; return Counters{}, true }}
	s := sa.Snapshot{ID: 1, Connection: "x", Children: []sa.ChildSnapshot{{ID: 2, Name: "net"}}}
	if n := testing.AllocsPerRun(100, func() {
		e.IKEUpdown(true, s)
		e.ChildUpdown(true, s, s.Children[0])
		e.IKERekeyed(s, s)
		e.ChildRekeyed(s, s.Children[0], s.Children[0])
	}); n > 0 || asked > 0 {
		t.Errorf("%v allocations, counters read %d times", n, asked)
	}
}
