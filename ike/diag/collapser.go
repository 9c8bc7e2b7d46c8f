package diag

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Limits of a [Collapser].
const (
	// MaxRepeats is how many different failures a Collapser remembers; beyond it the one not seen for longest goes.
	MaxRepeats = 1024
	// FirstQuiet is how long the first repetitions of a failure stay out of the log. Each further line doubles it.
	FirstQuiet = time.Minute
	// MaxQuiet is the longest time between two log lines about one lasting failure.
	MaxQuiet = time.Hour
	// ForgetAfter is how long a failure must not happen to count as new when it does.
	ForgetAfter = 6 * time.Hour
	// StrangersPerMinute bounds the new log lines about peers that no connection is for: their addresses may be forged,
	// and a flood of them must not fill the log.
	StrangersPerMinute = 10
)

// Repeat is a failure together with how often it happened.
type Repeat struct {
	// Failure is the latest one.
	Failure *Failure
	// Count is how often it happened, First and Last when. Count 1 means it did not repeat.
	Count       int
	First, Last time.Time
}

// String is the failure's line with the number of repetitions: "E-… (×37 since 10:02)".
func (r Repeat) String() string {
	if r.Failure == nil {
		return ""
	}
	return r.Failure.Error() + r.Suffix()
}

// Suffix is " (×37 since 10:02)", or "" if the failure happened once. The day is shown when it is not that of Last.
func (r Repeat) Suffix() string {
	if r.Count < 2 {
		return ""
	}
	layout := "15:04"
	if y, m, d := r.First.Date(); [3]int{y, int(m), d} != dateOf(r.Last) {
		layout = "2006-01-02 15:04"
	}
	return fmt.Sprintf(" (×%d since %s)", r.Count, r.First.Format(layout))
}

func dateOf(t time.Time) [3]int {
	y, m, d := t.Date()
	return [3]int{y, int(m), d}
}

// Collapser counts repetitions of failures, says which of them deserve a line in the log, and keeps the last failure of
// each connection for `status`. The zero value is ready to use. It is not safe for concurrent use; its times are
// whatever the caller passes in, and must not run backwards by much.
//
// Two failures are the same if code, connection, child, exchange, peer address (without port) and the reporting side
// are the same.
type Collapser struct {
	entries    map[key]*entry
	clock      uint64 // orders entries by use; times may be equal
	strangers  int    // new lines about strangers in the current minute
	minute     time.Time
	suppressed uint64
}

type key struct {
	code                        Code
	connection, child, exchange string
	remote                      netip.Addr
	byPeer                      bool
}

type entry struct {
	Repeat
	used   uint64
	logged time.Time     // when the last line was due; zero if none was
	quiet  time.Duration // until the next line
}

// Add counts f, which happened at now, and reports whether it should be logged: always the first time, then at growing
// intervals while it lasts.
func (c *Collapser) Add(f *Failure, now time.Time) (r Repeat, log bool) {
	if c.entries == nil {
		c.entries = make(map[key]*entry)
	}
	k := keyOf(f)
	c.clock++
	e := c.entries[k]
	if e == nil || now.Sub(e.Last) > ForgetAfter {
		c.makeRoom(k)
		e = &entry{Repeat: Repeat{First: now}}
		c.entries[k] = e
	}
	e.Failure, e.Last, e.used = f, now, c.clock
	e.Count++

	switch {
	case e.logged.IsZero():
		if f.Connection == "" && !c.allowStranger(now) {
			c.suppressed++
			return e.Repeat, false
		}
		e.logged, e.quiet = now, FirstQuiet
		return e.Repeat, true
	case now.Sub(e.logged) >= e.quiet:
		e.logged, e.quiet = now, min(2*e.quiet, MaxQuiet)
		return e.Repeat, true
	}
	c.suppressed++
	return e.Repeat, false
}

// Last returns the latest failure of a connection, or of one of its children if child is not "". It reports false if
// there is none since the last [Collapser.Clear].
func (c *Collapser) Last(connection, child string) (Repeat, bool) {
	var best *entry
	for k, e := range c.entries {
		if k.connection == connection && (child == "" || k.child == child) && (best == nil || e.used > best.used) {
			best = e
		}
	}
	if best == nil {
		return Repeat{}, false
	}
	return best.Repeat, true
}

// Clear forgets the failures of a connection, or only those of one of its children if child is not "": it came up. A
// failure afterwards counts and is logged as a new one.
func (c *Collapser) Clear(connection, child string) {
	for k := range c.entries {
		if k.connection == connection && (child == "" || k.child == child) {
			delete(c.entries, k)
		}
	}
}

// All returns what is remembered, the latest first.
func (c *Collapser) All() []Repeat {
	es := make([]*entry, 0, len(c.entries))
	for _, e := range c.entries {
		es = append(es, e)
	}
	slices.SortFunc(es, func(a, b *entry) int { return cmp.Compare(b.used, a.used) })
	rs := make([]Repeat, len(es))
	for i, e := range es {
		rs[i] = e.Repeat
	}
	return rs
}

// Suppressed is how many failures were counted without a line in the log.
func (c *Collapser) Suppressed() uint64 { return c.suppressed }

func keyOf(f *Failure) key {
	return key{
		code: f.Code, connection: f.Connection, child: f.Child, exchange: f.Exchange,
		remote: f.Remote.Addr().Unmap(), byPeer: f.ByPeer,
	}
}

// makeRoom keeps the number of entries below the limit before k is put in. Strangers go first: the failures of
// configured connections are few, and forged addresses must not push them out.
func (c *Collapser) makeRoom(k key) {
	if _, replaces := c.entries[k]; replaces || len(c.entries) < MaxRepeats {
		return
	}
	var oldest key
	var found *entry
	for k, e := range c.entries {
		older := found == nil || e.used < found.used
		if found != nil && (k.connection == "") != (oldest.connection == "") {
			older = k.connection == ""
		}
		if older {
			oldest, found = k, e
		}
	}
	delete(c.entries, oldest)
}

func (c *Collapser) allowStranger(now time.Time) bool {
	if d := now.Sub(c.minute); d >= time.Minute || d < 0 {
		c.minute, c.strangers = now, 0
	}
	c.strangers++
	return c.strangers <= StrangersPerMinute
}
