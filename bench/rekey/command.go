// Package rekey has a pair of Esplanades renew their keys under full load, and judges what that costs.
package rekey

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
	rounds, streams int
	phase, every    time.Duration
	binary          string
}

// Bounds of the flags.
const (
	maxRounds  = 100
	maxStreams = 64
	minPhase   = 2 * time.Second
	minEvery   = 2 * slot
)

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.IntVar(&o.rounds, "rounds", 4, "how often there is a phase with rekeyings and one without, in turn")
	f.DurationVar(&o.phase, "phase", 20*time.Second, "`duration` of a phase")
	f.DurationVar(&o.every, "every", time.Second, "`duration` from one rekeying to the next")
	f.IntVar(&o.streams, "streams", 4, "TCP streams; every second one goes the other way")
	f.StringVar(&o.binary, "binary", "", "`path` of the gateway; built from this checkout if empty")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	switch {
	case o.rounds < 1 || o.rounds > maxRounds:
		return fmt.Errorf("%w: --rounds 1 to %d", command.ErrUsage, maxRounds)
	case o.phase < minPhase || o.every < minEvery || o.every > o.phase:
		return fmt.Errorf("%w: --phase at least %v, and --every from %v to that", command.ErrUsage, minPhase, minEvery)
	case o.streams < 2 || o.streams > maxStreams:
		return fmt.Errorf("%w: --streams 2 to %d, for there is one each way", command.ErrUsage, maxStreams)
	}
	return nil
}

// Command makes the subcommand.
func Command(run func(context.Context, *Options) error) *cobra.Command {
	return command.New(command.Text{
		Name:  "rekey",
		Short: "what rekeying under full load costs: packets, retransmissions, throughput by tenths of a second",
		Long: `Rekey has a pair of Esplanades renew the keys of CHILD and IKE SAs every second while they carry TCP as fast as they can, and judges
what that costs: packets, retransmissions, and throughput by the tenth of a second, with and without a rekeying in it. The exit
status says whether everything that is asked was kept.`,
		Needs: "root, Linux", Results: "rekey.md",
	}, &Options{}, run)
}
