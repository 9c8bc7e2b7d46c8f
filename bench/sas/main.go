// Command sas judges whether a packet costs more with 10,000 SAs installed than with few: it runs BenchmarkInstalled of package
// dataplane, which compares them in one process and in turn. It needs neither root nor an operating system in particular:
//
//	go run ./bench/sas
//
// The results go to bench/results/sas.md; the exit status says whether everything that is asked was kept.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"

	"esplanade/bench/command"
	"esplanade/bench/contest"
	"esplanade/bench/proof"
)

type options struct {
	rounds int
	out    string
}

// maxRounds is some hours.
const maxRounds = 100000

func parse(args []string, w io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("sas", flag.ContinueOnError)
	f.SetOutput(w)
	f.IntVar(&o.rounds, "rounds", 200, "how often all cases are measured, in turn")
	f.StringVar(&o.out, "out", "bench/results", "`directory` of the results")
	if err := command.Parse(f, args); err != nil {
		return o, err
	}
	if o.rounds < 4 || o.rounds > maxRounds {
		return o, fmt.Errorf("%w: -rounds 4 to %d", command.ErrUsage, maxRounds)
	}
	return o, nil
}

func main() {
	command.Main("sas", parse, func(o options) error { return run(o, os.Args[1:]) })
}

func run(o options, args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b, err := contest.NewBuilder(ctx, "")
	if err != nil {
		return err
	}
	c := proof.Look(ctx, b.Root, "sas", args)
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkInstalled$", "-benchtime", strconv.Itoa(o.rounds)+"x", "-timeout", "0", "./dataplane")
	cmd.Dir = b.Root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out)
	}
	rows, err := read(string(out))
	if err != nil {
		return err
	}
	verdicts := judge(rows)
	if err := proof.WriteFile(o.out, "sas.md", text(o, rows, verdicts, c.String())); err != nil {
		return err
	}
	return proof.Check(verdicts)
}
