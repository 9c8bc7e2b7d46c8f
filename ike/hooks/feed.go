package hooks

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"esplanade/ike/gateway"
)

const (
	// maxItems is how much may have happened that the readers were not told yet; what comes on top is lost. 4096 clients may come in at once.
	maxItems = 4096
	// maxLinesWaiting is how many lines may wait for one reader: all that may be made at once have room. All readers share them.
	maxLinesWaiting = 2 * maxItems
	// maxReaders is how many may be connected to the socket.
	maxReaders = 16
	// readerTimeout is how long a reader of the socket may take nothing while something waits for it.
	readerTimeout = 10 * time.Second
)

// FeedOptions are the settings of a [Feed].
type FeedOptions struct {
	Log *slog.Logger
	// Daemon is what the first line of each reader names: the daemon and its version.
	Daemon string
	// Runner runs Command, which is kept running and reads the lines; "" is none.
	Runner  Runner
	Command string
	// Listener is where readers connect; nil is nowhere. It is closed by Close.
	Listener net.Listener
	// Counters are those of a CHILD SA; they are asked for on the goroutine of the gateway.
	Counters func(child uint64) (gateway.Counters, bool)
}

// Feed tells readers outside of the daemon what happens, in lines of JSON: a command that is kept running, and whoever is connected to a socket.
type Feed struct {
	o       FeedOptions
	command *reader // nil without one
	wg      sync.WaitGroup
	closed  chan struct{}

	mu    sync.Mutex
	items []item
	lost  uint64 // since the readers were told last
	over  bool   // nothing is taken any more
	wake  chan struct{}
	// readers are those of the socket.
	readers map[*reader]struct{}
	// listening is how many readers there are, so that nothing is kept for none.
	listening atomic.Int32

	seq    uint64 // of the goroutine that makes lines
	counts feedCounts
}

type feedCounts struct{ lines, lost, missed, slow, refused atomic.Uint64 }

// FeedCounts are how many lines were made; what was lost since too much happened at once; how many lines readers have missed for being slow;
// and how many readers were disconnected for it, or not taken since there were too many.
type FeedCounts struct{ Lines, Lost, Missed, Slow, Refused uint64 }

// NewFeed returns one that works from now on, until [Feed.Close].
func NewFeed(o FeedOptions) *Feed {
	f := &Feed{o: o, closed: make(chan struct{}), wake: make(chan struct{}, 1), readers: map[*reader]struct{}{}}
	if o.Command != "" {
		f.command = newReader()
		f.listening.Add(1)
		f.wg.Go(f.keepCommand)
	}
	if o.Listener != nil {
		f.wg.Go(f.accept)
	}
	f.wg.Go(f.pump)
	return f
}

// Counts are the counters.
func (f *Feed) Counts() FeedCounts {
	c := &f.counts
	return FeedCounts{Lines: c.lines.Load(), Lost: c.lost.Load(), Missed: c.missed.Load(), Slow: c.slow.Load(), Refused: c.refused.Load()}
}

// Observe implements [gateway.Observer].
func (f *Feed) Observe(e gateway.Event) {
	if f.listening.Load() == 0 || !wanted(e) {
		return
	}
	i := item{at: time.Now(), event: e}
	switch e := e.(type) {
	case gateway.ChildUpdown:
		if !e.Up {
			i.counters, _ = f.o.Counters(e.Child.ID)
		}
	case gateway.ChildRekeyed:
		i.counters, _ = f.o.Counters(e.Old.ID)
	}
	f.put(i)
}

// Reloaded says that the configuration was loaded again, and what that has changed; or what was wrong with it. It may be called from any goroutine.
func (f *Feed) Reloaded(changes []string, err error) {
	if f.listening.Load() == 0 {
		return
	}
	r := reloading{changes: bounded(changes)}
	if err != nil {
		r = reloading{errors: bounded(strings.Split(err.Error(), "\n"))}
	}
	f.put(item{at: time.Now(), event: r})
}

// maxTexts bounds the lists of texts of a line.
const maxTexts = 100

// bounded says of a long list how much more there is.
func bounded(list []string) []string {
	if len(list) <= maxTexts {
		return list
	}
	return append(slices.Clone(list[:maxTexts]), fmt.Sprintf("and %d more", len(list)-maxTexts))
}

// put hands an item over.
func (f *Feed) put(i item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.over:
		return
	case len(f.items) >= maxItems:
		f.lost++
		f.counts.lost.Add(1)
		return
	}
	f.items = append(f.items, i)
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// pump makes lines of what has happened, until the feed is closed.
func (f *Feed) pump() {
	for over := false; !over; {
		select {
		case <-f.wake:
		case <-f.closed:
			over = true
		}
		f.mu.Lock()
		items, lost := f.items, f.lost
		f.items, f.lost = nil, 0
		f.mu.Unlock()
		for _, i := range items {
			for _, r := range i.records() {
				f.tell(r)
			}
		}
		if lost > 0 {
			f.tell(Record{Version: schemaVersion, Time: time.Now(), Event: EventDropped, Dropped: lost})
		}
	}
	if f.command != nil {
		close(f.command.lines)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for r := range f.readers {
		delete(f.readers, r)
		close(r.lines)
	}
}

// tell gives a record to all readers.
func (f *Feed) tell(r Record) {
	f.seq++
	r.Seq = f.seq
	f.counts.lines.Add(1)
	line := encode(r)
	if f.command != nil && !f.command.offer(line) {
		f.counts.missed.Add(1)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for x := range f.readers {
		if !x.offer(line) {
			f.counts.missed.Add(1)
			f.counts.slow.Add(1)
			f.o.Log.Warn("events: a reader of the socket is too slow and was disconnected")
			f.dismiss(x)
		}
	}
}

// encode is a record as a line.
func encode(r Record) []byte {
	b, err := json.Marshal(r)
	if err != nil { // of strings and numbers
		panic("BUG: " + err.Error())
	}
	return append(b, '\n')
}

// hello is the first line of a reader.
func (f *Feed) hello() []byte {
	return encode(Record{Version: schemaVersion, Time: time.Now(), Event: EventHello, Daemon: f.o.Daemon})
}

// Close takes nothing more, and ends when the readers have what was observed before, or after so long.
func (f *Feed) Close(most time.Duration) {
	f.mu.Lock()
	if f.over {
		f.mu.Unlock()
		return
	}
	f.over = true
	f.mu.Unlock()
	if f.o.Listener != nil {
		f.o.Listener.Close()
	}
	if f.command != nil {
		t := time.AfterFunc(most, f.command.kill)
		defer t.Stop()
	}
	f.mu.Lock()
	for r := range f.readers {
		r.conn.SetWriteDeadline(time.Now().Add(most))
	}
	f.mu.Unlock()
	close(f.closed)
	f.wg.Wait()
}
