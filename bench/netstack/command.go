// Package netstack puts two gateways without a TUN device, Esplanade's and wireguard-go's, beside each other: all of it in one process,
// with a TCP/IP stack behind each gateway and UDP over the loopback interface between them.
package netstack

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"esplanade/bench/command"
)

// Options are the flags.
type Options struct {
	command.Common
	runs     int
	duration time.Duration
}

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.IntVar(&o.runs, "runs", 5, "how often each is measured")
	f.DurationVar(&o.duration, "duration", 2*time.Second, "how long data flows each time")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	if o.runs < 1 || o.duration < 100*time.Millisecond {
		return fmt.Errorf("%w: --runs of at least 1, --duration of at least 100ms", command.ErrUsage)
	}
	return nil
}

// Command makes the subcommand.
func Command(run func(context.Context, *Options) error) *cobra.Command {
	return command.New(command.Text{
		Name:  "netstack",
		Short: "Esplanade without a TUN device, beside wireguard-go's netstack",
		Long: `Netstack has a TCP connection go through two gateways in one process, which have a TCP/IP stack in place of a TUN device: those of
Esplanade, with two ciphers, and those of wireguard-go. Data flows one way, the other way, and both ways at once. All take turns, each
time with gateways of their own. It fails if, both ways at once, one direction of Esplanade's had more than twice the data of the other
in any run.`,
		Results: "netstack.md, netstack.json",
	}, &Options{}, run)
}
