package guess

import "time"

const (
	// firstPause is that after the last wrong password that is free; each further one doubles it, up to maxPause.
	firstPause = 2 * time.Second
	maxPause   = time.Minute
	// steps is how many wrong passwords behind the free ones count: with more of them the pause is no longer.
	steps = 5
)

// limit is how many wrong passwords are too many.
type limit struct {
	// free is from which one on each brings a pause.
	free int
	// fade is after how long one of them is forgotten.
	fade time.Duration
}

// limits are those of a user from somewhere, of a name from everywhere, and of somewhere with all names.
type limits struct{ user, name, source limit }

func defaultLimits() limits {
	return limits{user: limit{5, 10 * time.Minute}, name: limit{20, 10 * time.Minute}, source: limit{60, time.Minute}}
}

// wrongs are wrong passwords of one key. How many there are is in the time at which the last of them is forgotten.
type wrongs struct {
	// pause is until when no password is compared.
	pause time.Time
}

// meter counts them by a key.
type meter[K comparable] struct {
	limit
	*aging[K, wrongs]
}

func newMeter[K comparable](l limit, most int) meter[K] {
	return meter[K]{l, newAging[K, wrongs](most)}
}

// count is how many there are now.
func (m meter[K]) count(now time.Time, x *aged[K, wrongs]) int {
	if x == nil || !now.Before(x.until) {
		return 0
	}
	return int((x.until.Sub(now) + m.fade - 1) / m.fade)
}

// paused is how long no password is compared yet, and after how many wrong ones.
func (m meter[K]) paused(now time.Time, key K) (left time.Duration, wrong int) {
	x := m.find(now, key)
	if x == nil || !now.Before(x.v.pause) {
		return 0, 0
	}
	return x.v.pause.Sub(now), m.count(now, x)
}

// counted is an attempt that counts as wrong, so that it can be taken back.
type counted struct{ before, set time.Time }

// add counts one.
func (m meter[K]) add(now time.Time, key K) counted {
	until := now
	x := m.find(now, key)
	if x != nil {
		until = x.until
	}
	if last := now.Add(time.Duration(m.free+steps) * m.fade); until.Add(m.fade).Before(last) {
		until = until.Add(m.fade)
	} else {
		until = last
	}
	x = m.keep(now, key, until)
	c := counted{before: x.v.pause}
	if n := m.count(now, x); n >= m.free {
		x.v.pause = now.Add(min(firstPause<<min(n-m.free, steps), maxPause))
	}
	c.set = x.v.pause
	return c
}

// takeBack makes an attempt undone, as far as others have not come since.
func (m meter[K]) takeBack(now time.Time, key K, c counted) {
	x := m.find(now, key)
	if x == nil {
		return
	}
	if x.v.pause.Equal(c.set) {
		x.v.pause = c.before
	}
	if until := x.until.Add(-m.fade); now.Before(until) {
		m.keep(now, key, until)
	} else {
		m.drop(x)
	}
}

// forget forgets all of a key.
func (m meter[K]) forget(key K) {
	if x := m.byKey[key]; x != nil {
		m.drop(x)
	}
}
