// Command sidebyside compares Esplanade with the programs that people would use instead, on one machine, between two network
// namespaces of its own. It needs root and Linux:
//
//	go run ./bench/sidebyside            # everything, five runs
//	go run ./bench/sidebyside -quick     # one short run, to see that it works
//	go run ./bench/sidebyside -again     # only the report, from the figures of the last run
//
// The results go to bench/results: results.json has everything, README.md and throughput.svg are made from it. Package
// bench has the picture.
package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/report"
)

// options are the flags.
type options struct {
	runs    int
	quick   bool
	profile bool
	again   bool // only the report, from the figures of an earlier run
	only    []string
	wires   []report.Wire
	what    []string
	out     string
	tcp     time.Duration // of each TCP test, after warm-up
	probe   time.Duration // of each attempt at a UDP rate
	ping    time.Duration // of each latency measurement
	command []string
}

// What can be measured.
const (
	whatTCP     = "tcp"
	whatUDP     = "udp"
	whatLatency = "latency"
)

// contestantKeys are all that there are, in the order of tables.
func contestantKeys() []string {
	return []string{report.KeyVeth, report.KeySwan, report.KeyWireGuard, report.KeyEsplanade, report.KeyAES256, report.KeyNull}
}

// title is what a contestant is called; empty for a key that there is not.
func title(key string) string {
	switch key {
	case report.KeyVeth:
		return "plain veth"
	case report.KeySwan:
		return "strongSwan kernel-libipsec"
	case report.KeyWireGuard:
		return "wireguard-go"
	case report.KeyEsplanade:
		return "Esplanade"
	case report.KeyAES256:
		return "Esplanade, AES-256-GCM"
	case report.KeyNull:
		return "Esplanade without encryption"
	}
	return ""
}

// shortest is the least that a TCP test may take: iperf3 counts whole seconds.
const shortest = time.Second

func parse(args []string, w io.Writer) (options, error) {
	o := options{command: append([]string{"go", "run", "./bench/sidebyside"}, args...)}
	f := flag.NewFlagSet("sidebyside", flag.ContinueOnError)
	f.SetOutput(w)
	f.IntVar(&o.runs, "runs", 5, "how often everything is measured, in interleaved order")
	f.BoolVar(&o.quick, "quick", false, "one run with short measurements: shows that it works, and little else")
	f.BoolVar(&o.profile, "profile", false, "after the runs, record with perf what the machine does while Esplanade carries a TCP stream")
	f.BoolVar(&o.again, "again", false, "measure nothing; make README.md and throughput.svg again from the results.json in -out")
	only := f.String("only", "", "`contestants` that take part, with commas: "+strings.Join(contestantKeys(), ","))
	wires := f.String("wires", "super,mtu", "models of the cable, with commas")
	what := f.String("what", "tcp,udp,latency", "what is measured, with commas; tcp always is")
	f.StringVar(&o.out, "out", "bench/results", "`directory` of the results")
	f.DurationVar(&o.tcp, "seconds", 2*time.Second, "`duration` of each TCP test, after one second of warm-up")
	f.DurationVar(&o.probe, "probe", 200*time.Millisecond, "`duration` of each attempt at a UDP rate")
	f.DurationVar(&o.ping, "ping", time.Second, "`duration` of each latency measurement")
	if err := command.Parse(f, args); err != nil {
		return o, err
	}
	if o.quick {
		o.runs, o.tcp, o.probe, o.ping = 1, shortest, 100*time.Millisecond, 500*time.Millisecond
	}
	for _, s := range split(*wires) {
		wire := report.Wire(s)
		if wire != report.WireSuper && wire != report.WireMTU {
			return o, fmt.Errorf("%w: -wires %q: there are super and mtu", command.ErrUsage, s)
		}
		o.wires = append(o.wires, wire)
	}
	for _, s := range split(*only) {
		if !slices.Contains(contestantKeys(), s) {
			return o, fmt.Errorf("%w: -only %q: there are %s", command.ErrUsage, s, strings.Join(contestantKeys(), ", "))
		}
		o.only = append(o.only, s)
	}
	for _, s := range split(*what) {
		if !slices.Contains([]string{whatTCP, whatUDP, whatLatency}, s) {
			return o, fmt.Errorf("%w: -what %q: there are tcp, udp and latency", command.ErrUsage, s)
		}
		o.what = append(o.what, s)
	}
	switch {
	case o.runs < 1 || o.runs > 100:
		return o, fmt.Errorf("%w: -runs %d", command.ErrUsage, o.runs)
	case len(o.wires) == 0:
		return o, fmt.Errorf("%w: -wires: there are super and mtu", command.ErrUsage)
	case o.tcp < shortest:
		return o, fmt.Errorf("%w: -seconds %v: at least %v, iperf3 counts whole seconds", command.ErrUsage, o.tcp, shortest)
	case o.probe < 20*time.Millisecond || o.ping < 100*time.Millisecond:
		return o, fmt.Errorf("%w: -probe or -ping is too short", command.ErrUsage)
	}
	return o, nil
}

// split takes a list with commas apart; empty items count for nothing.
func split(s string) []string {
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// takesPart tells whether a contestant was asked for.
func (o *options) takesPart(key string) bool { return len(o.only) == 0 || slices.Contains(o.only, key) }

func (o *options) measures(what string) bool { return slices.Contains(o.what, what) }

func main() { command.Main("sidebyside", parse, run) }
