// Command rekey has a pair of Esplanades renew the keys of CHILD and IKE SAs every second while they carry TCP as fast as they
// can, and judges what that costs: packets, retransmissions, and throughput by the tenth of a second, with and without a
// rekeying in it. It needs root and Linux:
//
//	go run ./bench/rekey
//
// The results go to bench/results/rekey.md; the exit status says whether everything that is asked was kept.
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
	rounds, streams int
	phase, every    time.Duration
	out, binary     string
}

// Bounds of the flags.
const (
	maxRounds  = 100
	maxStreams = 64
	minPhase   = 2 * time.Second
	minEvery   = 2 * slot
)

func parse(args []string, w io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("rekey", flag.ContinueOnError)
	f.SetOutput(w)
	f.IntVar(&o.rounds, "rounds", 4, "how often there is a phase with rekeyings and one without, in turn")
	f.DurationVar(&o.phase, "phase", 20*time.Second, "`duration` of a phase")
	f.DurationVar(&o.every, "every", time.Second, "`duration` from one rekeying to the next")
	f.IntVar(&o.streams, "streams", 4, "TCP streams; every second one goes the other way")
	f.StringVar(&o.out, "out", "bench/results", "`directory` of the results")
	f.StringVar(&o.binary, "binary", "", "`path` of the gateway; built from this checkout if empty")
	if err := command.Parse(f, args); err != nil {
		return o, err
	}
	switch {
	case o.rounds < 1 || o.rounds > maxRounds:
		return o, fmt.Errorf("%w: -rounds 1 to %d", command.ErrUsage, maxRounds)
	case o.phase < minPhase || o.every < minEvery || o.every > o.phase:
		return o, fmt.Errorf("%w: -phase at least %v, and -every from %v to that", command.ErrUsage, minPhase, minEvery)
	case o.streams < 2 || o.streams > maxStreams:
		return o, fmt.Errorf("%w: -streams 2 to %d, for there is one each way", command.ErrUsage, maxStreams)
	}
	return o, nil
}

func main() {
	command.Main("rekey", parse, func(o options) error { return run(o, os.Args[1:]) })
}
