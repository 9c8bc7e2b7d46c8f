package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"esplanade/tun"
)

func newUnblock() *cobra.Command {
	all, from := false, source{}
	c := &cobra.Command{
		Use:   "unblock FILE",
		Short: "Let packets out again that a stopped gateway holds back",
		Long: `Unblock removes the routes and rules that a gateway has left behind to refuse the packets of its tunnels: with
tun.block_when_stopped in its configuration, or because it was killed or failed. From then on these packets leave in the clear. FILE is
the configuration, which says in which routing tables to look; with --all those of other gateways count too, and those that the
configuration named earlier. What a gateway uses that runs is left alone. Of a gateway that ran a folder of swanctl, --swanctl names the folder; FILE is the file that
lay above it, if there was one.`,
		Args:              atMostOneArg("FILE"),
		ValidArgsFunction: completeFile,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				from.file = args[0]
			} else if from.folder == "" {
				return oneArg("FILE")(c, args)
			}
			if err := from.check(c, len(args) == 1); err != nil {
				return err
			}
			conf, err := from.load(c.ErrOrStderr())
			if err != nil {
				return err
			}
			n, err := tun.Unblock(linkOptions(conf), all)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%d routes and rules removed\n", n)
			if tables, err := tun.LeftBehind(linkOptions(conf)); err == nil && len(tables) > 0 {
				fmt.Fprintf(c.OutOrStdout(), "packets are still refused in %s, for a gateway that does not run; --all removes that too\n", tableList(tables))
			}
			return nil
		},
	}
	from.flags(c)
	c.Flags().BoolVar(&all, "all", false, "also in the routing tables of other gateways that do not run")
	return c
}
