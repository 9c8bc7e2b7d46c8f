package command

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

type options struct {
	Common
	n    int
	fast bool
}

func (o *options) Flags(f *pflag.FlagSet) {
	f.IntVarP(&o.n, "count", "n", 7, "a number")
	f.BoolVar(&o.fast, "fast", false, "in a hurry")
}

func (o *options) Check() error {
	if o.n < 0 {
		return errors.Join(ErrUsage, errors.New("less than nothing"))
	}
	return nil
}

func TestExecute(t *testing.T) {
	for _, c := range []struct {
		args     string
		ran      int
		line     string
		err      error
		want     int
		contains string
	}{
		{args: "x", ran: 7, line: "go run ./bench x"},
		{args: "x --fast -n 3 --out there", ran: 3, line: "go run ./bench x --fast --count 3 --out there"},
		{args: "x --count 3", ran: 3, line: "go run ./bench x --count 3", err: errors.New("no luck"), want: exitFailed, contains: "bench x: no luck\n"},
		{args: "x -n many", want: exitUsage, contains: "usage"},
		{args: "x -n -1", want: exitUsage, contains: "less than nothing"},
		{args: "x surplus", want: exitUsage, contains: `what is "surplus"?`},
		{args: "x --help", contains: "a number"},
		{args: "x -h", contains: "Needs: a quiet machine.\nResults: x.md, in the directory that --out names."},
		{args: "help x", contains: "a number"},
		{args: "", contains: "does a thing (needs a quiet machine; writes x.md)"},
		{args: "y", want: exitUsage, contains: `no subcommand "y"`},
		{args: "--unknown", want: exitUsage, contains: "usage"},
	} {
		var out strings.Builder
		ran := &options{}
		x := New(Text{Name: "x", Short: "does a thing", Long: "It does.", Needs: "a quiet machine", Results: "x.md"}, &options{},
			func(_ context.Context, o *options) error { ran = o; return c.err })
		got := Execute(t.Context(), Root(Text{Name: "bench", Short: "s", Long: "l"}, x), strings.Fields(c.args), &out, &out)
		if got != c.want || ran.n != c.ran || !strings.Contains(out.String(), c.contains) {
			t.Errorf("%q: status %d, ran with %d, said %q", c.args, got, ran.n, out.String())
		}
		if ran.Line != c.line {
			t.Errorf("%q: noted as %q", c.args, ran.Line)
		}
	}
}
