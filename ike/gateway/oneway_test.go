package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// What counts as traffic without an answer: enough packets that ask for one, for long enough, and nothing that comes in.
func TestWhenNoAnswerIsRemarked(t *testing.T) {
	type look struct {
		at      int // seconds
		c       Counters
		sa      uint64
		again   int // seconds; 0: no
		remarks bool
	}
	asked := func(n uint64) Counters { return Counters{OutPackets: n, Asking: n} }
	proven := func(n uint64) Counters { return Counters{OutPackets: n, Asking: n, InPackets: 3} }
	for name, looks := range map[string][]look{
		"one-way UDP":             {{0, Counters{OutPackets: 1000}, 1, 0, false}, {60, Counters{OutPackets: 2000}, 1, 0, false}},
		"no traffic":              {{0, Counters{}, 1, 0, false}, {60, Counters{}, 1, 0, false}},
		"answered":                {{0, Counters{Asking: 30, InPackets: 3}, 1, 0, false}, {60, Counters{Asking: 60, InPackets: 6}, 1, 0, false}},
		"never answered":          {{0, asked(7), 1, 10, false}, {10, asked(8), 1, 0, true}, {40, asked(8), 1, 0, true}},
		"a few packets":           {{0, asked(3), 1, 10, false}, {10, asked(7), 1, 0, false}, {40, asked(8), 1, 0, true}},
		"at once, and no more":    {{0, asked(100), 1, 10, false}, {10, asked(100), 1, 0, false}, {40, asked(100), 1, 0, false}},
		"looked at soon again":    {{0, asked(30), 1, 10, false}, {4, asked(50), 1, 10, false}, {10, asked(90), 1, 0, true}},
		"answered late":           {{0, asked(30), 1, 10, false}, {10, Counters{Asking: 40, InPackets: 1}, 1, 0, false}, {60, Counters{Asking: 40, InPackets: 1}, 1, 0, false}},
		"answered after a remark": {{0, asked(30), 1, 10, false}, {10, asked(40), 1, 0, true}, {20, Counters{OutPackets: 44, Asking: 44, InPackets: 1}, 1, 0, false}},
		"not asked any more": {
			{0, asked(30), 1, 10, false}, {10, asked(40), 1, 0, true}, {189, asked(40), 1, 0, true}, {190, asked(40), 1, 0, false},
			{220, asked(41), 1, 230, false}, {230, asked(49), 1, 0, true},
		},
		"a ping now and then": {
			{0, asked(1), 1, 10, false}, {180, asked(1), 1, 0, false}, {360, asked(9), 1, 370, false}, {540, asked(9), 1, 0, false}, {720, asked(17), 1, 730, false},
		},
		"one host of a proven tunnel is off": {
			{0, proven(0), 1, 0, false}, {30, proven(7), 1, 40, false}, {40, proven(17), 1, 0, false}, {70, proven(27), 1, 0, false}, {100, proven(29), 1, 0, false},
		},
		"no answer any more": {
			{0, proven(0), 1, 0, false}, {30, proven(30), 1, 40, false}, {40, proven(40), 1, 0, false}, {70, proven(70), 1, 0, false}, {100, proven(100), 1, 0, true},
		},
		"replaced, and never answered": {
			{0, asked(30), 1, 10, false}, {10, asked(40), 1, 0, true}, {20, asked(42), 2, 0, false}, {25, asked(2), 2, 0, false},
			{40, asked(3), 2, 50, false}, {50, asked(11), 2, 0, true},
		},
		"replaced, after ESP had come in": {
			{0, proven(0), 1, 0, false}, {30, asked(1), 2, 0, false}, {60, asked(20), 2, 70, false}, {70, asked(30), 2, 0, false}, {100, asked(40), 2, 0, false}, {130, asked(50), 2, 0, true},
		},
		"one of two replaced": {
			{0, Counters{OutPackets: 900, Asking: 9, InPackets: 9}, 2, 0, false}, {30, Counters{OutPackets: 90, Asking: 4, InPackets: 9}, 2, 0, false}, {60, Counters{OutPackets: 99, Asking: 4, InPackets: 9}, 2, 0, false},
		},
	} {
		var w espWatch
		var last time.Time
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, l := range looks {
			more := l.c.Asking != w.seen
			again, _ := w.look(start.Add(time.Duration(l.at)*time.Second), l.c, l.sa)
			got := 0
			if !again.IsZero() {
				got = int(again.Sub(start).Seconds())
			}
			if got != l.again || (w.remark != nil) != l.remarks {
				t.Errorf("%s, second %d: again at %d, remark %v", name, l.at, got, w.remark)
			}
			if w.remark != nil {
				if !more && w.remark.Last != last {
					t.Errorf("%s, second %d: it happened at %s, and nothing was asked since %s", name, l.at, w.remark.Last, last)
				}
				last = w.remark.Last
			}
		}
	}
}

