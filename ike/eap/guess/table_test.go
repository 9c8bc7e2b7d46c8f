package guess

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/ike/eap"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// clock is a table with a time that tests move.
type clock struct {
	*testing.T
	table *Table
	now   time.Time
}

func newClock(t *testing.T) *clock { return &clock{t, NewTable(), noon} }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

func address(s string) netip.Addr { return netip.MustParseAddr(s) }

// wrong gives a wrong password. It returns the pause that it comes into, nil if it is compared.
func (c *clock) wrong(name, from string) *eap.Pause {
	_, p := c.table.From(address(from)).Try(c.now, name)
	return p
}

// right gives the right one.
func (c *clock) right(name, from string) *eap.Pause {
	right, p := c.table.From(address(from)).Try(c.now, name)
	if p == nil {
		right()
	}
	return p
}

// wantPause holds a pause to its kind, length and number of wrong passwords.
func (c *clock) wantPause(why string, p *eap.Pause, of eap.PauseOf, wrong int, left time.Duration) {
	c.Helper()
	if p == nil || *p != (eap.Pause{Of: of, Wrong: wrong, Left: left}) {
		c.Errorf("%s: pause %+v, want %d wrong ones of the %s and %s left", why, p, wrong, of, left)
	}
}

// TestPauses: five wrong passwords are free; then there are pauses of 2 s to a minute, in which nothing is compared, not even the right
// one, and which nobody makes longer; a right one forgets all of it.
func TestPauses(t *testing.T) {
	c := newClock(t)
	for i := range 5 {
		if p := c.wrong("alice", "192.0.2.1"); p != nil {
			t.Fatalf("the password %d comes into %+v", i+1, p)
		}
	}
	for i, pause := range []time.Duration{2, 4, 8, 16, 32, 60, 60, 60} {
		pause *= time.Second
		wrong := min(5+i, 10)
		c.wantPause("at once", c.right("alice", "192.0.2.1"), eap.PauseOfUser, wrong, pause)
		c.pass(pause - time.Millisecond)
		for range 20 {
			c.wantPause("at the end", c.wrong("alice", "192.0.2.1"), eap.PauseOfUser, wrong, time.Millisecond)
		}
		c.pass(time.Millisecond)
		if p := c.wrong("alice", "192.0.2.1"); p != nil {
			t.Fatalf("after pause %d: %+v", i+1, p)
		}
	}
	for _, elsewhere := range []struct{ name, from string }{{"bob", "192.0.2.1"}, {"alice", "192.0.2.2"}} {
		if p := c.right(elsewhere.name, elsewhere.from); p != nil {
			t.Errorf("%s from %s waits as well: %+v", elsewhere.name, elsewhere.from, p)
		}
	}
	c.pass(time.Minute)
	for range 2 { // the second time all has to be forgotten
		if p := c.right("alice", "192.0.2.1"); p != nil {
			t.Fatalf("after the pause the right one: %+v", p)
		}
		for i := range 5 {
			if p := c.wrong("alice", "192.0.2.1"); p != nil {
				t.Fatalf("after the right one the password %d: %+v", i+1, p)
			}
		}
		c.pass(2 * time.Second)
	}
	if s := c.table.stats; s.Right != 4 || s.Wrong != 5+8+10 || s.Refused != 8*21 {
		t.Errorf("%+v", s)
	}
}

// TestPausesAreForgotten: a wrong password is forgotten after ten minutes, one after the other.
func TestPausesAreForgotten(t *testing.T) {
	c := newClock(t)
	for range 5 {
		c.wrong("alice", "192.0.2.1")
	}
	c.pass(10 * time.Minute)
	if p := c.wrong("alice", "192.0.2.1"); p != nil {
		t.Fatalf("%+v", p)
	}
	c.wantPause("four and one", c.wrong("alice", "192.0.2.1"), eap.PauseOfUser, 5, 2*time.Second)
	c.pass(50 * time.Minute)
	c.wrong("mallory", "192.0.2.9")
	if n := len(c.table.users.byKey); n != 1 {
		t.Errorf("after 50 minutes %d users are known", n)
	}
}

// TestAttemptsAtOnce: attempts that are begun at once count before any of them has ended.
func TestAttemptsAtOnce(t *testing.T) {
	c := newClock(t)
	compared := 0
	for range 100 {
		if right, p := c.table.From(address("192.0.2.1")).Try(c.now, "alice"); p == nil {
			compared++
			defer right()
		}
	}
	if compared != 5 {
		t.Errorf("%d passwords are compared at once", compared)
	}
}

