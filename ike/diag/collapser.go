package diag

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
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
	// StrangersPerMinute bounds the log lines about strangers, new failures and repeated ones: their addresses may be
	// forged, and a flood of them must not fill the log. RefusedPerMinute are for those of them that were refused in IKE_AUTH: they had
	// to answer from their address, and may be peers with a wrong key. Of one source there are RefusedPerSource, so that it does not
	// take the lines of the others. Users have more, for many may be behind one NAT: UsersPerSource of UsersPerMinute in all. With the two
	// kilobytes that a line has at most all of that is less than 120 MB a day.
	StrangersPerMinute = 10
	RefusedPerMinute   = 10
	RefusedPerSource   = 3
	UsersPerMinute     = 20
	UsersPerSource     = 10
	// MaxStrangers is how many of the MaxRepeats may be strangers', MaxRefused how many those of strangers refused in IKE_AUTH.
	MaxStrangers = 256
	MaxRefused   = 256
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
// Two failures are the same if code, connection, child, exchange, peer address (without port), user and the reporting side
// are the same, and both or neither are strangers'. Of strangers that were refused in IKE_AUTH the identity counts where there is no user:
// many devices have the address of one NAT. Whoever makes names and identities up gets no further than a stranger's part, below.
//
// Strangers, whose failures belong to no connection or have Failure.Stranger, have a part of the memory and of the log
// of their own: whatever they do, the failures of peers and of this side's own attempts are remembered and logged as if
// there were no strangers. Those that were refused in IKE_AUTH have again parts of their own.
type Collapser struct {
	entries map[key]*entry
	// byConn has the entries of each connection, strangers' those of all strangers.
	byConn     map[string]map[key]*entry
	strangers  [standings]strangers // by their standing; there are none of known
	clock      uint64               // orders entries by use; times may be equal
	unsaid     uint64               // failures of strangers that have had no line since the last one that had
	suppressed uint64
}

// standing is what whoever is behind a failure has shown; the one with the least matters most.
type standing int

const (
	known    standing = iota // a peer, or this side itself
	refused                  // a stranger that was refused in IKE_AUTH
	stranger                 // one that has come no further than IKE_SA_INIT
	standings
)

type key struct {
	code                        Code
	connection, child, exchange string
	remote                      netip.Addr
	byPeer                      bool
	standing                    standing
	// who is the user, or the identity of whoever was refused, as it was given.
	who string
}

type entry struct {
	Repeat
	used     uint64
	logged   time.Time     // when the last line was due; zero if none was
	quiet    time.Duration // until the next line
	standing standing
	// paused: it is over as far as is known, and not shown until it comes again. See [Collapser.Recovered].
	paused bool
}

// Add counts f, which happened at now, and reports whether it should be logged: always the first time, then at growing
// intervals while it lasts. Lines about strangers are so many a minute in all.
func (c *Collapser) Add(f *Failure, now time.Time) (r Repeat, log bool) {
	k := keyOf(f)
	c.clock++
	e := c.entries[k]
	if e == nil || now.Sub(e.Last) > ForgetAfter {
		c.forget(k)
		c.makeRoom(k)
		e = &entry{Repeat: Repeat{First: now}, standing: k.standing}
		c.file(k, e)
	}
	e.Failure, e.Last, e.used, e.paused = f, now, c.clock, false
	e.Count++

	due := e.logged.IsZero() || now.Sub(e.logged) >= e.quiet
	if !due || k.standing != known && !c.strangers[k.standing].allow(now, k, f.User != "") {
		c.suppressed++
		if k.standing != known {
			c.unsaid++
		}
		return e.Repeat, false
	}
	if e.logged.IsZero() {
		e.quiet = FirstQuiet
	} else {
		e.quiet = min(2*e.quiet, MaxQuiet)
	}
	e.logged = now
	return e.Repeat, true
}

// Unsaid is how many failures of strangers have had no line in the log since it was asked last.
func (c *Collapser) Unsaid() uint64 {
	n := c.unsaid
	c.unsaid = 0
	return n
}

func (c *Collapser) file(k key, e *entry) {
	if c.entries == nil {
		c.entries, c.byConn = map[key]*entry{}, map[string]map[key]*entry{}
		for i := range c.strangers {
			c.strangers[i].entries = map[key]*entry{}
		}
	}
	c.entries[k] = e
	if k.standing != known {
		c.strangers[k.standing].entries[k] = e
	}
	if k.connection != "" {
		if c.byConn[k.connection] == nil {
			c.byConn[k.connection] = map[key]*entry{}
		}
		c.byConn[k.connection][k] = e
	}
}

func (c *Collapser) forget(k key) {
	delete(c.entries, k)
	delete(c.strangers[k.standing].entries, k)
	delete(c.byConn[k.connection], k)
	if len(c.byConn[k.connection]) == 0 {
		delete(c.byConn, k.connection)
	}
}

// Last returns the latest failure of a connection, or of one of its children if child is not "". It reports false if
// there is none since the last [Collapser.Clear]. A stranger's, which resembles the connection, is given only while there
// is no other, and one of a stranger that has come no further than IKE_SA_INIT while there is none of a refused one.
func (c *Collapser) Last(connection, child string) (Repeat, bool) {
	if r := c.Lasts(connection).Of(child); r != nil {
		return *r, true
	}
	return Repeat{}, false
}

