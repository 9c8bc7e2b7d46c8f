// Package strangers shows what peers that can be reached at their addresses and mean no good do to a gateway.
package strangers

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
	refused   int // attempts a minute
	expensive int // requests a second
	duration  time.Duration
}

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.IntVar(&o.refused, "refused", 20000, "attempts a minute that are refused")
	f.IntVar(&o.expensive, "expensive", 30, "requests a second for MODP-4096")
	f.DurationVar(&o.duration, "for", 30*time.Second, "how `long` each attack takes")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	if o.refused < 60 || o.refused > 1_000_000 || o.expensive < 1 || o.expensive > 1000 || o.duration < time.Second {
		return fmt.Errorf("%w: --refused 60 to 1000000, --expensive 1 to 1000, --for at least 1s", command.ErrUsage)
	}
	return nil
}

// Command makes the subcommand.
func Command(run func(context.Context, *Options) error) *cobra.Command {
	return command.New(command.Text{
		Name:  "strangers",
		Short: "attempts that are refused, and expensive key exchanges, leave a liveness check its answer in 5 ms",
		Long: `Strangers has peers that can be reached at their addresses make 20,000 attempts a minute that are refused, then 30 requests a second
for a key exchange with MODP-4096. Meanwhile an established IKE SA asks twenty times a second whether the gateway lives. It fails
if the median of those round trips is 5 ms or more, or if anything else suffers.`,
		Needs: "root, Linux", Results: "strangers.md, strangers.json",
	}, &Options{}, run)
}
