package gateway

import (
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A peer has linesAtOnce lines, and linesPerSecond in the long run. What it was not given is counted, another peer has its own
// lines, and however many peers there are, memory is bounded.
func TestTalk(t *testing.T) {
	x := talk{now: time.Unix(1e9, 0)}
	lines := func(peer string, tries int) (n int) {
		for range tries {
			if _, ok := x.allow("of "+peer, peer); ok {
				n++
			}
		}
		return n
	}
	if n := lines("a", linesAtOnce+70); n != linesAtOnce {
		t.Errorf("%d lines at once", n)
	}
	if n := lines("b", 5); n != 5 {
		t.Errorf("another peer has %d of 5 lines", n)
	}
	x.now = x.now.Add(10 * time.Second)
	if unsaid, ok := x.allow("of a", "a"); !ok || unsaid != 70 {
		t.Errorf("ten seconds later: %v, %d not logged", ok, unsaid)
	}
	if n := lines("a", 1000); n != 10*linesPerSecond-1 {
		t.Errorf("%d more lines in ten seconds", n)
	}
	for n := range 2 * maxTalkers {
		x.allow("many", strconv.Itoa(n))
	}
	if len(x.peers) > maxTalkers {
		t.Errorf("%d peers are remembered", len(x.peers))
	}
	if n := lines("late", 3*linesAtOnce); n > linesAtOnce {
		t.Errorf("those there is no room for have %d lines", n)
	}
	logged := 0
	for n := range 3 * connLinesAtOnce {
		if _, ok := x.allow("pattern", strconv.Itoa(n%maxTalkers)); ok {
			logged++
		}
	}
	if logged == 0 || logged > connLinesAtOnce {
		t.Errorf("a connection has %d lines, of many identities", logged)
	}
	x.now = x.now.Add(linesAtOnce / linesPerSecond * time.Second / 2)
	if lines("new", 1); len(x.peers) != 2 { // a, which has used up its lines, is the other
		t.Errorf("%d peers are remembered when nearly all have been quiet", len(x.peers))
	}
}

// A peer that renews its CHILD SAs without end gets no more lines than it may have; the next that it gets says how many it has
// missed. Nothing else depends on it: the CHILD SAs are renewed.
func TestPeersLinesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		log := &logBuffer{}
		b := f.start(addrB, toml("", right("none")), func(o *rigOptions) { o.Logger = slog.New(slog.NewTextHandler(log, nil)) })
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		renew := func() string {
			t.Helper()
			before := len(log.String())
			if n, err := a.d.Rekey(t.Context(), Target{Child: "net"}); n != 1 || err != nil {
				t.Fatalf("%d rekeyed, %v", n, err)
			}
			settle(15 * time.Second) // the old one stays for a while
			if n := paired(t, a, b); n != 1 {
				t.Fatalf("%d children", n)
			}
			return log.String()[before:]
		}
		if log := renew(); !strings.Contains(log, "rekeyed child net") || strings.Contains(log, "not_logged") {
			t.Errorf("the log: %s", log)
		}
		b.d.turn(func(now time.Time) {
			if len(b.d.talk.peers) != 1 {
				t.Errorf("%d peers", len(b.d.talk.peers))
			}
			for _, s := range b.d.talk.peers {
				s.lines, s.at = linesAtOnce+300, now
			}
		})
		if log := renew(); log != "" {
			t.Errorf("no line is left, and the log has: %s", log)
		}
		settle(time.Minute)
		if log := renew(); !strings.Contains(log, "rekeyed child net") || !strings.Contains(log, "not_logged=") {
			t.Errorf("a minute later: %s", log)
		}
		a.stop()
		b.stop()
	})
}
