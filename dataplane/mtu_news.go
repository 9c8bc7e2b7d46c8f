package dataplane

import (
	"net/netip"
	"sync"
)

// maxMTUNews bounds the paths about which there is news that nobody has looked at. ICMP errors, which anybody can forge,
// are news. When there is more, every path is asked for instead, so that nothing is forgotten.
const maxMTUNews = 64

// mtuEvent is one piece of news: packets to remote are limited to mtu octets, or, with 0, the system should be asked.
// Without an address it is about every path.
type mtuEvent struct {
	remote netip.Addr
	mtu    int

	hole *holeReport // not nil: large packets seem to vanish
}

// pathNews is what is new about the paths to one address. Each kind is kept until it was looked at.
type pathNews struct {
	ask   bool        // the system should be asked
	limit int         // packets are limited to so many octets; 0: no news
	hole  *holeReport // large packets seem to vanish; nil: no news
}

// mtuNews keeps news until watchMTU looks at them. Packet loops put them in, so it never waits, and what is in it already
// takes no more room. Safe for concurrent use.
type mtuNews struct {
	wake chan struct{} // has a token whenever there is news

	mu    sync.Mutex
	all   bool // every path should be asked for
	paths map[netip.Addr]pathNews
}

func newMTUNews() *mtuNews {
	return &mtuNews{wake: make(chan struct{}, 1), paths: make(map[netip.Addr]pathNews)}
}

// add notes a piece of news.
func (l *mtuNews) add(n mtuEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, known := l.paths[n.remote]
	switch {
	case !n.remote.IsValid():
		l.all = true
	case !known && len(l.paths) >= maxMTUNews:
		// The system has seen the ICMP errors too. A black hole is reported again when the segment is sent again.
		l.all = l.all || n.hole == nil
	default:
		switch {
		case n.hole != nil:
			p.hole = n.hole
		case n.mtu == 0:
			p.ask = true
		case p.limit == 0 || n.mtu < p.limit:
			p.limit = n.mtu
		}
		l.paths[n.remote] = p
	}
	select {
	case l.wake <- struct{}{}:
	default: // one token is enough: take takes everything
	}
}

// take gives all news in no particular order, and forgets them. all reports whether every path should be asked for.
func (l *mtuNews) take() (events []mtuEvent, all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for a, p := range l.paths {
		if p.ask {
			events = append(events, mtuEvent{remote: a})
		}
		if p.limit > 0 {
			events = append(events, mtuEvent{remote: a, mtu: p.limit})
		}
		if p.hole != nil {
			events = append(events, mtuEvent{remote: a, hole: p.hole})
		}
	}
	all = l.all
	clear(l.paths)
	l.all = false
	return events, all
}
