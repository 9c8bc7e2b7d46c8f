package gateway

import (
	"testing"
	"time"
)

// One source does not use up the answers in the clear that there are for all.
func TestUnprotectedAnswers(t *testing.T) {
	u := newUnprotected(random(statelessKey))
	now := time.Unix(1e9, 0)
	one, others := 0, 0
	for range 10000 {
		if u.allow(now, crowdAddr(0)) {
			one++
		}
	}
	for i := range 1000 {
		if u.allow(now, crowdAddr(1+i)) {
			others++
		}
	}
	if one != statelessOfSource || others != statelessPerSecond-statelessOfSource {
		t.Errorf("%d answers to one source, %d to others", one, others)
	}
	if !u.allow(now.Add(time.Second), crowdAddr(0)) {
		t.Error("no answer a second later")
	}
}
