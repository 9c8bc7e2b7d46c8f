package radius

import (
	"container/list"
	"time"

	"esplanade/ike/aaa"
)

const (
	// maxRecords bounds the records that wait for a server: at about half a kilobyte each. Of a session there are two at most, and one
	// under way: of the interim records that wait only the latest counts, and none of one that has ended.
	maxRecords = 16384
	// maxRecordsOut bounds those under way at a time.
	maxRecordsOut = 64
	// firstPause and maxPause are how long the ledger waits when no server has taken a record.
	firstPause = 5 * time.Second
	maxPause   = time.Minute
	// maxBlamed is how often servers may have passed over a record while they took others: it is the record that they do not like then, and it is
	// dropped. It must not be in the way of the others for ever.
	maxBlamed = 8
	// maxBarrierTries is how often a record of the gateway is tried that no server takes: others wait behind it, and there are servers that do not
	// know it.
	maxBarrierTries = 5
	// hurriedPause is the same while this gateway ends.
	hurriedPause = 100 * time.Millisecond
)

// ledger has the records of accounting until a server has taken them. They go out in the order in which they came, those of one session one
// after the other. A record of the gateway is a barrier: it goes when all before it are taken, and nothing behind it goes before it is. One that no server has taken goes behind the others, with its session: a record that servers do not like stops nobody else's.
type ledger struct {
	queue *list.List // of *record
	open  map[string]*sessionRecords
	out   map[uint64]*list.Element // under way, by the exchange
	pause time.Duration
	next  time.Time // not before; zero: at once
	// hurried: this gateway ends.
	hurried bool
	stats   LedgerStats
}

type record struct {
	aaa.Record
	busy bool
	// seen is how many records servers had taken when it went out, and blamed how often they took others meanwhile and not this one.
	seen   uint64
	blamed int
	// tries is how often servers have passed over one of the gateway.
	tries int
}

// sessionRecords are those of one session: the last one of the queue.
type sessionRecords struct {
	last *list.Element
	busy bool
	n    int
}

// LedgerStats is how accounting does.
type LedgerStats struct {
	// Waiting are the records that no server has taken yet.
	Waiting int
	// Sent were taken, Replaced were interim records that a later one has replaced before, Lost were dropped: too many waited, or servers
	// take others and not this one.
	Sent, Replaced, Lost uint64
	// Failed are attempts after which a record waited again.
	Failed uint64
}

func newLedger() ledger {
	return ledger{queue: list.New(), open: map[string]*sessionRecords{}, out: map[uint64]*list.Element{}}
}

// add takes a record.
func (l *ledger) add(r aaa.Record) {
	s := l.open[r.Session.ID]
	if s == nil {
		s = &sessionRecords{}
		l.open[r.Session.ID] = s
	}
	if s.last != nil && r.Status != aaa.Start {
		if last := s.last.Value.(*record); last.Status == aaa.Interim && !last.busy {
			last.Record = r
			l.stats.Replaced++
			return
		}
	}
	if l.queue.Len() >= maxRecords {
		l.sacrifice()
		if l.open[r.Session.ID] == nil {
			l.open[r.Session.ID] = s
		}
	}
	s.last = l.queue.PushBack(&record{Record: r})
	s.n++
}

// sacrifice drops a record: the oldest interim one, or the oldest of all.
func (l *ledger) sacrifice() {
	victim := (*list.Element)(nil)
	for e := l.queue.Front(); e != nil; e = e.Next() {
		r := e.Value.(*record)
		if r.busy || r.Status.OfGateway() {
			continue
		}
		if victim == nil {
			victim = e
		}
		if r.Status == aaa.Interim {
			victim = e
			break
		}
	}
	if victim != nil {
		l.stats.Lost++
		l.remove(victim)
	}
}

// remove takes a record out of the ledger.
func (l *ledger) remove(e *list.Element) {
	r := l.queue.Remove(e).(*record)
	s := l.open[r.Session.ID]
	if r.busy {
		s.busy = false
	}
	if s.last == e {
		s.last = nil
	}
	if s.n--; s.n == 0 {
		delete(l.open, r.Session.ID)
	}
}

// due gives the next record to send, nil if there is none at present.
func (l *ledger) due(now time.Time) *list.Element {
	if len(l.out) >= maxRecordsOut || now.Before(l.next) || l.pause > 0 && len(l.out) > 0 {
		return nil
	}
	for e := l.queue.Front(); e != nil; e = e.Next() {
		r := e.Value.(*record)
		switch {
		case r.Status.OfGateway():
			if e == l.queue.Front() && !r.busy {
				return e
			}
			return nil
		case !r.busy && !l.open[r.Session.ID].busy:
			return e
		}
	}
	return nil
}

// sent notes that a record is under way.
func (l *ledger) sent(e *list.Element, id uint64) {
	r := e.Value.(*record)
	r.busy, l.open[r.Session.ID].busy = true, true
	r.seen = l.stats.Sent
	l.out[id] = e
}

// taken notes that a server has one; mine is false for an exchange that is none of the ledger's.
func (l *ledger) taken(id uint64) (mine bool) {
	e, mine := l.out[id]
	if mine {
		delete(l.out, id)
		l.remove(e)
		l.stats.Sent++
		l.pause, l.next = 0, time.Time{}
	}
	return mine
}

// refused notes that none has taken one. After a pause one goes alone, to see whether a server is back. hopeless: no server can take it.
func (l *ledger) refused(now time.Time, id uint64, hopeless bool) (mine bool) {
	e, mine := l.out[id]
	if mine {
		delete(l.out, id)
		r := e.Value.(*record)
		l.stats.Failed++
		others := l.stats.Sent > r.seen
		if others {
			r.blamed++
		}
		if r.Status.OfGateway() {
			r.tries++
		}
		if hopeless || r.blamed >= maxBlamed || r.tries >= maxBarrierTries {
			l.stats.Lost++
			l.remove(e)
			return mine
		}
		r.busy, l.open[r.Session.ID].busy = false, false
		l.toBack(e)
		if others { // the servers are there
			return mine
		}
		if l.pause == 0 || len(l.out) == 0 { // the others were under way as well when the servers fell silent
			l.pause = min(max(2*l.pause, firstPause), maxPause)
		}
		if l.hurried {
			l.pause = hurriedPause
		}
		l.next = now.Add(l.pause)
	}
	return mine
}

// toBack moves the records of a session behind those of all others, as far as no record of the gateway is between them. e is the first of them.
func (l *ledger) toBack(e *list.Element) {
	id := e.Value.(*record).Session.ID
	barrier := e
	for barrier != nil && !barrier.Value.(*record).Status.OfGateway() {
		barrier = barrier.Next()
	}
	for n := l.open[id].n; n > 0 && e != nil; n-- {
		next := e.Next()
		for next != nil && next != barrier && next.Value.(*record).Session.ID != id {
			next = next.Next()
		}
		switch {
		case e == barrier:
			return
		case barrier == nil:
			l.queue.MoveToBack(e)
		default:
			l.queue.MoveBefore(e, barrier)
		}
		e = next
	}
}

// timeout is when one that waits may go; zero: there is none, or one that is under way decides.
func (l *ledger) timeout() time.Time {
	if l.queue.Len() == len(l.out) || l.pause > 0 && len(l.out) > 0 {
		return time.Time{}
	}
	return l.next
}
