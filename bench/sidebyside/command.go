// Package sidebyside compares Esplanade with the programs that people would use instead, on one machine.
package sidebyside

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"esplanade/bench/command"
	"esplanade/bench/report"
)

// Options are the flags.
type Options struct {
	command.Common
	runs    int
	quick   bool
	profile bool
	again   bool // only the report, from the figures of an earlier run
	only    []string
	wires   []string
	what    []string
	tcp     time.Duration // of each TCP test, after warm-up
	probe   time.Duration // of each attempt at a UDP rate
	ping    time.Duration // of each latency measurement
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

// cables are the models of the cable that are measured on.
func (o *Options) cables() []report.Wire {
	all := make([]report.Wire, len(o.wires))
	for i, w := range o.wires {
		all[i] = report.Wire(w)
	}
	return all
}

// takesPart reports whether a contestant was asked for.
func (o *Options) takesPart(key string) bool { return len(o.only) == 0 || slices.Contains(o.only, key) }

func (o *Options) measures(what string) bool { return slices.Contains(o.what, what) }

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.IntVar(&o.runs, "runs", 5, "how often everything is measured, in interleaved order")
	f.BoolVar(&o.quick, "quick", false, "one run with short measurements: shows that it works, and little else")
	f.BoolVar(&o.profile, "profile", false, "after the runs, record with perf what the machine does while Esplanade carries a TCP stream")
	f.BoolVar(&o.again, "again", false, "measure nothing; make README.md and throughput.svg again from the results.json in --out")
	f.StringSliceVar(&o.only, "only", nil, "`contestants` that take part, with commas: "+strings.Join(contestantKeys(), ","))
	f.StringSliceVar(&o.wires, "wires", []string{string(report.WireSuper), string(report.WireMTU)}, "`models` of the cable, with commas")
	f.StringSliceVar(&o.what, "what", []string{whatTCP, whatUDP, whatLatency}, "`kinds` of what is measured, with commas; tcp always is")
	f.DurationVar(&o.tcp, "seconds", 2*time.Second, "`duration` of each TCP test, after one second of warm-up")
	f.DurationVar(&o.probe, "probe", 200*time.Millisecond, "`duration` of each attempt at a UDP rate")
	f.DurationVar(&o.ping, "ping", time.Second, "`duration` of each latency measurement")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	if o.quick {
		o.runs, o.tcp, o.probe, o.ping = 1, shortest, 100*time.Millisecond, 500*time.Millisecond
	}
	for _, list := range []struct {
		name   string
		given  []string
		may    []string
		needed bool
	}{
		{"wires", o.wires, []string{string(report.WireSuper), string(report.WireMTU)}, true}, {"only", o.only, contestantKeys(), false},
		{"what", o.what, []string{whatTCP, whatUDP, whatLatency}, false},
	} {
		for i, s := range list.given {
			list.given[i] = strings.TrimSpace(s)
			if !slices.Contains(list.may, list.given[i]) {
				return fmt.Errorf("%w: --%s %q: there are %s", command.ErrUsage, list.name, s, strings.Join(list.may, ", "))
			}
		}
		if list.needed && len(list.given) == 0 {
			return fmt.Errorf("%w: --%s: there are %s", command.ErrUsage, list.name, strings.Join(list.may, ", "))
		}
	}
	switch {
	case o.runs < 1 || o.runs > 100:
		return fmt.Errorf("%w: --runs %d", command.ErrUsage, o.runs)
	case o.tcp < shortest:
		return fmt.Errorf("%w: --seconds %v: at least %v, iperf3 counts whole seconds", command.ErrUsage, o.tcp, shortest)
	case o.probe < 20*time.Millisecond || o.ping < 100*time.Millisecond:
		return fmt.Errorf("%w: --probe or --ping is too short", command.ErrUsage)
	}
	return nil
}

// Command makes the subcommand. compare measures and writes; the report alone is made here.
func Command(compare func(context.Context, *Options) error) *cobra.Command {
	return command.New(command.Text{
		Name:  "sidebyside",
		Short: "throughput, latency and cost beside strongSwan, wireguard-go and a plain cable",
		Long: `Sidebyside compares Esplanade with the programs that people would use instead, on one machine, between two network namespaces of its
own. With --quick one short run shows that it works; --again measures nothing and makes the report from the figures of the last
run, on any system. results.json has everything; the other files are made from it.`,
		Needs: "root, Linux, iperf3", Results: "results.json, README.md, throughput.svg",
	}, &Options{}, func(ctx context.Context, o *Options) error {
		if o.again {
			return again(o.Out)
		}
		return compare(ctx, o)
	})
}
