// Package commandtest parses the arguments of a subcommand for its tests.
package commandtest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"esplanade/bench/command"
)

// Parse gives the options that a subcommand, which subcommand makes, would run with. The arguments are separated by spaces.
func Parse[O any](subcommand func(run func(context.Context, O) error) *cobra.Command, args string) (got O, err error) {
	c := subcommand(func(_ context.Context, o O) error { got = o; return nil })
	c.SetArgs(strings.Fields(args))
	c.SetOut(io.Discard)
	c.SetErr(io.Discard)
	return got, c.Execute()
}

// Refused checks that a subcommand refuses each of these arguments, as an error in their use.
func Refused[O any](t *testing.T, subcommand func(run func(context.Context, O) error) *cobra.Command, each ...string) {
	t.Helper()
	for _, args := range each {
		if _, err := Parse(subcommand, args); !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
