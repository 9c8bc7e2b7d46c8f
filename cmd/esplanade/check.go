package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"esplanade/config"
	"esplanade/ike/policy"
)

func newCheck() *cobra.Command {
	from, as, explain := source{}, "", false
	c := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Validate a configuration file",
		Long: `Check reads a configuration and reports every error at once as file:line:column, with a suggested fix. It also shows how the
tunnels meet the routes of the host that it runs on: what they would take, and what keeps its way. Nothing is touched. FILE, which may also be named with -c as for run, is
` + defaultConfig + ` if it is left out. With --user root reads the files as the user that the service runs as: what that user may read, and the keys that belong to it. With --explain
every key is listed with the value that it has, and where that comes from: the line that has it, the line of preset or pools that brings it,
"inferred" for what follows from others, or "default". With --swanctl it checks a folder of swanctl as run would read it; FILE is what lies above it then. The exit code is 1 if there is an error; warnings alone do not count as one.`,
		Args:              atMostOneArg("FILE"),
		ValidArgsFunction: completeFile,
		RunE: func(c *cobra.Command, args []string) error {
			if as != "" {
				if err := becomeUser(as); err != nil {
					return err
				}
			}
			switch {
			case len(args) == 1 && from.file != "":
				return usageError{c, fmt.Sprintf("check takes one FILE, not %s and %s", from.file, args[0])}
			case len(args) == 1:
				from.file = args[0]
			case from.file == "" && from.folder == "":
				from.file = defaultConfig
			}
			if err := from.check(c, from.file != ""); err != nil {
				return err
			}
			conf, err := from.load(c.ErrOrStderr())
			if err != nil {
				return err
			}
			for _, n := range conf.Notes {
				fmt.Fprintln(c.ErrOrStderr(), "note: "+n.String())
			}
			for _, w := range append(slices.Clone(conf.Warnings), conf.CertificateRemarks(time.Now())...) {
				fmt.Fprintln(c.ErrOrStderr(), "warning: "+w.String())
			}
			host := readHost(conf.TUN.Name)
			for _, r := range hostRemarks(conf, host) {
				fmt.Fprintln(c.ErrOrStderr(), r)
			}
			for _, line := range hostOverlaps(conf, host.routes) {
				fmt.Fprintln(c.ErrOrStderr(), line)
			}
			if explain {
				explainSettings(c.OutOrStdout(), conf.Settings())
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is valid: %s\n", from.name(), childrenOf(conf))
			return nil
		},
	}
	c.Flags().StringVarP(&from.file, "config", "c", "", "the configuration `file`, in place of FILE")
	from.flags(c)
	c.Flags().BoolVar(&explain, "explain", false, "list every key with its value, and where that comes from")
	c.Flags().StringVar(&as, "user", "", "check as this user, that of the service; only root can")
	_ = c.RegisterFlagCompletionFunc("config", completeFile) // fails for a flag that is not there
	return c
}

// explainSettings lists keys with their values, below the names of their tables, as a configuration would have them.
func explainSettings(w io.Writer, list []config.Setting) {
	table := ""
	for _, s := range list {
		if s.Table != table {
			if table != "" {
				fmt.Fprintln(w)
			}
			table = s.Table
			fmt.Fprintf(w, "[%s]\n", table)
		}
		fmt.Fprintf(w, "%-50s # %s\n", s.Key+" = "+s.Value, s.From)
	}
	fmt.Fprintln(w)
}

// maxListed is how many children a configuration may have to be listed one by one.
const maxListed = 4

// childrenOf lists what a configuration would bring up, or counts it where that is much.
func childrenOf(conf *config.Config) string {
	var names []string
	var count [policy.StartStart + 1]int
	for _, n := range conf.Connections {
		for _, h := range n.Children {
			names = append(names, fmt.Sprintf("%s/%s (%s)", n.Name, h.Name, h.StartAction))
			count[h.StartAction]++
		}
	}
	if len(names) > maxListed {
		var parts []string
		for _, a := range []policy.StartAction{policy.StartStart, policy.StartTrap, policy.StartNone} {
			if n := count[a]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, a))
			}
		}
		return fmt.Sprintf("%s, %d children (%s)", plural(len(conf.Connections), "connection"), len(names), strings.Join(parts, ", "))
	}
	switch {
	case len(conf.Connections) == 0:
		return "no connection"
	case len(names) == 0:
		return plural(len(conf.Connections), "connection") + " without children"
	}
	return strings.Join(names, ", ")
}

// unreadable is the error about a configuration that is not there to be read.
func unreadable(path string, err error) error {
	var one *fileError
	if errors.As(err, &one) {
		path, err = one.file, one.err
	}
	fix := "name a file that can be read"
	switch {
	case path == "-":
		return errors.New("a configuration is read from a file, not from standard input: it names other files beside it, and is read " +
			"again; write it to a file and name that one")
	case errors.Is(err, fs.ErrNotExist):
		fix = "write one (docs/examples has some), or name another file"
	case errors.Is(err, syscall.ENOTDIR):
		fix = "name a folder with --swanctl, not its swanctl.conf"
	case errors.Is(err, fs.ErrPermission):
		fix = "run as the user who may read it, or let this one read it"
	}
	var wrong *config.FileError
	if errors.As(err, &wrong) {
		err = errors.New(strings.TrimPrefix(wrong.What, strconv.Quote(path)+" "))
		fix = "write the configuration to a file and name that one"
	}
	// The system's error names the path as well: once is enough.
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("cannot read the configuration %s: %w; %s", path, err, fix)
}

// completeFile completes the names of configurations.
func completeFile(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"toml"}, cobra.ShellCompDirectiveFilterFileExt
}
