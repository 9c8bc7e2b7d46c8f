package sa

import (
	"slices"
	"testing"
	"time"
)

// When the peer is asked: after an interval without a sign of it in IKE or ESP, at once when something suggests that it has lost the
// SA, and while the mapping of a NAT is watched whatever is heard.
func TestWhenThePeerIsAsked(t *testing.T) {
	const delay = 30 * time.Second
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	never := time.Time{}
	for name, c := range map[string]struct {
		alive liveness
		every interval
		esp   time.Time
		next  time.Time // before anything is looked at
		due   bool      // at second 30
		after time.Time // next, afterwards
	}{
		"silence":               {liveness{lastHeard: at(0)}, interval{delay: delay}, never, at(30), true, at(30)},
		"not yet":               {liveness{lastHeard: at(1)}, interval{delay: delay}, never, at(31), false, at(31)},
		"ESP has come":          {liveness{lastHeard: at(0)}, interval{delay: delay}, at(20), at(30), false, at(50)},
		"ESP of long ago":       {liveness{lastHeard: at(0)}, interval{delay: delay}, at(-5), at(30), true, at(30)},
		"never":                 {liveness{lastHeard: at(0)}, interval{}, never, never, false, never},
		"suspicion":             {liveness{lastHeard: at(29), checkAt: at(30)}, interval{delay: delay}, at(30), at(30), true, at(59)},
		"suspicion, else never": {liveness{lastHeard: at(29), checkAt: at(30)}, interval{}, at(30), at(30), true, never},
		"a mapping":             {liveness{lastHeard: at(29)}, interval{delay, true, at(0)}, at(29), at(30), true, at(30)},
		"a mapping, asked":      {liveness{lastHeard: at(0)}, interval{delay, true, at(10)}, never, at(40), false, at(40)},
	} {
		l := c.alive
		if got := l.next(c.every); !got.Equal(c.next) {
			t.Errorf("%s: next at %s, want %s", name, got, c.next)
		}
		looked := 0
		got := l.due(at(30), c.every, func() time.Time { looked++; return c.esp })
		if got != c.due {
			t.Errorf("%s: due %v", name, got)
		}
		if after := l.next(c.every); !after.Equal(c.after) {
			t.Errorf("%s: next at %s afterwards, want %s", name, after, c.after)
		}
		if waits := at(30).Before(c.next) || c.next.IsZero(); waits && looked > 0 {
			t.Errorf("%s: the data plane is asked before the time has come", name)
		}
	}
}

// Anybody can send what makes a peer suspect: it is asked once in a while for that, however much of it comes.
func TestSuspicionsAreBounded(t *testing.T) {
	var l liveness
	asked := 0
	for s := range 60 {
		now := epoch.Add(time.Duration(s) * time.Second)
		l.suspect(now)
		if l.due(now, interval{}, func() time.Time { return now }) {
			asked++
		}
	}
	if want := int(time.Minute / suspectInterval); asked != want {
		t.Errorf("the peer is asked %d times a minute, want %d", asked, want)
	}
}

// A NAT mapping is kept open by whatever is sent, and by a packet of its own when nothing is.
func TestKeepaliveAfterSilence(t *testing.T) {
	l := liveness{lastSent: epoch}
	var sent []int
	for s := range 100 {
		if s == 30 {
			l.lastSent = epoch.Add(30 * time.Second)
		}
		if l.keepalive(epoch.Add(time.Duration(s)*time.Second), 20*time.Second) {
			sent = append(sent, s)
		}
	}
	if want := []int{20, 50, 70, 90}; !slices.Equal(sent, want) {
		t.Errorf("sent at %v, want %v", sent, want)
	}
}
