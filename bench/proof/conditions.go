package proof

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"time"

	"esplanade/bench/contest"
	"esplanade/integration/lab"
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
	c := Conditions{Began: time.Now(), command: line, kernel: runtime.GOOS, cpu: cmp.Or(lab.ProcField("cpuinfo", "model name"), runtime.GOARCH),
		load: cmp.Or(lab.LoadAverage(), "unknown")}
	if k := lab.Kernel(); k != "" {
		c.kernel = "Linux " + k
	}
	c.commit = contest.CommitText(ctx, root)
	return c
}

// String is the paragraph at the end of a report.
func (c Conditions) String() string {
	return fmt.Sprintf("`%s`, %s: %d × %s, %s, %s; commit %s; load average at the start %s.\n", c.command,
		c.Began.UTC().Format("2006-01-02 15:04 MST"), runtime.NumCPU(), c.cpu, c.kernel, runtime.Version(), c.commit, c.load)
}