// TestRightTakesItsOwnBack: what was right leaves no mark on the name and the source, and takes no mark of others away.
func TestRightTakesItsOwnBack(t *testing.T) {
	c := newClock(t)
	for i := range 19 {
		c.wrong("alice", fmt.Sprintf("192.0.2.%d", i))
	}
	for i := range 40 {
		if p := c.right("alice", fmt.Sprintf("198.51.%d.1", i)); p != nil {
			t.Fatalf("right password %d: %+v", i, p)
		}
	}
	if p := c.wrong("alice", "203.0.113.1"); p != nil {
		t.Fatalf("the twentieth wrong one: %+v", p)
	}
	c.wantPause("the next one", c.right("alice", "203.0.113.2"), eap.PauseOfName, 20, 2*time.Second)
	// A right password within others' pause, from a network that is known, does not make it longer or shorter.
	if p := c.right("alice", "198.51.7.99"); p != nil {
		t.Fatalf("from a known network: %+v", p)
	}
	c.wantPause("still", c.right("alice", "203.0.113.2"), eap.PauseOfName, 20, 2*time.Second)
}

// TestManySources: those who guess one name from everywhere have a guess a minute together; whoever has come in from a network before does not
// wait for them; and one who is somewhere else for the first time does.
func TestManySources(t *testing.T) {
	c := newClock(t)
	if p := c.right("alice", "203.0.113.7"); p != nil {
		t.Fatal(p)
	}
	guesses := 0
	for i := range 3600 { // an hour, each second from somewhere else
		if p := c.wrong("alice", fmt.Sprintf("10.%d.%d.1", i/256, i%256)); p == nil {
			guesses++
		}
		if i%60 == 30 {
			if p := c.right("alice", "203.0.113.9"); p != nil { // the same network
				t.Fatalf("the user, after %d s: %+v", i, p)
			}
		}
		c.pass(time.Second)
	}
	if guesses < 60 || guesses > 20+5+60 {
		t.Errorf("%d guesses in an hour", guesses)
	}
	p := c.right("alice", "192.0.2.1")
	if p == nil || p.Of != eap.PauseOfName {
		t.Errorf("from a network that is new: %+v", p)
	}
	if p := c.right("bob", "10.0.0.1"); p != nil {
		t.Errorf("another user: %+v", p)
	}
	c.pass(knownTime)
	for i := range 20 {
		c.wrong("alice", fmt.Sprintf("10.0.%d.1", i))
	}
	if p := c.right("alice", "203.0.113.9"); p == nil || p.Of != eap.PauseOfName {
		t.Errorf("a month later the network is still known: %+v", p)
	}
}

// TestManyNames: one who tries many names has a guess a minute after sixty; users who are known there do not wait for it, and nobody elsewhere does.
func TestManyNames(t *testing.T) {
	for _, at := range []struct{ from, same, other string }{
		{"192.0.2.1", "192.0.2.1", "192.0.2.2"},
		{"2001:db8:1:2::3", "2001:db8:1:7::9", "2001:db8:2:2::3"},
	} {
		c := newClock(t)
		c.right("alice", at.from)
		guesses := 0
		for i := range 3600 {
			if p := c.wrong(fmt.Sprintf("user%d", i), at.from); p == nil {
				guesses++
			}
			c.pass(time.Second)
		}
		if guesses < 110 || guesses > 60+5+65 {
			t.Errorf("%s: %d guesses in an hour", at.from, guesses)
		}
		if p := c.right("alice", at.same); p != nil {
			t.Errorf("%s: a user who is known: %+v", at.from, p)
		}
		if p := c.right("bob", at.same); p == nil || p.Of != eap.PauseOfSource {
			t.Errorf("%s: one who is not: %+v", at.from, p)
		}
		if p := c.right("bob", at.other); p != nil {
			t.Errorf("%s: from elsewhere: %+v", at.from, p)
		}
	}
}

// TestSources: a /32 of IPv4 and a /64 of IPv6 are one source of a user, whatever the spelling.
func TestSources(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "::ffff:192.0.2.1", true}, {"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:1", true}, {"2001:db8:0:1::1", "2001:db8:0:2::1", false}, {"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		c := newClock(t)
		for range 5 {
			c.wrong("alice", tt.a)
		}
		if p := c.wrong("alice", tt.b); (p != nil) != tt.same {
			t.Errorf("%s and %s: %+v", tt.a, tt.b, p)
		}
	}
}

