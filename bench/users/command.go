// Package users has thousands of users of EAP come and go at a gateway that gives them addresses, and judges whether one was given twice, or lost.
package users

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
	count, atOnce int
	duration      time.Duration
}

// maxCount is what the network of the pool has room for, with as many addresses again for users who come a second time.
const maxCount = 30000

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.IntVarP(&o.count, "count", "n", 10000, "users")
	f.IntVarP(&o.atOnce, "at-once", "c", 16, "how many come in at a time")
	f.DurationVar(&o.duration, "for", 10*time.Minute, "how `long` they come and go")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	if o.count < 10 || o.count > maxCount || o.atOnce < 1 || o.duration < time.Second {
		return fmt.Errorf("%w: --count 10 to %d, --at-once at least 1, --for at least 1s", command.ErrUsage, maxCount)
	}
	return nil
}

// Command makes the subcommand.
func Command(run func(context.Context, *Options) error) *cobra.Command {
	return command.New(command.Text{
		Name:  "users",
		Short: "10,000 users of EAP come and go for ten minutes, and no address is given twice or lost",
		Long: `Users has 10,000 users come in by EAP-MSCHAPv2, each of whom gets an address of a pool, and go, vanish and come back for ten minutes.
In between the gateway is killed three times and started again. It ends with 1 if an address was given to two users, if one was forgotten, or did not come back to its user, or if a login failed.`,
		Needs: "root, Linux", Results: "users.md, users.json",
	}, &Options{}, run)
}
