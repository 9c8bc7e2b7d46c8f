package ike

import (
	"maps"
	"sync"
	"sync/atomic"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
)

// stats are the counters of the daemon. They may be read from any goroutine.
type stats struct {
	counts [gateway.Counts]atomic.Uint64

	mu        sync.Mutex
	ignored   map[sa.IgnoreReason]uint64
	failures  map[gateway.FailureKey]uint64
	exchanges map[gateway.ExchangeKey]uint64
}

var _ gateway.Meter = (*stats)(nil)

func (s *stats) init() {
	s.ignored, s.failures = map[sa.IgnoreReason]uint64{}, map[gateway.FailureKey]uint64{}
	s.exchanges = map[gateway.ExchangeKey]uint64{}
}

// Add implements gateway.Meter.
func (s *stats) Add(c gateway.Count) { s.counts[c].Add(1) }

// Ignored implements gateway.Meter.
func (s *stats) Ignored(r sa.IgnoreReason) {
	s.mu.Lock()
	s.ignored[r]++
	s.mu.Unlock()
}

// Failure implements gateway.Meter.
func (s *stats) Failure(k gateway.FailureKey) {
	s.mu.Lock()
	s.failures[k]++
	s.mu.Unlock()
}

// Exchange implements gateway.Meter.
func (s *stats) Exchange(k gateway.ExchangeKey) {
	s.mu.Lock()
	s.exchanges[k]++
	s.mu.Unlock()
}

// Stats copies the counters. It may be called from any goroutine.
func (d *Daemon) Stats() gateway.Stats {
	s := &d.stats
	n := func(c gateway.Count) uint64 { return s.counts[c].Load() }
	out := gateway.Stats{
		SendErrors: n(gateway.CountSendErrors), Retransmits: n(gateway.CountRetransmits), Moves: n(gateway.CountMoves),
		Established: n(gateway.CountEstablished), IKERekeys: n(gateway.CountIKERekeys), ChildRekeys: n(gateway.CountChildRekeys),
		Redirected: n(gateway.CountRedirected), Redirecting: n(gateway.CountRedirecting), InboxDropped: d.InboxDropped(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out.Ignored, out.Failures, out.Exchanges = maps.Clone(s.ignored), maps.Clone(s.failures), maps.Clone(s.exchanges)
	if n := d.loop.overload.Load(); n > 0 {
		out.Ignored[sa.IgnoreOverload] = n
	}
	return out
}
