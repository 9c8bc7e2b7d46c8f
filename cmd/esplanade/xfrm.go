package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"esplanade/ike/vici"
)

// xfrmOptions are the flags of `xfrm state` and `xfrm policy`.
type xfrmOptions struct {
	statistics, keys bool
}

func newXFRM() *cobra.Command {
	c := &cobra.Command{
		Use:   "xfrm COMMAND",
		Short: "List SAs and policies as `ip xfrm` does",
		Long: `Xfrm lists what a kernel's IPsec would have, in the format of iproute2's "ip xfrm state" and "ip xfrm policy", for people and
scripts that look there: all of it is in the daemon, and the kernel of this host knows nothing of it.`,
		Args: subcommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newXFRMState(), newXFRMPolicy())
	return c
}

func newXFRMState() *cobra.Command {
	var socket string
	var o xfrmOptions
	c := &cobra.Command{
		Use:   "state [list]",
		Short: "List the SAs as `ip xfrm state` does",
		Long: `State lists the ESP SAs that are installed, one for each direction, in the format of "ip xfrm state". In the place of keys it
says <<Keys hidden>>, as iproute2 does with nokeys. --keys shows them, to root: whoever sees them can read all traffic.

What is of a kernel alone is not there: marks, interface ids, offload. The words of the replay bitmap are left out.`,
		Args: listOnly("initiate, terminate and rekey change SAs"),
		RunE: func(c *cobra.Command, _ []string) error {
			return eachESP(c, socket, o.keys, func(list []vici.ESPSA) {
				for _, s := range list {
					printStates(c.OutOrStdout(), s, o)
				}
			})
		},
	}
	socketFlag(c, &socket)
	c.Flags().BoolVarP(&o.statistics, "statistics", "s", false, "limits and counters as well, as `ip -s` does")
	c.Flags().BoolVar(&o.keys, "keys", false, "show the keys; for root alone")
	return c
}

func newXFRMPolicy() *cobra.Command {
	var socket string
	var o xfrmOptions
	c := &cobra.Command{
		Use:   "policy [list]",
		Short: "List the policies as `ip xfrm policy` does",
		Long: `Policy lists the policies of the CHILD SAs that are installed, for each pair of selectors as a kernel has them, and then those of
children that have none: packets bring those up, or are refused ("action block"). The format is that of "ip xfrm policy", and the
priority is the one that strongSwan gives.`,
		Args: listOnly("policies are those of the children of the configuration"),
		RunE: func(c *cobra.Command, _ []string) error {
			var policies []heldPolicy
			cl, err := dial(c, socket)
			if err != nil {
				return err
			}
			defer cl.Close()
			_, err = cl.Stream(c.Context(), "list-policies", vici.EventListPolicy, new(vici.Message).Set("trap", "yes").Set("drop", "yes"), func(m *vici.Message) error {
				for _, p := range m.Sections() {
					policies = append(policies, heldPolicy{p.Get("ike"), p.Get("child"), p.Get("mode"), p.List("local-ts"), p.List("remote-ts")})
				}
				return nil
			})
			if err != nil {
				return cl.explain(err)
			}
			return eachESP(c, socket, false, func(list []vici.ESPSA) {
				for _, s := range list {
					printPolicies(c.OutOrStdout(), s, o)
				}
				for _, p := range policies {
					if !slices.ContainsFunc(list, func(s vici.ESPSA) bool { return s.Connection == p.connection && s.Child == p.child }) {
						p.print(c.OutOrStdout(), o)
					}
				}
			})
		},
	}
	socketFlag(c, &socket)
	c.Flags().BoolVarP(&o.statistics, "statistics", "s", false, "more about each, as `ip -s` does")
	return c
}

// listOnly takes iproute2's words for a list, and says of any other what does it here.
func listOnly(instead string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 || len(args) == 1 && slices.Contains([]string{"list", "ls", "show", "lst"}, args[0]) {
			return nil
		}
		return usageError{c, fmt.Sprintf("%q is not possible: this lists, and %s", strings.Join(args, " "), instead)}
	}
}

// eachESP gives all SAs of the daemon to f, the latest first, as a kernel lists them.
func eachESP(c *cobra.Command, socket string, keys bool, f func([]vici.ESPSA)) error {
	cl, err := dial(c, socket)
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(c.Context(), cl.answer)
	defer cancel()
	var list []vici.ESPSA
	if err := cl.ESPSAs(ctx, keys, func(s vici.ESPSA) error { list = append(list, s); return nil }); err != nil {
		return cl.explain(err)
	}
	slices.Reverse(list)
	f(list)
	return nil
}
