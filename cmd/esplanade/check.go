package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"esplanade/config"
)

func newCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Validate a configuration file",
		Long: `Check reads a configuration and says everything that is wrong with it at once, as file:line:column with what would be
right. Nothing is touched. The exit code is 1 if there is an error; warnings alone do not count as one.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			conf, err := config.Load(args[0])
			if err != nil {
				fmt.Fprintln(c.ErrOrStderr(), err)
				return silentError{}
			}
			for _, w := range conf.Warnings {
				fmt.Fprintln(c.ErrOrStderr(), "warning: "+w.String())
			}
			var names []string
			for _, n := range conf.Connections {
				for _, h := range n.Children {
					names = append(names, fmt.Sprintf("%s/%s (%s)", n.Name, h.Name, h.StartAction))
				}
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is valid: %s\n", args[0], strings.Join(names, ", "))
			return nil
		},
	}
}

// load reads a configuration for a command that goes on with it, and shows its warnings.
func load(path string) (*config.Config, error) {
	conf, err := config.Load(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return nil, silentError{}
	}
	return conf, nil
}
