// Command thousand keeps many IKE SAs with a CHILD SA each between two gateways for a while, all of which are rekeyed again and
// again and carry packets, and says whether one was lost. It needs root and Linux:
//
//	go run ./bench/thousand
//
// takes ten minutes. It fails if anything was lost; the results go to bench/results/thousand.md and thousand.json.
package main

import (
	"flag"
	"fmt"
	"io"
	"time"

	"esplanade/bench/command"
)

type options struct {
	count    int
	duration time.Duration
	out      string
}

// maxCount is what the networks have room for.
const maxCount = 4000

func parse(args []string, w io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("thousand", flag.ContinueOnError)
	f.SetOutput(w)
	f.IntVar(&o.count, "n", 1000, "IKE SAs")
	f.DurationVar(&o.duration, "for", 10*time.Minute, "how `long` they are kept")
	f.StringVar(&o.out, "out", "bench/results", "`directory` of the results")
	if err := command.Parse(f, args); err != nil {
		return o, err
	}
	if o.count < 1 || o.count > maxCount || o.duration < time.Second {
		return o, fmt.Errorf("%w: -n 1 to %d, -for at least 1s", command.ErrUsage, maxCount)
	}
	return o, nil
}

func main() { command.Main("thousand", parse, run) }
