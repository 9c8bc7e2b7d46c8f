package proof

import (
	"context"

	"esplanade/bench/contest"
)

// Run is a subcommand that needs the lab: it measures, with what the builder builds, and reports what it has found under the
// conditions that there were at the beginning. line is its command line.
func Run[R any](ctx context.Context, name, line string, measure func(context.Context, *contest.Builder) (R, error), report func(R, Conditions) error) error {
	return contest.Run(ctx, name, func(ctx context.Context, b *contest.Builder) error {
		c := Look(ctx, b.Root, line)
		r, err := measure(ctx, b)
		if err != nil {
			return err
		}
		return report(r, c)
	})
}
