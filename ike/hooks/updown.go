package hooks

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// UpdownOptions are the settings of an [Updown].
type UpdownOptions struct {
	Log *slog.Logger
	// Run runs a command until it ends or its context does: [Runner.Run].
	Run func(context.Context, Job) error
	// Timeout is how long one call may take, Parallel how many run at a time.
	Timeout  time.Duration
	Parallel int
	// Device is the interface of the tunnels; "" for one that the host does not have.
	Device string
}

// Updown calls the command of each child that has one when a CHILD SA comes up, and when it has gone; a rekeying is neither. It does so for
// each pair of its selectors, as strongSwan does. The calls of one child with one peer are made one after the other, in the order of what
// happened; those of others run at the same time.
//
// What is called when a CHILD SA has gone has the variables, and the command, of what was called when it came up, whatever has changed
// since: a script can undo by its variables alone what it has done. A CHILD SA that has gone before its turn has come is not called for at
// all.
type Updown struct {
	o    UpdownOptions
	runs sync.WaitGroup
	stop context.Context
	kill context.CancelFunc

	mu    sync.Mutex
	lines map[lineKey]*line
	live  map[uint64]*told // by the number of the CHILD SA that there is at present
	// ready are the lines of which something is to be called and nothing is being called; of needless ones among them there is nothing any more.
	ready    []*line
	needless int
	active   int
	counts   UpdownCounts
	idle     chan struct{} // closed when nothing is left to do, once somebody waits for that
}

// UpdownCounts are how many calls were made and how they ended, and how many were not needed any more before they began, or lost by the end
// of the daemon.
type UpdownCounts struct{ Done, Failed, TimedOut, Needless, Lost uint64 }

// lineKey is one child with one peer.
type lineKey struct{ connection, child, peer, user string }

// line is what is to be called for one child with one peer, in order.
type line struct {
	key     lineKey
	changes []change
	// queued: it is in ready. running: its first change, which is not in changes any more, is being told.
	queued, running bool
	// live is how many CHILD SAs it has.
	live int
}

// told is one CHILD SA, and those that it is rekeyed to. It is never changed but for its state.
type told struct {
	line       *line
	command    string
	hostAccess bool
	sa         sa.Snapshot
	child      sa.ChildSnapshot
	pairs      []selector.Pair
	state      toldState
}

type toldState uint8

const (
	toldNothing toldState = iota // its turn has not come
	toldUp                       // the command was called, or is being called, for its coming up
)

// change is one thing to be told.
type change struct {
	t  *told
	up bool
}

// NewUpdown returns one that is ready. [Updown.Close] ends it.
func NewUpdown(o UpdownOptions) *Updown {
	u := &Updown{o: o, lines: map[lineKey]*line{}, live: map[uint64]*told{}}
	u.stop, u.kill = context.WithCancel(context.Background())
	return u
}

// Observe implements [gateway.Observer].
func (u *Updown) Observe(e gateway.Event) {
	switch e := e.(type) {
	case gateway.ChildUpdown:
		if e.Up {
			if e.Conf != nil && e.Conf.Updown != "" {
				u.up(e)
			}
			return
		}
		u.down(e.Child.ID)
	case gateway.ChildRekeyed:
		u.mu.Lock()
		defer u.mu.Unlock()
		if t := u.live[e.Old.ID]; t != nil {
			delete(u.live, e.Old.ID)
			u.live[e.New.ID] = t
		}
	}
}

// up notes that a CHILD SA is to be told of.
func (u *Updown) up(e gateway.ChildUpdown) {
	key := lineKey{connection: e.SA.Connection, child: e.Child.Name, peer: e.SA.RemoteID.String(), user: e.SA.User}
	pairs, left := pairsOf(e.Child.TS)
	if left > 0 {
		u.o.Log.Warn("updown is not called for all selectors: there are too many", "connection", e.SA.Connection, "child", e.Child.Name, "called_for", len(pairs), "left_out", left)
	}
	t := &told{
		command: e.Conf.Updown, hostAccess: e.Conf.HostAccess, pairs: pairs, sa: e.SA,
		child: sa.ChildSnapshot{Name: e.Child.Name, ReqID: e.Child.ReqID, UDP: e.Child.UDP},
	}
	t.sa.Tasks, t.sa.Children, t.sa.Silence = nil, nil, nil // of the moment
	u.mu.Lock()
	defer u.mu.Unlock()
	l := u.lines[key]
	if l == nil {
		l = &line{key: key}
		u.lines[key] = l
	}
	t.line = l
	l.live++
	u.live[e.Child.ID] = t
	u.push(l, change{t, true})
}

// down notes that a CHILD SA has gone.
func (u *Updown) down(id uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	t := u.live[id]
	if t == nil {
		return
	}
	delete(u.live, id)
	u.gone(t)
}

// gone is down with the mutex held.
func (u *Updown) gone(t *told) {
	l := t.line
	l.live--
	if t.state == toldUp {
		u.push(l, change{t, false})
		return
	}
	for i, c := range l.changes {
		if c.t == t {
			l.changes = append(l.changes[:i], l.changes[i+1:]...)
			break
		}
	}
	u.counts.Needless++
	u.forget(l)
	if l.queued && len(l.changes) == 0 {
		u.needless++
		u.tidy()
	}
}

