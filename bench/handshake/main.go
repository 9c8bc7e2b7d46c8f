// Command handshake measures the control plane: how many IKE SAs with a CHILD SA a second Esplanade and strongSwan set up as
// responders, how much of a CPU each takes, and how much memory it keeps. It needs root and Linux:
//
//	go run ./bench/handshake
//
// The initiators are machines of package ike/sa, in another network namespace on the same machine. The results go to
// bench/results/handshake.md and handshake.json.
package main

import (
	"flag"
	"fmt"
	"io"

	"esplanade/bench/command"
)

type options struct {
	count, atOnce, runs int
	out, profile        string
}

// maxCount is what the network of the initiators has room for.
const maxCount = 60000

func parse(args []string, w io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("handshake", flag.ContinueOnError)
	f.SetOutput(w)
	f.IntVar(&o.count, "n", 2000, "IKE SAs that each responder has to set up")
	f.IntVar(&o.atOnce, "c", 16, "how many are under way at a time")
	f.IntVar(&o.runs, "runs", 3, "how often, in interleaved order")
	f.StringVar(&o.out, "out", "bench/results", "`directory` of the results")
	f.StringVar(&o.profile, "profile", "", "write a CPU profile of Esplanade's to this `file`, without strongSwan and without results")
	if err := command.Parse(f, args); err != nil {
		return o, err
	}
	if o.count < 1 || o.count > maxCount || o.atOnce < 1 || o.runs < 1 || o.runs > 100 {
		return o, fmt.Errorf("%w: -n 1 to %d, -c and -runs at least 1", command.ErrUsage, maxCount)
	}
	return o, nil
}

func main() { command.Main("handshake", parse, run) }
