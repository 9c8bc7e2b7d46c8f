package command

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
)

func TestStatus(t *testing.T) {
	parse := func(args []string, w io.Writer) (n int, err error) {
		f := flag.NewFlagSet("x", flag.ContinueOnError)
		f.SetOutput(w)
		f.IntVar(&n, "n", 7, "a number")
		return n, Parse(f, args)
	}
	for _, c := range []struct {
		args     string
		ran      int
		err      error
		want     int
		contains string
	}{
		{args: "", ran: 7},
		{args: "-n 3", ran: 3},
		{args: "-n 3", ran: 3, err: errors.New("no luck"), want: exitFailed, contains: "x: no luck\n"},
		{args: "-n many", want: exitUsage, contains: "usage"},
		{args: "surplus", want: exitUsage, contains: `what is "surplus"?`},
		{args: "-h", contains: "a number"},
	} {
		var out strings.Builder
		ran := 0
		got := status("x", strings.Fields(c.args), &out, parse, func(n int) error { ran = n; return c.err })
		if got != c.want || ran != c.ran || !strings.Contains(out.String(), c.contains) {
			t.Errorf("%q: status %d, ran with %d, said %q", c.args, got, ran, out.String())
		}
	}
}

func TestParseSaysUsage(t *testing.T) {
	for _, args := range []string{"-unknown", "surplus"} {
		f := flag.NewFlagSet("x", flag.ContinueOnError)
		f.SetOutput(io.Discard)
		if err := Parse(f, strings.Fields(args)); !errors.Is(err, ErrUsage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
