package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		stop()
		os.Exit(1)
	}
}

// command is the whole command.
func command(ctx context.Context, args []string, w io.Writer) error {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	only := flags.String("run", "", "run the mutants whose name or file matches this regular expression")
	list := flags.Bool("list", false, "list the mutants, and run nothing")
	race := flags.Bool("race", false, "run the tests with the race detector")
	whole := flags.Bool("whole", false, "run all tests of a mutant's package in place of those that are named, and say which of them notice")
	verbose := flags.Bool("v", false, "show the end of what the tests write for each mutant")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	mutants := slices.DeleteFunc(All(), func(m Mutant) bool { return !pattern.MatchString(m.Name) && !pattern.MatchString(m.File) })
	if len(mutants) == 0 {
		return fmt.Errorf("no mutant matches %q", *only)
	}
	if *list {
		return show(w, mutants)
	}
	root, err := repository()
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	return prove(ctx, runner{root: root, tmp: tmp, race: *race, whole: *whole}, mutants, w, *verbose)
}

// prove runs all mutants and writes a line for each. It is an error if one of them was not killed.
func prove(ctx context.Context, r runner, mutants []Mutant, w io.Writer, verbose bool) error {
	if !r.whole {
		if err := r.baseline(ctx, mutants); err != nil {
			return err
		}
	}
	count := map[Verdict]int{}
	for _, m := range mutants {
		start := time.Now()
		v, output := r.mutate(ctx, m)
		if err := ctx.Err(); err != nil {
			return err
		}
		count[v]++
		fmt.Fprintf(w, "%-9s %-44s %-26s %s (%.1fs)\n", v, m.Name, m.Package(), m.Tests, time.Since(start).Seconds())
		if v != Killed {
			fmt.Fprintf(w, "          %s\n          %s\n", m.File, m.Why)
		}
		if r.whole && v == Killed {
			fmt.Fprintf(w, "          %s\n", strings.Join(noticed(output), " "))
		}
		if verbose || v == Broken || v == Untested {
			fmt.Fprintln(w, tail(output, 15))
		}
	}
	fmt.Fprintf(w, "%d mutants: %d killed, %d survived, %d broken, %d untested\n",
		len(mutants), count[Killed], count[Survived], count[Broken], count[Untested])
	if count[Killed] != len(mutants) {
		return errors.New("not every mutant was killed")
	}
	return nil
}

// show lists mutants.
func show(w io.Writer, mutants []Mutant) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range mutants {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", m.Name, m.File, m.Tests, m.Why)
	}
	return t.Flush()
}

// repository is the directory of go.mod, from the working directory upwards.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod in this directory nor above it")
		}
		dir = up
	}
}
