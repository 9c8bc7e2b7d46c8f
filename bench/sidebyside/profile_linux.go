package sidebyside

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"esplanade/bench/iperf"
	"esplanade/bench/report"
	"esplanade/integration/lab"
)

const (
	// perfSeconds is how long is recorded, within a longer TCP test.
	perfSeconds = 3
	// perfRate is in samples a second and CPU. A prime does not keep step with timers.
	perfRate = "997"
	// perfLines bounds the profile.
	perfLines = 60
)

// profile records what all CPUs do while Esplanade carries one TCP stream, after the rounds, and writes what it finds next to the
// results. Virtual machines have no cycle counters, so it goes by the clock.
func (s *session) profile(ctx context.Context, wire report.Wire) error {
	if _, err := lab.LookPath("perf"); err != nil {
		return fmt.Errorf("%w (Debian: linux-perf)", err)
	}
	for _, c := range s.entrants {
		if c.Key != report.KeyEsplanade {
			continue
		}
		s.say("profile, %s", wire.Title())
		m := &measurement{session: s, wire: wire, contestant: c}
		defer m.close()
		if err := m.open(ctx); err != nil {
			return err
		}
		return m.record(ctx)
	}
	return fmt.Errorf("%s takes no part", report.KeyEsplanade)
}

func (m *measurement) record(ctx context.Context) error {
	type result struct {
		r   iperf.Result
		err error
	}
	carried := make(chan result, 1)
	go func() {
		r, _, _, err := m.tcp(ctx, iperf.Test{Duration: (perfSeconds + 2) * time.Second, WarmUp: warmUp})
		carried <- result{r, err}
	}()
	select {
	case x := <-carried:
		return fmt.Errorf("the test has ended early: %v", x.err)
	case <-time.After(warmUp + time.Second):
	}
	data := filepath.Join(m.lab.Dir, "perf.data")
	_, _, err := m.lab.A.Output(ctx, lab.Command{Args: []string{"perf", "record", "-q", "-a", "-F", perfRate, "-e", "cpu-clock", "-o", data,
		"--", "sleep", strconv.Itoa(perfSeconds)}})
	x := <-carried
	if err != nil {
		return err
	}
	if x.err != nil {
		return x.err
	}
	// By process and by function: two reports of the same data.
	var text strings.Builder
	fmt.Fprintf(&text, "Esplanade, one TCP stream, %s, %.2f Gbit/s, %d s of all CPUs by the clock; commit %s\n", m.wire.Title(), x.r.BitsPerSecond/giga, perfSeconds, m.results.Conditions.Commit)
	for _, sort := range []string{"comm", "comm,symbol"} {
		out, _, err := m.lab.A.Output(ctx, lab.Command{Args: []string{"perf", "report", "-i", data, "--stdio", "--sort", sort, "--percent-limit", "0.3"}})
		if err != nil {
			return err
		}
		text.WriteString("\n")
		lines := 0
		for line := range strings.Lines(string(out)) {
			if line = strings.TrimRight(line, " \n"); line != "" && !strings.HasPrefix(line, "#") && lines < perfLines {
				text.WriteString(line + "\n")
				lines++
			}
		}
	}
	return os.WriteFile(filepath.Join(m.Out, fmt.Sprintf("profile-%s.txt", m.wire)), []byte(text.String()), 0o644)
}
