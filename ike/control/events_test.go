package control

import (
	"testing"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/vici"
)

// While no client listens, events cost a look and no memory: every handshake has some.
func TestEventsForNobody(t *testing.T) {
	asked := 0
	e := Events{Server: vici.NewServer(nil, vici.Options{}), Counters: func(uint64) (gateway.Counters, bool) { asked++; return gateway.Counters{}, true }}
	s := sa.Snapshot{ID: 1, Connection: "x", Children: []sa.ChildSnapshot{{ID: 2, Name: "net"}}}
	events := []gateway.Event{
		gateway.IKEUpdown{Up: true, SA: s}, gateway.ChildUpdown{Up: true, SA: s, Child: s.Children[0]}, gateway.IKERekeyed{Old: s, New: s},
		gateway.IKEMoved{SA: s},
		gateway.ChildRekeyed{SA: s, Old: s.Children[0], New: s.Children[0]},
	}
	if n := testing.AllocsPerRun(100, func() {
		for _, x := range events {
			e.Observe(x)
		}
	}); n > 0 || asked > 0 {
		t.Errorf("%v allocations, counters read %d times", n, asked)
	}
}
