package revocation

import (
	"bytes"
	"maps"
	"slices"
	"time"
)

// life is how long something is kept, and when it is fetched again.
type life struct {
	used    time.Time // last
	refresh time.Time // when to fetch it again, if it is still used; zero if never
	needed  *Needed   // how; nil if it can't be
	octets  int
}

// heldOctets is about what is kept in addition to the octets themselves: certificates, names, maps.
const heldOctets = 2 << 10

// When something is fetched again, before it ends: after this part of its time, and at least once a day, since a CA may have made a new
// one early, to revoke something; but no more often than each minute. What was not used for a day is not fetched again.
const (
	refreshPart  = 0.8
	refreshMost  = 24 * time.Hour
	refreshLeast = time.Minute
	usedLately   = 24 * time.Hour
)

// refreshAt is when to fetch something again that counts from one time to another. If most of that is over, and the server has no newer
// one yet, it is half of what is left.
func refreshAt(now, from, to time.Time) time.Time {
	at := from.Add(time.Duration(refreshPart * float64(to.Sub(from))))
	if !at.After(now.Add(refreshLeast)) {
		at = now.Add(max(to.Sub(now)/2, refreshLeast))
	}
	if latest := now.Add(refreshMost); at.After(latest) {
		at = latest
	}
	if !at.Before(to) {
		return time.Time{}
	}
	return at
}

// Due returns what should be fetched now so that it is there when it is needed: what was used lately and ends soon, and answers for this
// gateway's own certificates. It is not due again before a minute is over, whatever comes of it. next is when to ask again, an hour from
// now at the latest.
func (s *Store) Due(now time.Time) (due []Needed, next time.Time) {
	next = now.Add(time.Hour)
	look := func(l *life) {
		if l.needed == nil || l.refresh.IsZero() || now.Sub(l.used) > usedLately {
			return
		}
		at := l.refresh
		if f := s.failure(now, l.needed); f != nil && f.until.After(at) {
			at = f.until
		}
		if !at.After(now) {
			due = append(due, *l.needed)
			at = now.Add(refreshLeast)
			l.refresh = at
		}
		if at.Before(next) {
			next = at
		}
	}
	s.useOwn(now)
	for _, h := range s.lists {
		look(&h.life)
	}
	for _, a := range s.answers {
		look(&a.life)
	}
	for i := range s.own {
		s.own[i].missing(now, s, look)
	}
	return due, next
}

// trim removes what was not used for longest, until everything is within its bounds.
func (s *Store) trim() {
	for len(s.lists) > maxLists || len(s.answers) > maxHeldAnswers || s.octets > maxOctets {
		var oldList string
		var oldAnswer answerKey
		var list *held
		var a *heldAnswer
		for k, h := range s.lists {
			if list == nil || h.used.Before(list.used) {
				oldList, list = k, h
			}
		}
		for k, x := range s.answers {
			if a == nil || x.used.Before(a.used) {
				oldAnswer, a = k, x
			}
		}
		fromLists := len(s.lists) > maxLists || len(s.answers) <= maxHeldAnswers && list != nil && (a == nil || list.octets > a.octets)
		if fromLists {
			s.octets -= list.octets
			delete(s.lists, oldList)
			s.changed = true
		} else {
			s.octets -= a.octets
			delete(s.answers, oldAnswer)
		}
	}
}

// Fetched are the lists and the OCSP answers that were fetched, or that peers have sent, in DER; those that are too long to be shown are left out.
// They must not be changed.
func (s *Store) Fetched() (lists, answers [][]byte) {
	for _, k := range slices.Sorted(maps.Keys(s.lists)) {
		if der := s.lists[k].DER(); der != nil {
			lists = append(lists, der)
		}
	}
	for _, a := range s.answers {
		answers = append(answers, a.der)
	}
	slices.SortFunc(answers, bytes.Compare)
	return lists, answers
}

// Flush forgets the lists that were fetched, the OCSP answers, or both, and what must not be asked again for a while. What is needed of it is
// fetched again. It returns the keys of what may be on disk of it.
func (s *Store) Flush(lists, answers bool) (keys []string) {
	if lists {
		for k, h := range s.lists {
			s.octets -= h.octets
			keys = append(keys, k)
		}
		s.lists = nil
	}
	if answers {
		for _, a := range s.answers {
			s.octets -= a.octets
			if a.needed != nil {
				keys = append(keys, a.needed.Key())
			}
		}
		s.answers = nil
	}
	s.failed, s.changed = nil, true
	return keys
}

// Stats is how much a [Store] has.
type Stats struct {
	// Lists are CRLs that were fetched, Files those of files, Answers those of OCSP, Failures what is not asked again for a while.
	Lists, Files, Answers, Failures int
	// Octets is about how much memory lists and answers take.
	Octets int
}

// Stats says how much there is.
func (s *Store) Stats() Stats {
	return Stats{Lists: len(s.lists), Files: len(s.files), Answers: len(s.answers), Failures: len(s.failed), Octets: s.octets}
}
