package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// usageError is a command line that is not one.
type usageError struct {
	command *cobra.Command
	what    string
}

func (e usageError) Error() string {
	return fmt.Sprintf("%s; see `%s --help`", e.what, e.command.CommandPath())
}

// noArgs is for commands without arguments.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{c, fmt.Sprintf("%s takes no argument, not %q", c.Name(), args[0])}
	}
	return nil
}

// oneArg is for commands with one argument, called name in their usage.
func oneArg(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usageError{c, fmt.Sprintf("%s needs a %s", c.Name(), name)}
		case len(args) > 1:
			return usageError{c, fmt.Sprintf("%s takes one %s, not %d", c.Name(), name, len(args))}
		case args[0] == "":
			return usageError{c, fmt.Sprintf("%s needs a %s, not an empty one", c.Name(), name)}
		}
		return nil
	}
}

// atMostOneArg is for commands whose one argument may be missing.
func atMostOneArg(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return oneArg(name)(c, args)
	}
}

// subcommand is for commands that only have subcommands: an argument that came here is none of them.
func subcommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	what := fmt.Sprintf("there is no command %q", args[0])
	if s := c.SuggestionsFor(args[0]); len(s) > 0 {
		what += "; did you mean " + strings.Join(s, " or ") + "?"
		return usageError{c, what}
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			names = append(names, sub.Name())
		}
	}
	return usageError{c, what + "; there are " + strings.Join(names, ", ")}
}
