// Package proof is what a run of a subcommand is held to: verdicts, and the conditions under which they were found.
package proof

import (
	"errors"
	"fmt"
	"strings"

	"esplanade/bench/document"
)

// Verdict is one thing that is asked of a run.
type Verdict struct {
	What  string
	Found string
	Bound string // empty: it is only shown
	Ok    bool
}

// Shown is a figure of which nothing is asked.
func Shown(what, format string, args ...any) Verdict {
	return Verdict{What: what, Found: fmt.Sprintf(format, args...), Ok: true}
}

// AtMost asks that a figure is not above a bound.
func AtMost(what string, found, bound float64, format string) Verdict {
	return Verdict{What: what, Found: fmt.Sprintf(format, found), Bound: "≤ " + fmt.Sprintf(format, bound), Ok: found <= bound}
}

// AtLeast asks that a figure is not below a bound. What was not found out, NaN, is neither.
func AtLeast(what string, found, bound float64, format string) Verdict {
	return Verdict{What: what, Found: fmt.Sprintf(format, found), Bound: "≥ " + fmt.Sprintf(format, bound), Ok: found >= bound}
}

// None asks that nothing is counted by any of the names.
func None(what string, counted map[string]uint64, names []string) Verdict {
	var found []string
	for _, name := range names {
		if n := counted[name]; n > 0 {
			found = append(found, fmt.Sprintf("%s %d", name, n))
		}
	}
	v := Verdict{What: what, Found: "none", Bound: "none", Ok: len(found) == 0}
	if !v.Ok {
		v.Found = strings.Join(found, ", ")
	}
	return v
}

// ErrFailed says that a run is not what was asked of it.
var ErrFailed = errors.New("not what was asked")

// Check is an error if one of the verdicts is bad.
func Check(verdicts []Verdict) error {
	var bad []string
	for _, v := range verdicts {
		if !v.Ok {
			bad = append(bad, fmt.Sprintf("%s: %s, asked: %s", v.What, v.Found, v.Bound))
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf("%w: %s", ErrFailed, strings.Join(bad, "; "))
	}
	return nil
}

// Faults are what is wrong with a run that is not judged by figures alone.
type Faults []error

// Must adds a fault unless all is well.
func (f *Faults) Must(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

// Sentence is what became of a run in words: that all is well, or what is not.
func Sentence(err error, well string) string {
	if err == nil {
		return well
	}
	return "FAILED: " + strings.ReplaceAll(err.Error(), "\n", "; ") + "."
}

// Err is nil if there are none.
func (f Faults) Err() error { return errors.Join(f...) }

// Table writes verdicts as a table in Markdown.
func Table(verdicts []Verdict) string {
	t := document.NewTable("", "found", "asked", "")
	for _, v := range verdicts {
		asked, end := v.Bound, "kept"
		switch {
		case v.Bound == "":
			asked, end = "–", ""
		case !v.Ok:
			end = "**not kept**"
		}
		t.Row(v.What, v.Found, asked, end)
	}
	return t.String()
}
