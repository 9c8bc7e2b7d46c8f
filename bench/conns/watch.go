package conns

import (
	"context"
	"sync/atomic"
	"time"

	"esplanade/ike/control"
	"esplanade/ike/gateway"
)

// watched is an event loop of which is measured how long it is busy in one go. Its goroutine has a thread of its own, so that the processor
// time of that thread is the loop's: a busy machine that takes the processor from it for a while does not make it more. What there is of the
// garbage collector's work that a goroutine has to do for what it allocates is in it.
type watched struct {
	control.Loop
	// Of these the event loop alone writes.
	wall, cpu atomic.Int64
	// end is the thread's processor time at the end of the latest call; the event loop alone uses it.
	end   time.Duration
	begun bool
}

// Call implements control.Loop.
func (w *watched) Call(ctx context.Context, f func(time.Time, *gateway.Manager)) error {
	return w.Loop.Call(ctx, func(now time.Time, g *gateway.Manager) {
		began, cpu := time.Now(), threadTime()
		if w.begun { // what it did since the latest call: its timers, what the call before has left to be done
			longer(&w.cpu, cpu-w.end)
		}
		f(now, g)
		longer(&w.wall, time.Since(began))
		w.end, w.begun = threadTime(), true
		longer(&w.cpu, w.end-cpu)
	})
}

func longer(most *atomic.Int64, d time.Duration) {
	if int64(d) > most.Load() {
		most.Store(int64(d))
	}
}

// take is the longest that the event loop took in one go since it was asked last: by the clock, for a command, and in processor time, for a
// command or for what it did between two of them.
func (w *watched) take() (wall, cpu time.Duration) {
	return time.Duration(w.wall.Swap(0)), time.Duration(w.cpu.Swap(0))
}
