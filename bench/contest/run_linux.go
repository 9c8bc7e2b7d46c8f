package contest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"esplanade/integration/lab"
)

// Run runs a subcommand's work that needs the lab: it says what this machine lacks for it, and gives a builder with a directory that
// goes when the work is done. programs are needed besides those of the lab; each is a Debian package of its
// name.
func Run(ctx context.Context, name string, work func(ctx context.Context, b *Builder) error, programs ...string) error {
	if missing := lab.Missing(programs...); len(missing) > 0 {
		packages := slices.Concat([]string{"iproute2", "ethtool"}, programs)
		return fmt.Errorf("this machine lacks: %s (Debian: %s)", strings.Join(missing, "; "), strings.Join(packages, " "))
	}
	dir, err := os.MkdirTemp("", name)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b, err := NewBuilder(ctx, dir)
	if err != nil {
		return err
	}
	return work(ctx, b)
}
