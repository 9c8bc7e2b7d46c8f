package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"esplanade/ike/vici"
)

// names splits CONNECTION/CHILD. A single name may be either; which one it is, the daemon's list of connections says.
func names(ctx context.Context, c *client, arg string) (connection, child string, err error) {
	if conn, ch, ok := strings.Cut(arg, "/"); ok {
		return conn, ch, nil
	}
	m, err := c.call(ctx, "get-conns", new(vici.Message).SetYes("all", true))
	if err != nil {
		return "", "", err
	}
	for _, n := range m.List("conns") {
		if n == arg {
			return arg, "", nil
		}
	}
	return "", arg, nil
}

// request makes the message of a command about a connection or child.
func request(connection, child string, timeout time.Duration) *vici.Message {
	m := new(vici.Message)
	if child != "" {
		m.Set("child", child)
	}
	if connection != "" {
		m.Set("ike", connection)
	}
	if timeout != 0 {
		m.Set("timeout", strconv.FormatInt(max(timeout.Milliseconds(), 1), 10))
	}
	m.Set("loglevel", "1")
	return m
}

// act runs a command against the daemon.
func act(c *cobra.Command, socket, command, arg string, timeout time.Duration) (*vici.Message, error) {
	if timeout < 0 {
		return nil, usageError{c, fmt.Sprintf("--timeout is %s: it must not be negative", timeout)}
	}
	cl, err := dial(c, socket)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	connection, child, err := names(c.Context(), cl, arg)
	if err != nil {
		return nil, err
	}
	m := request(connection, child, timeout)
	switch command {
	case "terminate":
		m.Set("hold", "yes")
	case "initiate":
		m.Set("children", "yes")
	}
	return cl.stream(c.Context(), command, m)
}

// renewOptions are the flags of rekey.
type renewOptions struct {
	reauth, noWait bool
	timeout        time.Duration
}

// renew has the daemon rekey what an argument names, or reauthenticate at a connection.
func renew(c *cobra.Command, socket, arg string, o renewOptions) (*vici.Message, error) {
	switch {
	case o.timeout < 0:
		return nil, usageError{c, fmt.Sprintf("--timeout is %s: it must not be negative", o.timeout)}
	case o.noWait && o.timeout != 0:
		return nil, usageError{c, "--timeout is how long to wait, and --no-wait not to: give one of them"}
	}
	cl, err := dial(c, socket)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	connection, child, err := names(c.Context(), cl, arg)
	if err != nil {
		return nil, err
	}
	m := request(connection, child, o.timeout)
	if o.reauth {
		if child != "" {
			if is, err := isChild(c.Context(), cl, connection, child); err != nil {
				return nil, err
			} else if !is {
				return nil, fmt.Errorf("there is no connection named %q; see `esplanade status`", arg)
			}
			return nil, usageError{c, fmt.Sprintf("--reauth is for a connection, and %s is a child: name its connection", arg)}
		}
		m.Set("reauth", "yes")
	}
	if o.noWait {
		return cl.call(c.Context(), "rekey", m)
	}
	return cl.stream(c.Context(), "rekey", m.Set("wait", "yes"))
}

// isChild reports whether the daemon has a child of that name; connection may be empty.
func isChild(ctx context.Context, cl *client, connection, child string) (bool, error) {
	s, err := cl.status(ctx, "")
	if err != nil {
		return false, err
	}
	for _, n := range s.Connections {
		for _, h := range n.Children {
			if h.Name == child && (connection == "" || connection == n.Name) {
				return true, nil
			}
		}
	}
	return false, nil
}

// completeName completes the names that a running daemon knows.
func completeName(socket *string) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		cl, err := dial(c, *socket)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer cl.Close()
		s, err := cl.status(c.Context(), "")
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, n := range s.Connections {
			names = append(names, n.Name)
			for _, h := range n.Children {
				names = append(names, n.Name+"/"+h.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func newInitiate() *cobra.Command {
	var socket string
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "initiate NAME",
		Short: "Bring a child or a connection up",
		Long: `Initiate brings up the child NAME, or all children of the connection NAME (CONNECTION/CHILD names one exactly), and
waits until it is up. If that fails, it says why, and the exit code is 1.`,
		Args:              oneArg("NAME"),
		ValidArgsFunction: completeName(&socket),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := act(c, socket, "initiate", args[0], timeout); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), args[0]+" is up")
			return nil
		},
	}
	socketFlag(c, &socket)
	c.Flags().DurationVar(&timeout, "timeout", 0, "how long to wait, such as 10s; 0 waits for the result")
	return c
}

func newTerminate() *cobra.Command {
	var socket string
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "terminate NAME",
		Short: "Take a child or a connection down",
		Long: `Terminate takes down the child NAME, or the connection NAME with all its children and all its peers, and waits until they
are gone. They stay down until "esplanade initiate", also where the configuration wants them up: a peer that asks for them is
refused. A reload does not change that, a restart of the daemon does. To end one SA that may come up again, and to take a
connection down as strongSwan does, so that only its peer may bring it up again, use "swanctl --terminate".`,
		Args:              oneArg("NAME"),
		ValidArgsFunction: completeName(&socket),
		RunE: func(c *cobra.Command, args []string) error {
			m, err := act(c, socket, "terminate", args[0], timeout)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is down (%s), and kept down until `esplanade initiate %s`\n", args[0], sas(m.Get("terminated")), args[0])
			return nil
		},
	}
	socketFlag(c, &socket)
	c.Flags().DurationVar(&timeout, "timeout", 0, "how long to wait, such as 10s; 0 waits for the result")
	return c
}

func newRekey() *cobra.Command {
	var socket string
	var o renewOptions
	c := &cobra.Command{
		Use:   "rekey NAME",
		Short: "Replace the keys of a child or a connection",
		Long: `Rekey rekeys the SAs of the child NAME, or the IKE SA of the connection NAME, and waits until that is done. Traffic goes on
meanwhile. If it fails, it says why, and the exit code is 1. With --reauth a new IKE SA, for which both
sides prove again who they are, takes the place of the connection's.`,
		Args:              oneArg("NAME"),
		ValidArgsFunction: completeName(&socket),
		RunE: func(c *cobra.Command, args []string) error {
			m, err := renew(c, socket, args[0], o)
			if err != nil {
				return err
			}
			what := map[renewOptions]string{
				{}: "%s is rekeyed (%s)\n", {reauth: true}: "%s is reauthenticated (%s)\n",
				{noWait: true}: "rekeying %s (%s)\n", {reauth: true, noWait: true}: "reauthenticating %s (%s)\n",
			}[renewOptions{reauth: o.reauth, noWait: o.noWait}]
			fmt.Fprintf(c.OutOrStdout(), what, args[0], sas(m.Get("matches")))
			return nil
		},
	}
	c.Flags().BoolVar(&o.reauth, "reauth", false, "reauthenticate, with a new IKE SA")
	c.Flags().BoolVar(&o.noWait, "no-wait", false, "begin, and do not wait for the result")
	c.Flags().DurationVar(&o.timeout, "timeout", 0, "how long to wait, such as 10s; 0 waits for the result")
	socketFlag(c, &socket)
	return c
}

// sas is a number of SAs.
func sas(n string) string {
	if n == "1" {
		return "1 SA"
	}
	return n + " SAs"
}
