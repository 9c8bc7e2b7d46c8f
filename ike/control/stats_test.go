package control

import (
	"testing"

	"esplanade/ike/vici"
)

// The load is answered without a copy of all IKE SAs; workers are those that carry out requests.
func TestStats(t *testing.T) {
	b, _ := backend(t, office)
	b.DataPath = func() vici.DataPath {
		return vici.DataPath{Workers: 8, Features: []vici.Feature{{Name: "UDP GRO", Used: true}, {Name: "other"}}}
	}
	if err := b.Commands.Answers(t.Context()); err != nil { // it begins to connect
		t.Fatal(err)
	}
	b.Work = func() (workers, busy, waiting int) { return 4, 1, 5 }
	s, err := b.Stats(t.Context())
	if err != nil || s.Workers != 4 || s.IdleWorkers != 3 || s.Queued != 3+5 || s.IKESAs != 1 || s.Scheduled != 1 || s.HalfOpen != 0 ||
		len(s.Features) != 1 || s.Features[0] != "UDP-GRO" || s.HeapUsed == 0 || s.HeapBytes < s.HeapUsed || s.Since.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
}
