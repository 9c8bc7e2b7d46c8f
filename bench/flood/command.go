// Package flood shows what a flood of forged requests does to a gateway.
package flood

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
	rate     int
	duration time.Duration
}

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.IntVar(&o.rate, "rate", 50000, "requests a second")
	f.DurationVar(&o.duration, "for", 30*time.Second, "how `long`")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	if o.rate < 1 || o.rate > 10_000_000 || o.duration < time.Second {
		return fmt.Errorf("%w: --rate 1 to 10000000, --for at least 1s", command.ErrUsage)
	}
	return nil
}

// Command makes the subcommand.
func Command(run func(context.Context, *Options) error) *cobra.Command {
	return command.New(command.Text{
		Name:  "flood",
		Short: "50,000 forged requests a second do no harm, and what they cost",
		Long: `Flood sends 50,000 forged IKE_SA_INIT requests a second to a gateway, each from another loopback address, for 30 seconds, while a
tunnel is up and carries packets, is rekeyed, and new peers come in. It fails if the flood does any harm.`,
		Needs: "root, Linux", Results: "flood.md, flood.json",
	}, &Options{}, run)
}
