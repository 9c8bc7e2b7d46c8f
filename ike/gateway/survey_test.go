package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// A survey of many connections is made in turns. It has each of them once, also when a reload comes in between.
func TestSurveyTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		some := func(n int) string {
			var list []conn
			for i := range n {
				name := fmt.Sprintf("c%03d", i)
				list = append(list, conn{name: name, local: addrB, remote: fmt.Sprintf("198.51.100.%d", i), localID: "b.example", remoteID: name + ".example",
					children: []kid{{"net", "10.0.0.0/24", fmt.Sprintf("10.1.%d.0/24", i), "none", ""}}})
			}
			return toml("", list...)
		}
		const many, few = 3 * surveyTurn / 2, surveyTurn + surveyTurn/4
		b := newFabric(t).start(addrB, some(many))
		turn := func(f func(now time.Time)) {
			t.Helper()
			if err := b.d.call(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		var s *Survey
		more, turns, had := true, 0, 0
		for more {
			turn(func(now time.Time) {
				if s == nil {
					s = b.d.Manager.Survey()
				}
				more = s.Continue()
			})
			n := len(s.info.Conns)
			if n-had > surveyTurn {
				t.Errorf("a turn has copied %d connections", n-had)
			}
			had = n
			if turns++; turns == 1 {
				if had == 0 || !more {
					t.Fatalf("after the first turn: %d connections, more: %v", had, more)
				}
				turn(func(now time.Time) { b.d.Manager.Reload(now, parse(t, some(few))) })
				had = 0
			}
		}
		seen := map[string]bool{}
		for _, c := range s.Info().Conns {
			seen[c.Conf.Name] = true
		}
		if len(seen) != few || len(s.Info().Conns) != few {
			t.Errorf("%d connections, %d of them different, want %d", len(s.Info().Conns), len(seen), few)
		}
		b.stop()
	})
}

// A child that comes up clears its own failure, and leaves that of its sibling.
func TestSiblingFailureStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		l := left("start")
		l.children = append([]kid{{"away", "10.1.0.0/16", "10.9.0.0/16", "start", ""}}, l.children...)
		a, b := f.start(addrA, toml("", l)), f.start(addrB, toml("", right("none")))
		settle(3 * time.Second)
		if i := a.child("b/net"); !i.Up() || i.Last != nil {
			t.Errorf("the child that is up: %+v", i)
		}
		if i := a.child("b/away"); i.Up() || i.Last == nil || i.Last.Failure.Code != diag.CodeTS {
			t.Errorf("its sibling: %+v", i)
		}
		// Each attempt has the line of its failure counted, and none of its own but the first.
		settle(10 * time.Minute)
		for line := range strings.Lines(a.log.String()) {
			if strings.Contains(line, "level=INFO") && strings.Contains(line, "made CREATE_CHILD_SA") && !strings.Contains(line, "message_id=2 ") && !strings.Contains(line, "message_id=1 ") {
				t.Errorf("a line for a repeated attempt: %s", line)
			}
		}
		stopAll(t, a, b)
	})
}
