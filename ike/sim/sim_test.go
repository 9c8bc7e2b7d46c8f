package sim

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "the seed that TestSeed plays")
	seedsFlag = flag.Int("seeds", 0, "how many seeds TestSeeds plays; 0 for the usual number")
	fromFlag  = flag.Uint64("from", firstSeed(), "the first seed of TestSeeds")
	stepFlag  = flag.Uint64("step", 1, "how far the seeds of TestSeeds are apart: with 7, all are of one kind of certificates")
)

// firstSeed is what ESPLANADE_SEEDS_FROM says, so that each commit can play other seeds; 1 without it.
func firstSeed() uint64 {
	text, ok := os.LookupEnv("ESPLANADE_SEEDS_FROM")
	if !ok {
		return 1
	}
	from, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic("ESPLANADE_SEEDS_FROM: " + err.Error())
	}
	return from
}

// How many seeds are played by default.
const (
	seedsFull  = 4000
	seedsShort = 500
	seedsRace  = 300
)

// TestSeeds plays many lives. A seed that fails is played again with its ladder written down.
func TestSeeds(t *testing.T) {
	seeds := seedsFull
	switch {
	case *seedsFlag > 0:
		seeds = *seedsFlag
	case raceEnabled:
		seeds = seedsRace
	case testing.Short():
		seeds = seedsShort
	}
	var next, failures atomic.Uint64
	var mu sync.Mutex
	var total Stats
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var sum Stats
			for failures.Load() < 5 {
				n := next.Add(1) - 1
				if n >= uint64(seeds) {
					break
				}
				seed := *fromFlag + n*(*stepFlag)
				w := New(seed, false)
				if err := w.Run(); err != nil {
					failures.Add(1)
					t.Errorf("seed %d: %v\nplay it again: go test ./ike/sim -run 'TestSeed$' -seed %d -v", seed, err, seed)
				}
				sum.Add(w.Stats())
			}
			mu.Lock()
			total.Add(sum)
			mu.Unlock()
		})
	}
	wg.Wait()
	t.Logf("%d seeds: %+v", min(next.Load(), uint64(seeds)), total)
	// A gateway that closes an IKE SA too early for the one that takes its place shows in many runs; see checker.ended.
	if total.Gaps > 2+seeds/200 {
		t.Errorf("what was up was down for a while, %d times", total.Gaps)
	}
	// Runs in which nothing happens would prove nothing. What is too big is a message of an attempt whose IKE_SA_INIT was
	// mangled so that the two sides don't agree about fragmentation: AUTH would not verify either. A few seeds have one.
	if n := seeds; failures.Load() == 0 && (total.ChildRekeys < 5*n || total.IKERekeys < 2*n || total.ESP < 100*n ||
		total.Retransmits < n || total.Moves < n || total.TooBig > n/100 || total.Fragments < n ||
		total.Reloads == 0 || total.Loads == 0 || total.Unloads == 0 || total.Shut == 0 || total.Held == 0 || total.Redirects == 0 || total.Crashes == 0 || total.Resumed == 0 || total.Resumptions <= total.Resumed || total.TicketReplays == 0 ||
		total.Judged < n/2 || total.Refused == 0 || total.Renewals == 0 || total.Unrevoked == 0 || total.Revoked == 0 || total.Withdrawn == 0 || total.Users < n/20 || total.Relayed == 0 || total.Leases < n/40 || total.Writes == 0) {
		t.Errorf("the runs are too dull: %+v", total)
	}
}

// TestSeed plays one seed and prints its ladder.
func TestSeed(t *testing.T) {
	if *seedFlag == 0 {
		t.Skip("no -seed given")
	}
	w := New(*seedFlag, true)
	err := w.Run()
	t.Logf("ladder:\n%s", w.Ladder())
	if err != nil {
		t.Errorf("seed %d: %v", *seedFlag, err)
	}
}
