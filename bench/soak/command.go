// Package soak has a pair of Esplanades work for a time, and judges whether they are at the end what they were at the beginning.
package soak

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
	length, interval time.Duration
	streams          int
	binary           string
}

// Bounds of the flags.
const (
	minIntervals = 9 // three in each third
	maxStreams   = 64
	minInterval  = time.Second
)

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.DurationVar(&o.length, "for", 10*time.Minute, "`duration` of the run, after the warm-up")
	f.DurationVar(&o.interval, "interval", 5*time.Second, "`duration` of what a figure is made of")
	f.IntVar(&o.streams, "streams", 4, "TCP streams; every second one goes the other way")
	f.StringVar(&o.binary, "binary", "", "`path` of the gateway; built from this checkout if empty")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	switch {
	case o.interval < minInterval || o.length < minIntervals*o.interval:
		return fmt.Errorf("%w: --for has to be %d times --interval, and that at least %v", command.ErrUsage, minIntervals, minInterval)
	case o.streams < 2 || o.streams > maxStreams:
		return fmt.Errorf("%w: --streams 2 to %d, for there is one each way", command.ErrUsage, maxStreams)
	}
	return nil
}

// Command makes the subcommand.
func Command(run func(context.Context, *Options) error) *cobra.Command {
	return command.New(command.Text{
		Name:  "soak",
		Short: "ten minutes of work make a gateway neither slower nor larger, and it drops no packet",
		Long: `Soak has a pair of Esplanades carry TCP both ways for ten minutes while their keys are renewed, and judges whether they are at the end
what they were at the beginning: as fast, no larger, and without a packet dropped for a reason that is not congestion. With
--for 1m it shows that it works. The exit status says whether everything that is asked was kept.`,
		Needs: "root, Linux", Results: "soak.md, soak.svg",
	}, &Options{}, run)
}
