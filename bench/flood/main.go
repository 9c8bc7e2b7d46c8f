// Command flood shows what a flood of forged requests does to a gateway: 50,000 IKE_SA_INIT requests a second, each from
// another loopback address, for 30 seconds, while a tunnel is up and carries packets, is rekeyed, and new peers come in. It
// needs root and Linux:
//
//	go run ./bench/flood
//
// It fails if the flood does any harm; what it measures goes to bench/results/flood.md and flood.json.
package main

import (
	"flag"
	"fmt"
	"io"
	"time"

	"esplanade/bench/command"
)

type options struct {
	rate     int
	duration time.Duration
	out      string
}

func parse(args []string, w io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("flood", flag.ContinueOnError)
	f.SetOutput(w)
	f.IntVar(&o.rate, "rate", 50000, "requests a second")
	f.DurationVar(&o.duration, "for", 30*time.Second, "how `long`")
	f.StringVar(&o.out, "out", "bench/results", "`directory` of the results")
	if err := command.Parse(f, args); err != nil {
		return o, err
	}
	if o.rate < 1 || o.rate > 10_000_000 || o.duration < time.Second {
		return o, fmt.Errorf("%w: -rate 1 to 10000000, -for at least 1s", command.ErrUsage)
	}
	return o, nil
}

func main() { command.Main("flood", parse, run) }
