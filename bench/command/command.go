// Package command is what the commands of this tree have in common: how they begin, how they end, and how they name the
// commit and the machine that their figures belong to.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// ErrUsage is wrapped by errors about the arguments.
var ErrUsage = errors.New("usage")

// Exit statuses beside 0.
const (
	exitFailed = 1
	exitUsage  = 2
)

// Main is a command's main function: it parses the arguments, runs, and ends the process with the status of what became of
// it. A request for help is no failure.
func Main[O any](name string, parse func(args []string, w io.Writer) (O, error), run func(O) error) {
	if status := status(name, os.Args[1:], os.Stderr, parse, run); status != 0 {
		os.Exit(status)
	}
}

func status[O any](name string, args []string, w io.Writer, parse func([]string, io.Writer) (O, error), run func(O) error) int {
	o, err := parse(args, w)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(w, "%s: %v\n", name, err)
		return exitUsage
	}
	if err := run(o); err != nil {
		fmt.Fprintf(w, "%s: %v\n", name, err)
		return exitFailed
	}
	return 0
}

// Wait lets d pass, unless ctx ends before.
func Wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Parse parses the flags; what is left over is an error.
func Parse(f *flag.FlagSet, args []string) error {
	if err := f.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%w: what is %q?", ErrUsage, f.Arg(0))
	}
	return nil
}
