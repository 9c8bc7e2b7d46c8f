// Package thousand keeps many IKE SAs with a CHILD SA each between two gateways for a while, and says whether one was lost.
package thousand

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
	count    int
	duration time.Duration
}

// maxCount is what the networks have room for.
const maxCount = 4000

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.IntVarP(&o.count, "count", "n", 1000, "IKE SAs")
	f.DurationVar(&o.duration, "for", 10*time.Minute, "how `long` they are kept")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	if o.count < 1 || o.count > maxCount || o.duration < time.Second {
		return fmt.Errorf("%w: --count 1 to %d, --for at least 1s", command.ErrUsage, maxCount)
	}
	return nil
}

// Command makes the subcommand.
func Command(run func(context.Context, *Options) error) *cobra.Command {
	return command.New(command.Text{
		Name:  "thousand",
		Short: "1,000 IKE SAs are rekeyed for ten minutes and none is lost",
		Long: `Thousand keeps 1,000 IKE SAs with a CHILD SA each between two gateways for ten minutes. All are rekeyed again and again and carry
packets. It fails if one was lost.`,
		Needs: "root, Linux", Results: "thousand.md, thousand.json",
	}, &Options{}, run)
}
