// Package crowd shows what many peers that rekey at once with an expensive group do to the tunnels of others.
package crowd

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
	peers int
	group string
}

// maxPeers is how many have an address each.
const maxPeers = 200

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.IntVar(&o.peers, "peers", 64, "how many rekey at once")
	f.StringVar(&o.group, "group", "modp8192", "the group that they rekey with")
}

// Check says what is wrong with them.
func (o *Options) Check() error {
	if o.peers < 1 || o.peers > maxPeers {
		return fmt.Errorf("%w: --peers 1 to %d", command.ErrUsage, maxPeers)
	}
	return nil
}

// Command makes the subcommand.
func Command(run func(context.Context, *Options) error) *cobra.Command {
	return command.New(command.Text{
		Name:  "crowd",
		Short: "64 peers that rekey with MODP-8192 at once leave a liveness check its answer in 5 ms",
		Long: `Crowd has 64 peers rekey their CHILD SAs at once with MODP-8192, while another peer asks a hundred times a second whether the gateway
lives. It does so twice: with a gateway whose event loop makes the key exchanges itself, and with one whose workers do. The gateway
is a whole daemon in this process; the peers compute nothing, and nothing goes over a network. It fails if 95 of 100 answers take
5 ms or longer, or if a peer was not rekeyed.`,
		Results: "crowd.md, crowd.json",
	}, &Options{}, run)
}
