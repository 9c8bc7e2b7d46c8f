// Package sas judges whether a packet costs more with 10,000 SAs installed than with few.
package sas

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"esplanade/bench/command"
)

// Options are the flags.
type Options struct {
	command.Common
	rounds int
}

// maxRounds is some hours.
const maxRounds = 100000

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.IntVar(&o.rounds, "rounds", 200, "how often all cases are measured, in turn")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	if o.rounds < 4 || o.rounds > maxRounds {
		return fmt.Errorf("%w: --rounds 4 to %d", command.ErrUsage, maxRounds)
	}
	return nil
}

// Command makes the subcommand.
func Command(run func(context.Context, *Options) error) *cobra.Command {
	return command.New(command.Text{
		Name:  "sas",
		Short: "a packet does not cost more with 10,000 SAs than with one",
		Long: `Sas runs BenchmarkInstalled of package dataplane, which compares engines with few and with 10,000 SAs in one process and in turn. The
exit status says whether everything that is asked was kept.`,
		Results: "sas.md",
	}, &Options{}, run)
}
