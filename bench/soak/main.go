// Command soak has a pair of Esplanades carry TCP both ways for a time, while their keys are renewed, and judges whether they
// are at the end what they were at the beginning: as fast, no larger, and without a packet dropped for a reason that is not
// congestion. It needs root and Linux:
//
//	go run ./bench/soak            # ten minutes
//	go run ./bench/soak -for 1m    # to see that it works
//
// The results go to bench/results/soak.md and soak.svg; the exit status says whether everything that is asked was kept.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"esplanade/bench/command"
)

type options struct {
	length, interval time.Duration
	streams          int
	out, binary      string
}

// Bounds of the flags.
const (
	minIntervals = 9 // three in each third
	maxStreams   = 64
	minInterval  = time.Second
)

func parse(args []string, w io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.SetOutput(w)
	f.DurationVar(&o.length, "for", 10*time.Minute, "`duration` of the run, after the warm-up")
	f.DurationVar(&o.interval, "interval", 5*time.Second, "`duration` of what a figure is made of")
	f.IntVar(&o.streams, "streams", 4, "TCP streams; every second one goes the other way")
	f.StringVar(&o.out, "out", "bench/results", "`directory` of the results")
	f.StringVar(&o.binary, "binary", "", "`path` of the gateway; built from this checkout if empty")
	if err := command.Parse(f, args); err != nil {
		return o, err
	}
	switch {
	case o.interval < minInterval || o.length < minIntervals*o.interval:
		return o, fmt.Errorf("%w: -for has to be %d times -interval, and that at least %v", command.ErrUsage, minIntervals, minInterval)
	case o.streams < 2 || o.streams > maxStreams:
		return o, fmt.Errorf("%w: -streams 2 to %d, for there is one each way", command.ErrUsage, maxStreams)
	}
	return o, nil
}

func main() {
	command.Main("soak", parse, func(o options) error { return run(o, os.Args[1:]) })
}
