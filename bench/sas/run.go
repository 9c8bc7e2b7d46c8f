package sas

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"esplanade/bench/contest"
	"esplanade/bench/document"
	"esplanade/bench/proof"
)

// Run runs the benchmark, judges and writes.
func Run(ctx context.Context, o *Options) error {
	b, err := contest.NewBuilder(ctx, "")
	if err != nil {
		return err
	}
	c := proof.Look(ctx, b.Root, o.Line)
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
	if err := document.WriteFile(o.Out, "sas.md", text(o, rows, verdicts, c.String())); err != nil {
		return err
	}
	return proof.Check(verdicts)
}