// tidy takes out of the ready lines what is needless, when that is most of them: while all commands hang, peers that come and go under ever other names
// leave nothing behind. The mutex is held.
func (u *Updown) tidy() {
	if u.needless < 16 || u.needless < len(u.ready)/2 {
		return
	}
	u.ready = slices.DeleteFunc(u.ready, func(l *line) bool {
		if len(l.changes) > 0 {
			return false
		}
		l.queued = false
		u.forget(l)
		return true
	})
	u.needless = 0
}

// push adds a change to a line, and has it carried out. The mutex is held.
func (u *Updown) push(l *line, c change) {
	l.changes = append(l.changes, c)
	if l.queued && len(l.changes) == 1 {
		u.needless-- // it is needed again
	}
	if l.running || l.queued {
		return
	}
	u.enqueue(l)
	if u.active < u.o.Parallel {
		u.active++
		u.runs.Go(u.work)
	}
}

// enqueue puts a line at the end of the ready ones. The mutex is held.
func (u *Updown) enqueue(l *line) {
	l.queued = true
	u.ready = append(u.ready, l)
}

// forget drops a line that nothing is left of. The mutex is held.
func (u *Updown) forget(l *line) {
	if l.live == 0 && len(l.changes) == 0 && !l.running && !l.queued {
		delete(u.lines, l.key)
	}
}

// work carries out what is ready until nothing is.
func (u *Updown) work() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.ready) > 0 && u.stop.Err() == nil {
		l := u.ready[0]
		u.ready, l.queued = u.ready[1:], false
		if len(l.changes) == 0 { // it has become needless
			u.needless--
			u.forget(l)
			continue
		}
		c := l.changes[0]
		l.changes = l.changes[1:]
		if c.up {
			c.t.state = toldUp
		}
		l.running = true
		u.mu.Unlock()
		counts := u.tell(c)
		u.mu.Lock()
		u.counts.add(counts)
		l.running = false
		if len(l.changes) > 0 {
			u.enqueue(l)
		} else {
			u.forget(l)
		}
	}
	u.active--
	if u.active == 0 && len(u.ready) == 0 && u.idle != nil {
		close(u.idle)
		u.idle = nil
	}
}

// tell makes the calls of a change, one after the other.
func (u *Updown) tell(c change) (n UpdownCounts) {
	for _, p := range c.t.pairs {
		x := call{sa: &c.t.sa, child: &c.t.child, local: p.Local[0], remote: p.Remote[0], hostAccess: c.t.hostAccess, device: u.o.Device}
		verb := x.verb(c.up)
		log := u.o.Log.With("connection", x.sa.Connection, "child", x.child.Name, "verb", verb)
		if u.stop.Err() != nil {
			n.Lost++
			continue
		}
		ctx, cancel := context.WithTimeoutCause(u.stop, u.o.Timeout, errTooLong)
		began := time.Now()
		err := u.o.Run(ctx, Job{Command: c.t.command, Env: x.environment(c.up), Log: log, Name: "updown"})
		cancel()
		switch {
		case err == nil:
			n.Done++
			log.Debug("updown", "took", time.Since(began).Round(time.Millisecond))
		case u.stop.Err() != nil:
			n.Lost++
		case context.Cause(ctx) == errTooLong:
			n.TimedOut++
			log.Warn("updown was killed: it has taken too long", "limit", u.o.Timeout, "command", c.t.command,
				"fix", "make it shorter, or set hooks.timeout; what takes long can be started in the background")
		default:
			n.Failed++
			log.Warn("updown has failed", "error", err, "command", c.t.command)
		}
	}
	return n
}

func (a *UpdownCounts) add(b UpdownCounts) {
	a.Done += b.Done
	a.Failed += b.Failed
	a.TimedOut += b.TimedOut
	a.Needless += b.Needless
	a.Lost += b.Lost
}

// Counts are the counters.
func (u *Updown) Counts() UpdownCounts {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.counts
}

// Waiting is how many calls have not begun, each of one change.
func (u *Updown) Waiting() (n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, l := range u.lines {
		n += len(l.changes)
	}
	return n
}

// Close tells of the end of every CHILD SA that has not gone yet, waits until all calls are made, for so long at most, then kills what runs.
// What could not be called is counted and logged. It is for after the gateway has ended; nothing may be observed afterwards.
func (u *Updown) Close(most time.Duration) {
	u.mu.Lock()
	for id, t := range u.live {
		delete(u.live, id)
		u.gone(t)
	}
	var idle chan struct{}
	if u.active > 0 || len(u.ready) > 0 {
		idle = make(chan struct{})
		u.idle = idle
	}
	u.mu.Unlock()
	if idle != nil {
		t := time.NewTimer(most)
		defer t.Stop()
		select {
		case <-idle:
		case <-t.C:
		}
	}
	u.kill()
	u.runs.Wait()
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, l := range u.lines {
		for _, c := range l.changes {
			u.counts.Lost += uint64(len(c.t.pairs))
		}
	}
	if n := u.counts.Lost; n > 0 {
		u.o.Log.Warn("the daemon has ended before all updown commands were called", "not_called", n, "limit", most)
	}
}