// Lasts are the latest failures of a connection and of each of its children.
type Lasts map[string]*entry

// Lasts returns what [Collapser.Last] does for all children of a connection, in one pass. It is only good until the next failure.
func (c *Collapser) Lasts(connection string) Lasts {
	l := Lasts{}
	for k, e := range c.byConn[connection] {
		if e.paused {
			continue
		}
		l.keep("", e)
		if k.child == "" {
			l.keep(wholeConnection, e)
		} else {
			l.keep(k.child, e)
		}
	}
	return l
}

// wholeConnection is where Lasts has the latest failure that names no child. No child is called so.
const wholeConnection = "\x00"

func (l Lasts) keep(child string, e *entry) {
	best := l[child]
	if best == nil || e.standing < best.standing || e.standing == best.standing && e.used > best.used {
		l[child] = e
	}
}

// Of copies the latest failure of a child, or that of the whole connection if child is "". It is nil if there is none.
func (l Lasts) Of(child string) *Repeat {
	e := l[child]
	if e == nil {
		return nil
	}
	r := e.Repeat
	return &r
}

// Concerning copies the latest failure that a child has a part in: one that names it, or none.
func (l Lasts) Concerning(child string) *Repeat {
	both := Lasts{}
	for _, name := range []string{child, wholeConnection} {
		if e := l[name]; e != nil {
			both.keep("", e)
		}
	}
	return both.Of("")
}

// Refused is how many peers of a connection this side has refused in IKE_AUTH while others were up.
func (c *Collapser) Refused(connection string) (n int) {
	for k, e := range c.byConn[connection] {
		if e.Failure.Aside && !k.byPeer && k.standing != stranger && k.exchange == exchangeAuth && k.code != CodeHalfOpen {
			n++
		}
	}
	return n
}

// Clear forgets the failures of a connection, or only those of one of its children if child is not "": it came up. A
// failure afterwards counts and is logged as a new one.
func (c *Collapser) Clear(connection, child string) {
	for k := range c.byConn[connection] {
		if child == "" || k.child == child {
			c.forget(k)
		}
	}
}

// Withdraw forgets a failure that was added and has turned out to be none, unless a later one like it has taken its place.
func (c *Collapser) Withdraw(f *Failure) {
	if e := c.entries[keyOf(f)]; e != nil && e.Failure == f {
		c.forget(keyOf(f))
	}
}

// Recovered forgets the failures of a child that came up, and those of its connection that name no child. What its siblings have
// failed with goes on holding.
//
// user is who came up, "" for a peer that is no user. What another user has failed with goes on holding: that one is not in by it.
//
// accepted: the peer has accepted this side's proof. A responder hears that it has not only when the child is up: what it had failed with
// before is not shown, and goes on being counted when it comes again, so that it is not a new line in the log with each attempt.
func (c *Collapser) Recovered(connection, child, user string, accepted bool) {
	for k, e := range c.byConn[connection] {
		switch {
		case k.child != "" && k.child != child:
		case user != "" && e.Failure.User != "" && !strings.EqualFold(e.Failure.User, user):
		case k.code == CodeAuthRefused && !accepted:
			e.paused = true
		default:
			c.forget(k)
		}
	}
}

// All returns what is remembered, the latest first.
func (c *Collapser) All() []Repeat {
	es := make([]*entry, 0, len(c.entries))
	for _, e := range c.entries {
		if !e.paused {
			es = append(es, e)
		}
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
	k := key{
		code: f.Code, connection: f.Connection, child: f.Child, exchange: f.Exchange,
		remote: f.Remote.Addr().Unmap(), byPeer: f.ByPeer, standing: standingOf(f), who: f.User,
	}
	if k.who == "" && k.standing == refused {
		k.who = f.PeerID
	}
	return k
}

// exchangeAuth is the exchange in which peers are refused.
const exchangeAuth = "IKE_AUTH"

func standingOf(f *Failure) standing {
	switch {
	case !f.Stranger && f.Connection != "":
		return known
	case f.Exchange == exchangeAuth && (f.Code != CodeHalfOpen || f.User != ""): // a user's name comes after the first answer
		return refused
	}
	return stranger
}

// makeRoom keeps the number of entries below the limits before k is put in. Strangers go first: they have a limit of
// their own, and what the others say is worth more.
func (c *Collapser) makeRoom(k key) {
	from := c.entries
	switch most := [standings]int{known: MaxRepeats, refused: MaxRefused, stranger: MaxStrangers}; {
	case k.standing != known && len(c.strangers[k.standing].entries) >= most[k.standing]:
		from = c.strangers[k.standing].entries
	case len(c.entries) < MaxRepeats:
		return
	case len(c.strangers[stranger].entries) > 0:
		from = c.strangers[stranger].entries
	case len(c.strangers[refused].entries) > 0:
		from = c.strangers[refused].entries
	}
	var oldest key
	var found *entry
	for k, e := range from {
		if found == nil || e.used < found.used {
			oldest, found = k, e
		}
	}
	c.forget(oldest)
}