// TestNothingIsPushedOut: whoever fills the table with names that are made up, from many sources, does not have it forget a name that is guessed.
func TestNothingIsPushedOut(t *testing.T) {
	c := newClock(t)
	for range 9 {
		c.wrong("alice", "192.0.2.1")
		c.pass(time.Minute)
	}
	for i := range 3 * maxUsers {
		c.wrong(fmt.Sprintf("name%d", i), fmt.Sprintf("2001:db8:%x::1", i/8))
	}
	if p := c.wrong("alice", "192.0.2.1"); p != nil {
		t.Fatalf("%+v", p)
	}
	if p := c.wrong("alice", "192.0.2.1"); p == nil {
		t.Error("forgotten")
	}
	if u, n, s := len(c.table.users.byKey), len(c.table.names.byKey), len(c.table.sources.byKey); u > maxUsers || n > maxNames || s > maxSources {
		t.Errorf("%d users, %d names, %d sources", u, n, s)
	}
	for name, order := range map[string]int{"users": len(c.table.users.order), "names": len(c.table.names.order), "sources": len(c.table.sources.order)} {
		if known := map[string]int{"users": len(c.table.users.byKey), "names": len(c.table.names.byKey), "sources": len(c.table.sources.byKey)}[name]; known != order {
			t.Errorf("%s: %d by key, %d in order", name, known, order)
		}
	}
}

// TestNoOracle: which names exist shows in nothing that somebody without the password can see.
func TestNoOracle(t *testing.T) {
	c := newClock(t)
	c.right("alice", "203.0.113.7") // who has come in from elsewhere
	var seen [2][]string
	for i, name := range []string{"alice", "nobody"} {
		for range 200 {
			seen[i] = append(seen[i], fmt.Sprint(c.wrong(name, fmt.Sprintf("192.0.2.%d", i))))
			c.now = noon.Add(time.Duration(len(seen[i])) * 700 * time.Millisecond)
		}
		c.now = noon
	}
	if !slices.Equal(seen[0], seen[1]) {
		t.Errorf("alice\n%s\nnobody\n%s", strings.Join(seen[0], "\n"), strings.Join(seen[1], "\n"))
	}
}

// TestReport: the pauses that there are, those with most wrong passwords first.
func TestReport(t *testing.T) {
	c := newClock(t)
	for i := range 7 {
		for range 5 + i {
			c.wrong(fmt.Sprintf("user%d", i), "192.0.2.1")
			c.pass(time.Minute)
		}
	}
	for i := range 20 {
		c.wrong("alice", fmt.Sprintf("198.51.100.%d", i))
	}
	for range 3 {
		c.wrong("user6", "192.0.2.1") // the first one alone counts
	}
	r := c.table.Report(c.now)
	if r.Paused != [eap.Pauses]int{1, 1, 0} || len(r.Shown) != 2 {
		t.Fatalf("%+v", r)
	}
	if p := r.Shown[0]; p.Of != eap.PauseOfUser || p.Name != "user6" || p.Source != address("192.0.2.1") || p.Wrong != 10 || p.Left != time.Minute {
		t.Errorf("%+v", p)
	}
	if p := r.Shown[1]; p.Of != eap.PauseOfName || p.Name != "alice" || p.Source.IsValid() || p.Wrong != 20 || p.Left != 2*time.Second {
		t.Errorf("%+v", p)
	}
	if r.Wrong != 5+6+7+8+9+10+11+20+1 || r.Refused != 2 || r.Right != 0 {
		t.Errorf("%+v", r.Stats)
	}
	for i := range 200 {
		c.wrong(fmt.Sprintf("other%d", i%40), fmt.Sprintf("2001:db8:%d::1", i%40))
	}
	if r = c.table.Report(c.now); r.Paused[eap.PauseOfUser] <= maxShown || len(r.Shown) > int(eap.Pauses)*maxShown {
		t.Errorf("%v, and %d are shown", r.Paused, len(r.Shown))
	}
}

// TestTogether: goroutines use a table at the same time.
func TestTogether(t *testing.T) {
	table := NewTable()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			g := table.From(address(fmt.Sprintf("192.0.2.%d", i%2)))
			for range 500 {
				if right, p := g.Try(noon, "alice"); p == nil {
					right()
				}
				table.Report(noon)
			}
		})
	}
	all.Wait()
	if s := table.Report(noon).Stats; s.Right+s.Refused != 2000 || s.Wrong != 0 {
		t.Errorf("%+v", s)
	}
}
