package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"esplanade/ike/vici"
)

func newRedirect() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use:   "redirect NAME GATEWAY",
		Short: "Send the peers of a connection to another gateway",
		Long: `Redirect tells the peers of the connection NAME that are up to go to another gateway (RFC 5685): GATEWAY is its address
or its DNS name. Only peers that initiated the connection and support redirection are notified. Each of
them sets up a new IKE SA there and then deletes the one with this gateway; where the other gateway does not serve it, it
stays. Peers that come later are not sent on by this: that is what redirect_to in the configuration is for.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 2 || args[0] == "" || args[1] == "" {
				return usageError{c, "redirect needs a NAME and a GATEWAY"}
			}
			return nil
		},
		ValidArgsFunction: completeName(&socket),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := dial(c, socket)
			if err != nil {
				return err
			}
			defer cl.Close()
			m, err := cl.call(c.Context(), "redirect", new(vici.Message).Set("ike", args[0]).Set("gateway", args[1]))
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "redirecting %s to %s (%s)\n", args[0], args[1], sas(m.Get("matches")))
			return nil
		},
	}
	socketFlag(c, &socket)
	return c
}
