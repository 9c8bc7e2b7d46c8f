package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// What counts as traffic without an answer: packets that ask for one, for long enough, and nothing that comes in.
func TestWhenNoAnswerIsRemarked(t *testing.T) {
	type look struct {
		at      int // seconds
		c       Counters
		again   int // seconds; 0: no
		remarks bool
	}
	for name, looks := range map[string][]look{
		"one-way UDP":             {{0, Counters{OutPackets: 1000}, 0, false}, {60, Counters{OutPackets: 2000}, 0, false}},
		"no traffic":              {{0, Counters{}, 0, false}, {60, Counters{}, 0, false}},
		"answered":                {{0, Counters{Asking: 3, InPackets: 3}, 0, false}, {60, Counters{Asking: 6, InPackets: 6}, 0, false}},
		"never answered":          {{0, Counters{Asking: 3}, 10, false}, {10, Counters{Asking: 3}, 0, true}, {40, Counters{Asking: 3}, 0, true}},
		"looked at soon again":    {{0, Counters{Asking: 3}, 10, false}, {4, Counters{Asking: 5}, 10, false}, {10, Counters{Asking: 9}, 0, true}},
		"answered late":           {{0, Counters{Asking: 3}, 10, false}, {10, Counters{Asking: 3, InPackets: 1}, 0, false}, {60, Counters{Asking: 3, InPackets: 1}, 0, false}},
		"answered after a remark": {{0, Counters{Asking: 3}, 10, false}, {10, Counters{Asking: 3}, 0, true}, {20, Counters{Asking: 4, InPackets: 1}, 0, false}},
		"no answer any more": {
			{0, Counters{Asking: 3, InPackets: 3}, 0, false}, {30, Counters{Asking: 5, InPackets: 3}, 40, false}, {40, Counters{Asking: 5, InPackets: 3}, 0, true},
		},
		"replaced, and never answered": {
			{0, Counters{Asking: 30}, 10, false}, {10, Counters{Asking: 30}, 0, true}, {20, Counters{Asking: 2}, 0, true},
		},
		"no answer any more, and replaced": {
			{0, Counters{Asking: 3, InPackets: 3}, 0, false}, {30, Counters{Asking: 5, InPackets: 3}, 40, false}, {40, Counters{Asking: 5, InPackets: 3}, 0, true},
			{70, Counters{}, 0, true}, {100, Counters{Asking: 2}, 0, true}, {130, Counters{Asking: 3, InPackets: 1}, 0, false},
		},
		"one of two replaced": {
			{0, Counters{OutPackets: 900, Asking: 9, InPackets: 9}, 0, false}, {30, Counters{OutPackets: 90, Asking: 4, InPackets: 9}, 0, false}, {60, Counters{OutPackets: 99, Asking: 4, InPackets: 9}, 0, false},
		},
		"replaced, and not asked since": {{0, Counters{Asking: 9, InPackets: 9}, 0, false}, {30, Counters{OutPackets: 4}, 0, false}, {60, Counters{OutPackets: 9}, 0, false}},
	} {
		var w espWatch
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, l := range looks {
			again := w.look(start.Add(time.Duration(l.at)*time.Second), l.c)
			got := 0
			if !again.IsZero() {
				got = int(again.Sub(start).Seconds())
			}
			if got != l.again || (w.remark != nil) != l.remarks {
				t.Errorf("%s, second %d: again at %d, remark %v", name, l.at, got, w.remark)
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
		settle(29*time.Second + 10*time.Second + 2*time.Second) // dpd_delay, and what an answer may take
		for n, name := range map[*node]string{a: "b/net", b: "a/net"} {
			h := n.child(name)
			if !h.Up() || !h.Remarked(diag.CodeESPOneWay) || len(h.Remarks) != 1 {
				t.Fatalf("%s: %s, %+v\n%s", name, h.Phase, h.Remarks, n.log)
			}
			text := h.Remarks[0].Failure.Error()
			for _, want := range []string{"E-ESP-ONEWAY " + name, "10 packets, 4 of which", "since the SA was made", "protocol 50", "encap = true"} {
				if !strings.Contains(text, want) {
					t.Errorf("%s: no %q in %s", name, want, text)
				}
			}
			if last := n.last(name[:1]); last != nil {
				t.Errorf("%s: taken for a failure: %v", name, last)
			}
		}
		settle(10 * time.Minute)
		for _, n := range []*node{a, b} {
			if c := strings.Count(n.log.String(), `msg="`+string(diag.CodeESPOneWay)); c != 1 {
				t.Errorf("said %d times", c)
			}
		}
		carry(Counters{OutPackets: 10, Asking: 4, InPackets: 1})
		for n, name := range map[*node]string{a: "b/net", b: "a/net"} {
			if h := n.child(name); h.Remarked(diag.CodeESPOneWay) {
				t.Errorf("%s: %+v although a packet has come in", name, h.Remarks)
			}
		}
		settle(time.Minute)
		for _, n := range []*node{a, b} {
			if !strings.Contains(n.log.String(), "ESP comes in again") {
				t.Error("that it comes in again is not in the log")
			}
		}
		carry(Counters{OutPackets: 20, Asking: 9, InPackets: 1})
		settle(2 * time.Minute)
		carry(Counters{}) // the SAs have been replaced
		for range 2 {
			for n, name := range map[*node]string{a: "b/net", b: "a/net"} {
				if h := n.child(name); !h.Remarked(diag.CodeESPOneWay) || !strings.Contains(h.Remarks[0].Failure.Error(), "10 packets, 5 of which") {
					t.Errorf("%s: %+v after its SA was replaced", name, h.Remarks)
				}
				if c := strings.Count(n.log.String(), "ESP comes in again"); c != 1 {
					t.Errorf("%s: it is said %d times that it comes in again", name, c)
				}
			}
			settle(2 * time.Minute)
		}
		a.stop()
		b.stop()
	})
}
