// Command strangers shows what peers that can be reached at their addresses and mean no good do to a gateway: 20,000 attempts a
// minute that are refused, then 30 requests a second for a key exchange with MODP-4096. Meanwhile an established IKE SA asks
// twenty times a second whether the gateway lives. It needs root and Linux:
//
//	go run ./bench/strangers
//
// It fails if the median of those round trips is 5 ms or more, or if anything else suffers; what it measures goes to
// bench/results/strangers.md and strangers.json.
package main

import (
	"flag"
	"fmt"
	"io"
	"time"

	"esplanade/bench/command"
)

type options struct {
	refused   int // attempts a minute
	expensive int // requests a second
	duration  time.Duration
	out       string
}

func parse(args []string, w io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("strangers", flag.ContinueOnError)
	f.SetOutput(w)
	f.IntVar(&o.refused, "refused", 20000, "attempts a minute that are refused")
	f.IntVar(&o.expensive, "expensive", 30, "requests a second for MODP-4096")
	f.DurationVar(&o.duration, "for", 30*time.Second, "how `long` each attack takes")
	f.StringVar(&o.out, "out", "bench/results", "`directory` of the results")
	if err := command.Parse(f, args); err != nil {
		return o, err
	}
	if o.refused < 60 || o.refused > 1_000_000 || o.expensive < 1 || o.expensive > 1000 || o.duration < time.Second {
		return o, fmt.Errorf("%w: -refused 60 to 1000000, -expensive 1 to 1000, -for at least 1s", command.ErrUsage)
	}
	return o, nil
}

func main() { command.Main("strangers", parse, run) }
