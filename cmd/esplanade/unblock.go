package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"esplanade/tun"
)

func newUnblock() *cobra.Command {
	return &cobra.Command{
		Use:   "unblock FILE",
		Short: "Let packets out again that a stopped gateway holds back",
		Long: `Unblock removes the routes and rules that a gateway has left behind to refuse the packets of its tunnels: with
tun.block_when_stopped in its configuration, or because it was killed. From then on these packets leave in the clear. FILE is
the configuration, which says in which routing tables to look. While a gateway runs, nothing is removed.`,
		Args:              oneArg("FILE"),
		ValidArgsFunction: completeFile,
		RunE: func(c *cobra.Command, args []string) error {
			conf, err := load(args[0], c.ErrOrStderr())
			if err != nil {
				return err
			}
			n, err := tun.Unblock(linkOptions(conf))
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%d routes and rules removed\n", n)
			return nil
		},
	}
}
