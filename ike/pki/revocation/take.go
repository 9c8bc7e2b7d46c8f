package revocation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Take judges what was fetched for a Needed, and keeps it if it is of use. An error is a [*Problem]; the same is not needed again then
// for a while.
func (s *Store) Take(now time.Time, n Needed, body []byte) error {
	return s.Keep(now, Judge(now, n, body))
}

// Judged is what was fetched for a Needed, judged by itself.
type Judged struct {
	needed  Needed
	list    *held
	answer  *answer
	problem *Problem
}

// Err is what is wrong with it by itself: a [*Problem], or nil.
func (j Judged) Err() error {
	if j.problem == nil {
		return nil
	}
	p := *j.problem
	return p.of(j.needed.Kind, j.needed.URI)
}

// Current reports whether it has not ended.
func (j Judged) Current(now time.Time) bool {
	switch {
	case j.list != nil:
		return j.list.current(now)
	case j.answer != nil:
		return j.answer.status == Revoked || now.Before(j.answer.until)
	}
	return false
}

// Judge finds out what was fetched for a Needed. It takes the time that a signature takes, and for a list of a million entries a second. It
// may be called from any goroutine.
func Judge(now time.Time, n Needed, body []byte) Judged {
	j := Judged{needed: n}
	if n.Kind == OCSP {
		j.answer, j.problem = judgeAnswer(now, body, n.Certificate, n.Issuer, n.responders)
	} else {
		j.list, j.problem = judgeList(now, &n, body)
	}
	return j
}

// Keep keeps what was judged, if it is of use together with what is known. See [Store.Take].
func (s *Store) Keep(now time.Time, j Judged) error {
	n, p := j.needed, j.problem
	switch {
	case p != nil:
	case n.Kind == OCSP:
		p = s.takeAnswer(now, &n, j.answer)
	default:
		p = s.takeList(now, &n, j.list)
	}
	if p != nil {
		p.of(n.Kind, n.URI)
		s.remember(now, n.Key(), p)
		return p
	}
	delete(s.failed, n.Key())
	delete(s.failed, n.address())
	return nil
}

func (s *Store) takeAnswer(now time.Time, n *Needed, a *answer) *Problem {
	var unused []error
	if p := revokedResponder(now, a, s.listsOf(now, n.Issuer, &Rules{}, &unused)); p != nil {
		return p
	}
	if old := s.answers[keyOf(n.Certificate, n.Issuer, a.responder)]; old != nil && old.this.After(a.this) {
		return problem(FaultOlder, "it is of %s, which is older than the one of %s", stamp(a.this), stamp(old.this))
	}
	a.from = n.URI
	s.keepAnswer(now, n.Certificate, n.Issuer, a, n)
	return nil
}

// Fail says that a Needed could not be fetched. Nothing is needed from the same address then for a while, for whatever certificate: a
// server that is not there is not waited for by each peer. That says nothing of an address of the operator's that is the same as one in a
// certificate: only the operator's may lead into private networks, and no certificate has it passed over.
func (s *Store) Fail(now time.Time, n Needed, err error) {
	p := problem(FaultFetch, "%v", err).of(n.Kind, n.URI)
	p.Err = err
	s.remember(now, n.address(), p)
}

// failure is something that has failed.
type failure struct {
	problem *Problem
	times   int
	at      time.Time
	until   time.Time // when it may be tried again
}

// An address that has failed is tried again after firstPause, then after twice that, and so on up to lastPause.
const (
	firstPause = 15 * time.Second
	lastPause  = 5 * time.Minute
)

func (s *Store) remember(now time.Time, key string, p *Problem) {
	if s.failed == nil {
		s.failed = map[string]*failure{}
	}
	f := s.failed[key]
	if f == nil {
		if len(s.failed) >= maxFailures {
			s.forget(now)
		}
		f = new(failure)
		s.failed[key] = f
	}
	pause := min(firstPause<<min(f.times, 10), lastPause)
	*f = failure{p, f.times + 1, now, now.Add(pause)}
}

// forget makes room for a failure: those go that are over, or else the one that is over first.
func (s *Store) forget(now time.Time) {
	maps.DeleteFunc(s.failed, func(_ string, f *failure) bool { return now.After(f.until.Add(lastPause)) })
	if len(s.failed) < maxFailures {
		return
	}
	first := slices.MinFunc(slices.Collect(maps.Keys(s.failed)), func(a, b string) int { return s.failed[a].until.Compare(s.failed[b].until) })
	delete(s.failed, first)
}

// failure returns why something must not be asked for now, nil if it may.
func (s *Store) failure(now time.Time, n *Needed) *failure {
	for _, key := range [...]string{n.address(), n.Key()} {
		if f := s.failed[key]; f != nil && now.Before(f.until) {
			return f
		}
	}
	return nil
}

// describe is the problem, with the time.
func (f *failure) describe(n *Needed) *Problem {
	p := *f.problem
	p.of(n.Kind, n.URI)
	p.Text += fmt.Sprintf(" (asked at %s, not again before %s)", stamp(f.at), stamp(f.until))
	return &p
}

// FaultOf is the kind of problem that an error is.
func FaultOf(err error) Fault {
	var p *Problem
	if errors.As(err, &p) {
		return p.Fault
	}
	return FaultFetch
}
