package gateway

import "time"

// surge notices that many requests for an IKE SA are refused, which leaves nothing behind that could be counted: no
// half-open SA, and so no reason for a cookie. Refusing costs more than asking for a cookie, and is reported; forged
// requests get that far only as long as there are few.
type surge struct {
	rate  rateLimit
	until time.Time
}

const (
	// refusalsPerSecond is how many requests are refused without a cookie. More would fail to name the one peer whose
	// configuration is wrong.
	refusalsPerSecond = 50
	// surgeTime is how long after a surge all initiators have to return a cookie. It costs an honest one a round trip.
	surgeTime = 10 * time.Second
)

// refused notes a refusal.
func (s *surge) refused(now time.Time) {
	if !s.rate.allow(now) {
		s.until = now.Add(surgeTime)
	}
}

// lasts reports whether initiators have to return a cookie.
func (s *surge) lasts(now time.Time) bool { return now.Before(s.until) }
