package proof

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"esplanade/bench/contest"
)

// Conditions are what the figures of a run depend on.
type Conditions struct {
	Began   time.Time
	load    string
	commit  string
	kernel  string
	cpu     string
	command string
}

// Look notes the conditions at the beginning of a run of a command line, for the checkout at root. What a system has no
// files about is left out.
func Look(ctx context.Context, root, line string) Conditions {
	c := Conditions{Began: time.Now(), command: line,
		kernel: runtime.GOOS, cpu: runtime.GOARCH, load: "unknown"}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		c.kernel = "Linux " + strings.TrimSpace(string(b))
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		if f := strings.Fields(string(b)); len(f) >= 3 {
			c.load = strings.Join(f[:3], " ")
		}
	}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				c.cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	c.commit = contest.CommitText(ctx, root)
	return c
}

// String is the paragraph at the end of a report.
func (c Conditions) String() string {
	return fmt.Sprintf("`%s`, %s: %d × %s, %s, %s; commit %s; load average at the start %s.\n", c.command,
		c.Began.UTC().Format("2006-01-02 15:04 MST"), runtime.NumCPU(), c.cpu, c.kernel, runtime.Version(), c.commit, c.load)
}
