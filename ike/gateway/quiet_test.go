package gateway

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A peer is away for a day, and a packet for it comes every second. The first attempt has its lines; after it the failure counts, and
// nothing else is said until the peer is back.
func TestLogWhilePeerIsAway(t *testing.T) {
	for _, action := range []string{"start", "trap"} {
		t.Run(action, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				log := &logBuffer{}
				a := f.start(addrA, toml("", left(action)), func(o *rigOptions) { o.Logger = slog.New(slog.NewTextHandler(log, nil)) })
				const away = 24 * time.Hour
				for end := time.Now().Add(away); time.Now().Before(end); settle(time.Minute) {
					a.d.Acquire(a.policy("b/net"), packetTo("10.1.0.5", "10.2.0.5"))
				}
				text := log.String()
				for what, most := range map[string]int{"\n": 60, "traffic triggers the tunnel": 1, "next attempt": 1, "msg=connecting": 1} {
					if n := strings.Count(text, what); n > most {
						t.Errorf("%d times %q, want %d at most\n%s", n, what, most, text)
					}
				}
				if !strings.Contains(text, "msg=connecting") || !strings.Contains(text, "(×") {
					t.Errorf("the beginning is not said, or nothing is counted\n%s", text)
				}
				b := f.start(addrB, toml("", right("none")))
				before := len(text)
				for end := time.Now().Add(5 * time.Minute); time.Now().Before(end) && !a.child("b/net").Up(); settle(time.Second) {
					a.d.Acquire(a.policy("b/net"), packetTo("10.1.0.5", "10.2.0.5"))
				}
				wantUp(t, a, b)
				for _, what := range []string{"IKE SA established", "child net is up"} {
					if !strings.Contains(log.String()[before:], what) {
						t.Errorf("the peer is back, and no line has %q\n%s", what, log.String()[before:])
					}
				}
				stopAll(t, a, b)
			})
		})
	}
}
