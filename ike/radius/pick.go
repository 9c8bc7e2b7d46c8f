package radius

import (
	"slices"
	"time"
)

// pick chooses the service that an exchange goes to next. It is nil if there is none left; full: there are some, and all their identifiers are
// taken.
func (e *exchanges) pick(now time.Time, x *exchange) (best *service, full bool) {
	for _, s := range e.services {
		if s.kind != x.kind || x.server != "" && x.server != s.server.Name || slices.Contains(x.tried, s) {
			continue
		}
		if s.free() == 0 {
			full = true
			continue
		}
		if best == nil || s.better(now, best) {
			best = s
		}
	}
	return best, full
}

// better reports whether a service is to be asked before another one.
func (s *service) better(now time.Time, o *service) bool {
	if a, b := s.dead(now), o.dead(now); a != b {
		return !a
	}
	if a, b := s.server.Preference, o.server.Preference; a != b {
		return a > b
	}
	return s.free() > o.free()
}

// limit is how often an exchange is sent to a service. One that was silent and is tried again is sent one request, as long as there is another
// server that does answer: the user who happens to make it waits for one timeout.
func (e *exchanges) limit(now time.Time, x *exchange, s *service) int {
	if s.down.IsZero() || s.dead(now) || x.server != "" {
		return s.server.Tries
	}
	for _, o := range e.services {
		if o != s && o.kind == s.kind && o.down.IsZero() && !slices.Contains(x.tried, o) {
			s.probe = x
			return 1
		}
	}
	return s.server.Tries
}
