package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"esplanade/ike/diag"
)

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Explain the code of a failure: what it means and what to do",
		Long: `Explain says what the code of a failure means, at which end it shows, what usually causes it, what to look at and what
to do. Without CODE it lists all codes. Upper and lower case are the same, and "E-" may be left out; the reason label of
a metric (proposal_ike) is accepted as well. No daemon is needed.`,
		Example:           "  esplanade explain E-PROPOSAL-IKE",
		Args:              atMostOneArg("CODE"),
		ValidArgsFunction: completeCode,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				listCodes(c.OutOrStdout())
				return nil
			}
			code, ok := diag.ParseCode(args[0])
			if !ok {
				return unknownCode(args[0])
			}
			x, _ := diag.Explain(code)
			explain(c.OutOrStdout(), x)
			return nil
		},
	}
}

// completeCode completes codes, with their titles where the shell shows them.
func completeCode(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var list []string
	for _, c := range diag.Codes() {
		if x, _ := diag.Explain(c); strings.HasPrefix(string(c), strings.ToUpper(typed)) {
			list = append(list, cobra.CompletionWithDesc(string(c), x.Title))
		}
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}

// unknownCode is the error for what is not a code.
func unknownCode(s string) error {
	var like []string
	for _, c := range diag.NearestCodes(s) {
		like = append(like, string(c))
	}
	hint := "`esplanade explain` lists all codes"
	if len(like) > 0 {
		hint = "did you mean " + strings.Join(like, " or ") + "? " + hint
	}
	return fmt.Errorf("there is no code %q; %s", s, hint)
}

func listCodes(w io.Writer) {
	codes, width := diag.Codes(), 0
	for _, c := range codes {
		width = max(width, len(c))
	}
	for _, c := range codes {
		x, _ := diag.Explain(c)
		fmt.Fprintf(w, "%-*s  %s\n", width, c, x.Title)
	}
}

// explain prints what a code means, for a terminal.
func explain(w io.Writer, x diag.Explanation) {
	fmt.Fprintf(w, "%s: %s\n", x.Code, x.Title)
	section := func(title string, paragraphs ...string) {
		fmt.Fprintf(w, "\n%s\n", title)
		mark := "  "
		if len(paragraphs) > 1 {
			mark = "  - "
		}
		for _, p := range paragraphs {
			fmt.Fprint(w, wrap(sentence(p), mark))
		}
	}
	section("What it means", x.Meaning)
	section("Where it shows", x.SeenBy)
	section("Usual causes", x.Causes...)
	section("What to look at", x.LookAt...)
	section("What to do", x.Fix)
	if x.FixByPeer != "" {
		section("What to do when the peer reports it", x.FixByPeer)
	}
}

// sentence begins with a capital: a fix stands behind "Fix: " elsewhere. What begins with a name of the configuration or a command is
// left as it is.
func sentence(s string) string {
	if first, _, _ := strings.Cut(s, " "); strings.ContainsAny(first, "_.`") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// explainWidth is the width of a terminal that everybody has.
const explainWidth = 80

// wrap breaks text into lines of at most explainWidth. The first begins with mark, the others are indented as far. What stands between
// backquotes is kept in one piece, because it is there to be copied.
func wrap(text, mark string) string {
	var b strings.Builder
	line := mark
	empty := true
	for _, word := range words(text) {
		if !empty && len(line)+1+len(word) > explainWidth {
			b.WriteString(line + "\n")
			line, empty = strings.Repeat(" ", len(mark)), true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	return b.String() + line + "\n"
}

// words splits text at its spaces, except those between backquotes.
func words(text string) []string {
	var list []string
	quoted := false
	for _, w := range strings.Fields(text) {
		if quoted {
			list[len(list)-1] += " " + w
		} else {
			list = append(list, w)
		}
		if strings.Count(w, "`")%2 == 1 {
			quoted = !quoted
		}
	}
	return list
}
