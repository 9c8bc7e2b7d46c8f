// Package conns measures how long it takes to load thousands of connections over VICI, to load them again, to list and to unload them, and what that
// does to the event loop.
package conns

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
	count int
}

// maxCount is how many peers have a network each.
const maxCount = 60000

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.IntVarP(&o.count, "count", "n", 10000, "how many connections are loaded")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	if o.count < 1 || o.count > maxCount {
		return fmt.Errorf("%w: --count 1 to %d", command.ErrUsage, maxCount)
	}
	return nil
}

// Command makes the subcommand.
func Command(run func(context.Context, *Options) error) *cobra.Command {
	return command.New(command.Text{
		Name:  "conns",
		Short: "10,000 connections are loaded over VICI in 10 s, and the event loop never waits 5 ms for it",
		Long: `Conns has a client load 10,000 connections with a pre-shared key each over VICI, one request after the other as swanctl does, load them
again, list them and their state, and unload them. Meanwhile the event loop is asked every millisecond for a turn. The gateway is a whole daemon
in this process, with a data plane and a host on which nothing is to be done. It fails if the first load takes more than 10 s, or if the
event loop was busy for 5 ms or longer in one go, in processor time.`,
		Results: "conns.md, conns.json",
	}, &Options{}, run)
}
