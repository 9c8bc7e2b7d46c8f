package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Exchanges have a line at level info, also the DELETE of a tunnel that ends; liveness checks have theirs at debug.
func TestExchangeLevels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("start")))
		settle(2 * time.Minute)
		a.stop()
		b.stop()
		levels := map[string]bool{}
		for line := range strings.Lines(a.log.String()) {
			if !strings.Contains(line, "exchange=INFORMATIONAL") || !strings.Contains(line, "made INFORMATIONAL") {
				continue
			}
			kind := "other"
			switch {
			case strings.Contains(line, "[ D ]"):
				kind = "delete"
			case strings.Contains(line, `[ ]" response=`):
				kind = "liveness"
			}
			level, _, _ := strings.Cut(line[strings.Index(line, "level="):], " ")
			levels[kind+" "+level] = true
		}
		for _, want := range []string{"delete level=INFO", "liveness level=DEBUG"} {
			if !levels[want] {
				t.Errorf("no line with %s; there are %v", want, levels)
			}
		}
		if levels["delete level=DEBUG"] || levels["liveness level=INFO"] {
			t.Errorf("levels: %v", levels)
		}
	})
}
