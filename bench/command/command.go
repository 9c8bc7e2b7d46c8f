// Package command is what the subcommands of bench have in common: how they are declared, how they begin and end, and how
// they name what they were asked for.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ErrUsage is wrapped by errors about the arguments.
var ErrUsage = errors.New("usage")

// Exit statuses other than 0.
const (
	exitFailed = 1
	exitUsage  = 2
)

// Text is what a subcommand says of itself.
type Text struct {
	Name  string
	Short string // half a line
	Long  string // sentences
	// Needs is what it needs of the machine; empty: nothing but Go.
	Needs string
	// Results are the files that it writes to its directory.
	Results string
}

// Common are the options of every subcommand, to be embedded in its own.
type Common struct {
	// Out is the directory of the results.
	Out string
	// Line is the command line, for reports. It is filled in when the subcommand runs.
	Line string
}

func (c *Common) common() *Common { return c }

// Options are those of one subcommand. They embed [Common].
type Options interface {
	// Flags declares them.
	Flags(f *pflag.FlagSet)
	// Check says what is wrong with them when they have been parsed; its error wraps ErrUsage.
	Check() error
	common() *Common
}

// New makes a subcommand. run has a context that an interrupt ends.
func New[O Options](t Text, o O, run func(ctx context.Context, o O) error) *cobra.Command {
	needs := t.Needs
	if needs == "" {
		needs = "nothing but Go"
	}
	c := &cobra.Command{
		Use:   t.Name,
		Short: fmt.Sprintf("%s (needs %s; writes %s)", t.Short, needs, t.Results),
		Long:  fmt.Sprintf("%s\n\nNeeds: %s.\nResults: %s, in the directory that --out names.", t.Long, needs, t.Results),
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.Check(); err != nil {
				return err
			}
			o.common().Line = line(c)
			return run(c.Context(), o)
		},
		SilenceErrors: true, SilenceUsage: true, DisableFlagsInUseLine: true,
	}
	c.Flags().SortFlags = false // in the order in which they are declared, and noted in that in which they are given
	o.Flags(c.Flags())
	c.Flags().StringVar(&o.common().Out, "out", "bench/results", "`directory` of the results")
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", ErrUsage, err) })
	return c
}

// noArgs refuses what is left over.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: what is %q?", ErrUsage, args[0])
	}
	return nil
}

// line is what a subcommand was called with.
func line(c *cobra.Command) string {
	words := []string{"go", "run", "./bench", c.Name()}
	c.Flags().Visit(func(f *pflag.Flag) {
		words = append(words, "--"+f.Name)
		if list, ok := f.Value.(pflag.SliceValue); ok {
			words = append(words, strings.Join(list.GetSlice(), ","))
		} else if f.Value.Type() != "bool" {
			words = append(words, f.Value.String())
		}
	})
	return strings.Join(words, " ")
}

// Root makes the command that has the subcommands.
func Root(t Text, subcommands ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use: t.Name, Short: t.Short, Long: t.Long,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%w: there is no subcommand %q; see --help", ErrUsage, args[0])
			}
			return nil
		},
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", ErrUsage, err) })
	root.AddCommand(subcommands...)
	return root
}

// Execute runs a root and gives the exit status of what became of it. A request for help is no failure.
func Execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "%s: %v\n", c.CommandPath(), err)
	if errors.Is(err, ErrUsage) {
		return exitUsage
	}
	return exitFailed
}

// Wait lets d pass, unless ctx ends before.
func Wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
