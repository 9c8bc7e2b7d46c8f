package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"esplanade/ike/vici"
)

func newIPsec() *cobra.Command {
	c := &cobra.Command{
		Use:   "ipsec COMMAND",
		Short: "strongSwan's `ipsec` command, for scripts that know it",
		Long: `Ipsec is for scripts and habits that know strongSwan's "ipsec" command: status, statusall, up, down and reload, with output in its
format. New scripts are better off with "esplanade status --json", or with swanctl.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{c, ipsecInstead(args[0])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	// `ipsec auto --up NAME` is about the command, and not about its flags.
	c.SetFlagErrorFunc(func(x *cobra.Command, err error) error {
		if args := x.Flags().Args(); x == c && len(args) > 0 {
			return usageError{x, ipsecInstead(args[0])}
		}
		return x.Root().FlagErrorFunc()(x, err)
	})
	c.AddCommand(newIPsecStatus("status", false), newIPsecStatus("statusall", true), newIPsecUp(), newIPsecDown(), newIPsecReload())
	return c
}

// ipsecInstead says which command does what a command of strongSwan's `ipsec` does.
func ipsecInstead(command string) string {
	for _, x := range []struct {
		commands []string
		instead  string
	}{
		{[]string{"start"}, "the service manager starts the daemon: `systemctl start esplanade`, or `esplanade run -c FILE`"},
		{[]string{"restart"}, "the service manager does that: `systemctl restart esplanade`"},
		{[]string{"stop"}, "the service manager stops the daemon: `systemctl stop esplanade`, or SIGTERM"},
		{[]string{"route"}, "that is `swanctl --install --child NAME`, or start_action = \"trap\""},
		{[]string{"unroute"}, "that is `swanctl --uninstall --child NAME`"},
		{[]string{"leases"}, "that is `swanctl --list-pools --leases`"},
		{[]string{"listall", "listcerts", "listcacerts", "listcrls", "listocsp", "listaacerts", "listocspcerts", "listacerts", "listpubkeys", "listcainfos"}, "that is `swanctl --list-certs`, or `esplanade status --verbose`"},
		{[]string{"listalgs", "listplugins"}, "that is `swanctl --list-algs`"},
		{[]string{"listcounters"}, "that is `swanctl --counters --all`"},
		{[]string{"resetcounters"}, "that is `swanctl --counters --reset --all`"},
		{[]string{"auto", "whack", "stroke"}, "that is `esplanade ipsec up NAME`, `down NAME`, `status` and `reload`"},
		{[]string{"verify", "checkconfig"}, "that is `esplanade check FILE`"},
		{[]string{"secrets", "rereadsecrets", "rereadcacerts", "rereadaacerts", "rereadocspcerts", "rereadacerts", "rereadcrls", "rereadall", "purgeocsp", "purgecrls", "purgecerts", "purgeike"}, "that is `esplanade ipsec reload`, and files with certificates and users are read again by themselves"},
		{[]string{"pki"}, "that is `esplanade pki`"},
		{[]string{"version", "--version"}, "that is `esplanade version`"},
	} {
		if slices.Contains(x.commands, command) {
			return fmt.Sprintf("%q is not done here: %s", command, x.instead)
		}
	}
	return fmt.Sprintf("unknown command %q; the commands are status, statusall, up, down, reload and update", command)
}

func newIPsecStatus(use string, all bool) *cobra.Command {
	var socket string
	long := "Status lists the IKE SAs and CHILD SAs in the format of \"ipsec " + use + "\", of all connections or of the one that is named."
	if all {
		long += " It begins with the daemon and its connections."
	}
	c := &cobra.Command{
		Use: use + " [NAME]", Short: "List the SAs as `ipsec " + use + "` does", Long: long,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{c, "one NAME at most"}
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
			s := ipsecStatus{all: all}
			if len(args) > 0 {
				s.name = args[0]
			}
			if err := s.collect(c.Context(), cl); err != nil {
				return cl.explain(err)
			}
			s.print(c.OutOrStdout())
			return nil
		},
	}
	socketFlag(c, &socket)
	return c
}

func newIPsecUp() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use: "up NAME", Short: "Bring a connection or a child up as `ipsec up` does",
		Long:              "Up brings up the connection or the child NAME and waits for the result, as \"ipsec up\" does. The exit code is 1 if it fails.",
		Args:              oneArg("NAME"),
		ValidArgsFunction: completeName(&socket),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := dialPlain(c, socket)
			if err != nil {
				return err
			}
			defer cl.Close()
			connection, child, err := names(c.Context(), cl, args[0])
			if err != nil {
				return err
			}
			if _, err := cl.stream(c.Context(), "initiate", request(connection, child, 0)); err != nil {
				if answered(err) {
					fmt.Fprintf(c.OutOrStdout(), "establishing connection '%s' failed\n", args[0])
				}
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "connection '%s' established successfully\n", args[0])
			return nil
		},
	}
	socketFlag(c, &socket)
	return c
}

// dialPlain reaches the daemon for a command whose lines go to standard output, as those of strongSwan's do.
func dialPlain(c *cobra.Command, socket string) (*client, error) {
	cl, err := dial(c, socket)
	if err == nil {
		cl.log, cl.plain = c.OutOrStdout(), true
	}
	return cl, err
}

// answered reports whether the daemon has said that what it was asked for did not work.
func answered(err error) bool {
	var answer *vici.CommandError
	return errors.As(err, &answer)
}

func newIPsecDown() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use: "down NAME", Short: "Take SAs down as `ipsec down` does",
		Long: `Down closes the IKE SAs of the connection NAME, or the CHILD SAs of the child NAME. As in strongSwan, NAME[3] is the IKE SA with
the number 3, NAME[*] all IKE SAs, NAME{3} the CHILD SA with the number 3, and NAME{*} all CHILD SAs.

They stay down until they are brought up by a command or by the peer: "esplanade terminate" refuses peers as well.`,
		Args:              oneArg("NAME"),
		ValidArgsFunction: completeName(&socket),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := dialPlain(c, socket)
			if err != nil {
				return err
			}
			defer cl.Close()
			m := new(vici.Message)
			name, number, kind := bracketed(args[0])
			switch {
			case kind == "ike" && number != "":
				m.Set("ike-id", number)
			case kind == "ike":
				m.Set("ike", name)
			case kind == "child" && number != "":
				m.Set("child-id", number)
			case kind == "child":
				m.Set("child", name)
			default:
				connection, child, err := names(c.Context(), cl, name)
				if err != nil {
					return err
				}
				m.SetNonEmpty("ike", connection)
				m.SetNonEmpty("child", child)
			}
			if _, err := cl.stream(c.Context(), "terminate", m.Set("loglevel", "1")); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "closing '%s' successfully\n", args[0])
			return nil
		},
	}
	socketFlag(c, &socket)
	return c
}

// bracketed takes strongSwan's names of SAs apart: NAME[3], NAME[*], NAME{3}, NAME{*}. kind is "" for a name alone, and number for all.
func bracketed(arg string) (name, number, kind string) {
	for _, x := range []struct{ open, end, kind string }{{"[", "]", "ike"}, {"{", "}", "child"}} {
		before, rest, found := strings.Cut(arg, x.open)
		inner, closed := strings.CutSuffix(rest, x.end)
		if found && closed {
			if inner == "*" || inner == "" {
				return before, "", x.kind
			}
			return before, inner, x.kind
		}
	}
	return arg, "", ""
}

func newIPsecReload() *cobra.Command {
	c := newReload()
	c.Use, c.Aliases, c.Short = "reload", []string{"update"}, "Have the daemon read its configuration again"
	return c
}
