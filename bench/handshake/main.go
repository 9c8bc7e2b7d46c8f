// Command handshake measures the control plane: how many IKE SAs with a CHILD SA a second Esplanade and strongSwan set up as
// responders, how much of a CPU each takes, and how much memory it keeps. It needs root and Linux:
//
//	go run ./bench/handshake
//
// The initiators are machines of package ike/sa, in another network namespace on the same machine. The results go to
// bench/results/handshake.md and handshake.json.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

type options struct {
	count, atOnce, runs int
	out                 string
}

var errUsage = errors.New("usage")

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
	if err := f.Parse(args); err != nil {
		return o, fmt.Errorf("%w: %w", errUsage, err)
	}
	if f.NArg() > 0 || o.count < 1 || o.count > maxCount || o.atOnce < 1 || o.runs < 1 || o.runs > 100 {
		return o, fmt.Errorf("%w: -n 1 to %d, -c and -runs at least 1, and nothing else", errUsage, maxCount)
	}
	return o, nil
}

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "handshake:", err)
		os.Exit(2)
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "handshake:", err)
		os.Exit(1)
	}
}
