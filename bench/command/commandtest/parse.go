// Package commandtest parses the arguments of a subcommand for its tests.
package commandtest

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Parse gives the options that a subcommand, which command makes, would run with. The arguments are separated by spaces.
func Parse[O any](command func(run func(context.Context, O) error) *cobra.Command, args string) (got O, err error) {
	c := command(func(_ context.Context, o O) error { got = o; return nil })
	c.SetArgs(strings.Fields(args))
	c.SetOut(io.Discard)
	c.SetErr(io.Discard)
	return got, c.Execute()
}
