package revocation

import (
	"bytes"
	"crypto/x509"
	"time"
)

// heldFile is a list of a file, or what is wrong with it.
type heldFile struct {
	held    *held
	problem *Problem
	used    time.Time
}

// listsOf returns the lists of a CA, of each the newest edition.
func (s *Store) listsOf(now time.Time, issuer *x509.Certificate, r *Rules, problems *[]error) []*held {
	k := caOf(issuer)
	var all []*held
	for _, h := range s.lists {
		if h.ca == k {
			h.used = now
			all = append(all, h)
		}
	}
	for _, l := range r.Lists {
		if !bytes.Equal(l.head.RawIssuer, issuer.RawSubject) || otherKey(l.head.AuthorityKeyId, issuer.SubjectKeyId) {
			continue
		}
		f := s.file(now, k, l, issuer)
		if f.problem != nil {
			p := *f.problem
			*problems = append(*problems, p.of(CRL, l.Name))
			continue
		}
		if f.held.head.ThisUpdate.After(now.Add(maxSkew)) {
			*problems = append(*problems, inFuture(now, l).of(CRL, l.Name))
			continue
		}
		all = append(all, f.held)
	}
	return newest(all)
}

// otherKey reports whether two key identifiers are known and differ.
func otherKey(a, b []byte) bool { return len(a) > 0 && len(b) > 0 && !bytes.Equal(a, b) }

func inFuture(now time.Time, l *List) *Problem {
	return problem(FaultFuture, "it is of %s, which is in the future: it is %s here", stamp(l.head.ThisUpdate), stamp(now))
}

// file verifies a list of a file once for each CA. What is wrong with one that is signed by nobody stays wrong.
func (s *Store) file(now time.Time, k ca, l *List, issuer *x509.Certificate) *heldFile {
	key := fileKey{l.sum, k}
	f := s.files[key]
	if f == nil {
		f = new(heldFile)
		f.held, f.problem = hold(l, issuer, true)
		if s.files == nil {
			s.files = map[fileKey]*heldFile{}
		}
		if len(s.files) >= maxFiles {
			var oldest fileKey
			for x, o := range s.files {
				if y := s.files[oldest]; y == nil || o.used.Before(y.used) {
					oldest = x
				}
			}
			delete(s.files, oldest)
		}
		s.files[key] = f
		s.changed = true
	}
	f.used = now
	return f
}

// judgeList judges a list that was fetched.
func judgeList(now time.Time, n *Needed, body []byte) (*held, *Problem) {
	l, p := readList(body)
	if p != nil {
		return nil, p
	}
	l.Name = n.URI
	h, p := hold(l, n.Issuer, n.Configured)
	switch {
	case p != nil:
		return nil, p
	case h.head.ThisUpdate.After(now.Add(maxSkew)):
		return nil, inFuture(now, l)
	case n.delta && h.base == nil:
		return nil, problem(FaultScope, "it is no delta CRL, and should be one")
	case !n.delta && h.base != nil:
		return nil, problem(FaultScope, "it is a delta CRL, and should be a complete one")
	}
	return h, nil
}

// takeList keeps a list.
func (s *Store) takeList(now time.Time, n *Needed, h *held) *Problem {
	for _, o := range s.lists {
		// The number never goes backwards: whoever can answer in the name of the server could give an old list, from before the revocation.
		// If the CA begins to count again, its list is taken when the one with the higher number has ended.
		if o.same(h) && h.older(o) && (o.current(now) || !h.head.ThisUpdate.After(o.head.NextUpdate)) {
			return problem(FaultOlder, "it is %s, which is older than %s", h.List.describe(), o.List.describe())
		}
	}
	s.keepList(now, n, h)
	if !h.current(now) {
		return problem(FaultStale, "it has ended at %s, %s ago: it is %s here", stamp(h.head.NextUpdate), ago(now.Sub(h.head.NextUpdate)), stamp(now))
	}
	return nil
}

func (s *Store) keepList(now time.Time, n *Needed, h *held) {
	key := n.Key()
	if old := s.lists[key]; old != nil {
		s.octets -= old.octets
	}
	h.life = life{used: now, octets: h.entries.size() + len(h.der) + heldOctets, needed: n, refresh: refreshAt(now, h.head.ThisUpdate, h.head.NextUpdate)}
	if s.lists == nil {
		s.lists = map[string]*held{}
	}
	s.lists[key] = h
	s.changed = true
	s.octets += h.octets
	s.trim()
}