// A tunnel through which nothing comes although packets ask for answers says so at both ends, and stays up. What comes in ends that.
func TestOneWayESP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		l, r := left("start"), right("none")
		l.extra, r.extra = "encap = false\nmobike = false", "encap = false\nmobike = false"
		b := f.start(addrB, toml("", r))
		a := f.start(addrA, toml("", l))
		settle(time.Second)
		wantUp(t, a, b)
		carry := func(c Counters) {
			for _, n := range []*node{a, b} {
				n.plane.mu.Lock()
				n.plane.traffic = c
				n.plane.mu.Unlock()
			}
		}
		carry(Counters{OutPackets: 10, Asking: 4})
		settle(29*time.Second + 5*time.Second) // dpd_delay, and a first look
		carry(Counters{OutPackets: 20, Asking: 12})
		settle(7 * time.Second) // and what an answer may take
		for n, name := range map[*node]string{a: "b/net", b: "a/net"} {
			h := n.child(name)
			if !h.Up() || !h.Remarked(diag.CodeESPOneWay) || len(h.Remarks) != 1 {
				t.Fatalf("%s: %s, %+v\n%s", name, h.Phase, h.Remarks, n.log)
			}
			text := h.Remarks[0].Failure.Error()
			for _, want := range []string{"E-ESP-ONEWAY " + name, "20 packets, 12 of which", "since the SA was made", "protocol 50", "encap = true"} {
				if !strings.Contains(text, want) {
					t.Errorf("%s: no %q in %s", name, want, text)
				}
			}
			if last := n.last(name[:1]); last != nil {
				t.Errorf("%s: taken for a failure: %v", name, last)
			}
		}
		logged := func(text string, want int) {
			t.Helper()
			for _, n := range []*node{a, b} {
				if c := strings.Count(n.log.String(), text); c != want {
					t.Errorf("%q is %d times in the log, want %d", text, c, want)
				}
			}
		}
		remarked := func(want bool) {
			t.Helper()
			for n, name := range map[*node]string{a: "b/net", b: "a/net"} {
				if h := n.child(name); h.Remarked(diag.CodeESPOneWay) != want {
					t.Errorf("%s: %+v", name, h.Remarks)
				}
			}
		}
		asks := func(c Counters, looks int) {
			for range looks {
				c.OutPackets, c.Asking = c.OutPackets+10, c.Asking+10
				carry(c)
				settle(45 * time.Second)
			}
		}
		asks(Counters{OutPackets: 20, Asking: 12}, 10)
		remarked(true)
		logged(`msg="`+string(diag.CodeESPOneWay), 1)
		carry(Counters{OutPackets: 200, Asking: 112, InPackets: 1})
		remarked(false)
		settle(time.Minute)
		logged("ESP comes in again", 1)

		// A ping or two after ESP has come in are no reason for a remark; many are, until the SA is replaced or nobody asks any more.
		asks(Counters{OutPackets: 200, Asking: 112, InPackets: 1}, 2)
		remarked(false)
		asks(Counters{OutPackets: 220, Asking: 132, InPackets: 1}, 6)
		remarked(true)
		for n, name := range map[*node]string{a: "b/net", b: "a/net"} {
			if text := n.child(name).Remarks[0].Failure.Error(); !strings.Contains(text, "no more ESP that arrived") {
				t.Errorf("%s: ESP has come in before: %s", name, text)
			}
		}
		carry(Counters{})
		remarked(false)
		settle(time.Minute)
		logged("was replaced", 1)
		asks(Counters{}, 6)
		remarked(true)
		carry(Counters{}) // the SA is replaced, and no look has seen that yet
		remarked(false)
		carry(Counters{OutPackets: 60, Asking: 60})
		remarked(true)
		settle(oneWayMemory + time.Minute)
		remarked(false)
		logged("nothing has asked", 1)
		logged("ESP comes in again", 1)
		a.stop()
		b.stop()
	})
}
