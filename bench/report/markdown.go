package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"esplanade/bench/document"
	"esplanade/bench/stats"
)

// column is a metric in a table.
type column struct {
	metric Metric
	title  string
	format func(float64) string
}

func throughput() []column {
	return []column{
		{TCP1, "TCP, 1 stream", two}, {TCP8, "TCP, 8 streams", two}, {TCPReverse, "reverse", two}, {TCPBidir, "both ways, sum", two},
	}
}

func udpColumns() []column {
	return []column{{UDP64, "64 B", kilo}, {UDP512, "512 B", kilo}, {UDP1400, "1400 B", kilo}}
}

func latency() []column {
	return []column{
		{IdleP50, "idle p50", micro}, {IdleP99, "idle p99", micro},
		{HalfP50, "half load p50", micro}, {HalfP99, "half load p99", micro},
		{SameP50, "same load p50", micro}, {SameP99, "same load p99", micro},
	}
}

func cost() []column {
	return []column{
		{CPUSealer, "gateway at the sender", two}, {CPUOpener, "gateway at the receiver", two}, {CPUClient, "iperf3, sender", two},
		{CPUServer, "iperf3, receiver", two}, {CPUMachine, "whole machine", two}, {RSS, "RSS of a gateway, MB", whole},
	}
}

func two(x float64) string   { return strconv.FormatFloat(x, 'f', 2, 64) }
func whole(x float64) string { return strconv.FormatFloat(x, 'f', 0, 64) }
func kilo(x float64) string  { return strconv.FormatFloat(x/1e3, 'f', 1, 64) }
func micro(x float64) string {
	if x >= lostRoundTrip {
		return "lost"
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}

// Markdown writes the whole report.
func (r *Results) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Side by side, %s\n\n", r.Conditions.Started.UTC().Format("2006-01-02"))
	b.WriteString(r.summary())
	r.targets(&b)
	for _, wire := range r.wires() {
		fmt.Fprintf(&b, "\n## %s\n", capital(wire.Title()))
		r.table(&b, wire, "TCP, Gbit/s of payload", throughput())
		r.table(&b, wire, "UDP, highest rate with at most 0.1 % loss, thousand packets a second; the size is that of the IP packet", udpColumns())
		r.table(&b, wire, r.latencyTitle(wire), latency())
		r.table(&b, wire, "CPU seconds for each GB of the single TCP stream, by process", cost())
	}
	r.contestants(&b)
	r.conditions(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// summary says what the tables are.
func (r *Results) summary() string {
	return fmt.Sprintf(`Medians of %s in interleaved order, and in brackets the least and the greatest. Both gateways and both endpoints share
%d CPUs (%s), so the figures say how much work a packet is, not what a network card can do. [How it is measured](../README.md).

![TCP throughput](throughput.svg)
`, plural(r.Conditions.Runs, "run"), r.Conditions.CPUs, r.Conditions.CPU)
}

func (r *Results) latencyTitle(w Wire) string {
	s := "Round trip, µs. Half load is half of the contestant's own single TCP stream"
	if ref := r.Conditions.Reference[w]; ref > 0 {
		s += fmt.Sprintf("; same load is %s Gbit/s for everyone who carries it, half of what wireguard-go does", two(ref))
	}
	return s
}

// targets is the table of ratios.
func (r *Results) targets(b *strings.Builder) {
	wires := r.wires()
	head := []string{"comparison"}
	for _, w := range wires {
		head = append(head, w.Title(), "target")
	}
	table := document.NewTable(head...)
	for _, t := range targets() {
		row := []string{t.What}
		for _, w := range wires {
			v := t.judge(r, w)
			row = append(row, ratio(v.Ratio), t.goal(v))
		}
		table.Row(row...)
	}
	fmt.Fprintf(b, "\n## Ratios\n\nRatios of medians, in brackets the least and the greatest ratio within one round.\n\n%s", table)
}

func ratio(r stats.Ratio) string {
	switch {
	case !r.Ok:
		return "not measured"
	case r.Low == r.High:
		return two(r.Value)
	}
	return fmt.Sprintf("%s (%s–%s)", two(r.Value), two(r.Low), two(r.High))
}

func (t target) goal(v verdict) string {
	if !v.HasGoal {
		return "–"
	}
	sign := "≥"
	if t.AtMost {
		sign = "≤"
	}
	s := fmt.Sprintf("%s %s", sign, strconv.FormatFloat(v.Goal, 'g', -1, 64))
	switch {
	case !v.Ok:
		return s
	case v.Reached:
		return s + ", reached"
	}
	return s + ", **not reached**"
}

// table writes the medians of some metrics of all contestants that have any.
func (r *Results) table(b *strings.Builder, w Wire, title string, cols []column) {
	head := []string{""}
	for _, col := range cols {
		head = append(head, col.title)
	}
	table, found := document.NewTable(head...), false
	for _, c := range r.Contestants {
		row, any := []string{c.Title}, false
		for _, col := range cols {
			s := stats.Summarise(slices.Collect(maps.Values(r.values(w, c.Key, col.metric))))
			any = any || s.N > 0
			row = append(row, cell(s, col.format))
		}
		if any {
			table.Row(row...)
			found = true
		}
	}
	if found {
		fmt.Fprintf(b, "\n%s:\n\n%s", title, table)
	}
}

func cell(s stats.Summary, format func(float64) string) string {
	switch s.N {
	case 0:
		return ""
	case 1:
		return format(s.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", format(s.Median), format(s.Min), format(s.Max))
}

func (r *Results) contestants(b *strings.Builder) {
	table := document.NewTable("", "version", "cipher", "inner MTU")
	for _, c := range r.Contestants {
		version := c.Version
		if c.Skipped != "" {
			version = "not run: " + c.Skipped
		}
		table.Row(c.Title, version, c.Cipher, strconv.Itoa(c.MTU))
	}
	fmt.Fprintf(b, "\n## Contestants\n\n%s", table)
	for _, c := range r.Contestants {
		if c.Details != "" {
			fmt.Fprintf(b, "\n%s says of itself:\n\n```\n%s\n```\n", c.Title, strings.TrimRight(c.Details, "\n"))
		}
	}
}

func (r *Results) conditions(b *strings.Builder) {
	c := &r.Conditions
	commit := c.Commit
	if c.Uncommitted {
		commit += ", with changes that are not committed"
	}
	table := document.NewTable("", "")
	table.Row("commit", commit)
	table.Row("time", c.Started.UTC().Format("2006-01-02 15:04")+" to "+c.Ended.UTC().Format("15:04 MST"))
	table.Rowf("CPU | %d × %s%s", c.CPUs, c.CPU, map[bool]string{true: ", a virtual machine"}[c.Hypervisor])
	table.Row("memory", c.Memory)
	table.Row("kernel", c.Kernel)
	table.Row("Go", c.Go)
	for _, k := range slices.Sorted(maps.Keys(c.Tools)) {
		table.Row(k, c.Tools[k])
	}
	table.Rowf("durations | TCP %g s after one second of warm-up, UDP probes %g s, pings %g s", c.TCPSeconds, c.ProbeSeconds, c.PingSeconds)
	table.Row("load average at the start", c.LoadAverage)
	for _, k := range slices.Sorted(maps.Keys(c.Sysctls)) {
		table.Row(k, c.Sysctls[k])
	}
	for _, w := range r.wires() {
		if o := c.Offloads[w]; len(o) > 0 {
			table.Row("veth, "+w.Title(), strings.Join(o, ", "))
		}
	}
	table.Row("command", "`"+strings.Join(c.Command, " ")+"`")
	fmt.Fprintf(b, "\n## Conditions\n\n%s", table)
	if len(r.Failures) == 0 {
		return
	}
	b.WriteString("\nMeasurements that failed:\n\n")
	for _, f := range r.Failures {
		fmt.Fprintf(b, "* run %d, %s, %s, %s: %s\n", f.Run, f.Wire.Title(), r.Title(f.Contestant), f.What, oneLine(f.Error))
	}
}

// oneLine makes an error fit a list.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return s
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
