package strongswan

import (
	"fmt"
	"strings"

	"esplanade/config/tree"
)

// Format writes sections as swanctl.conf and strongswan.conf have them. All values are texts.
func Format(t *tree.Table) string {
	var b strings.Builder
	format(&b, t, 0)
	return b.String()
}

func format(b *strings.Builder, t *tree.Table, depth int) {
	indent := strings.Repeat("  ", depth)
	comments := func(lines []string) {
		for _, l := range lines {
			if l == "" {
				b.WriteByte('\n')
				continue
			}
			fmt.Fprintf(b, "%s# %s\n", indent, strings.ReplaceAll(l, "\n", " "))
		}
	}
	for e := range t.All() {
		comments(e.Comment.Above)
		beside := ""
		if e.Comment.Beside != "" {
			beside = "  # " + strings.ReplaceAll(e.Comment.Beside, "\n", " ")
		}
		if sub, ok := e.Value.Data.(*tree.Table); ok {
			fmt.Fprintf(b, "%s%s {%s\n", indent, e.Name, beside)
			format(b, sub, depth+1)
			fmt.Fprintf(b, "%s}\n", indent)
			continue
		}
		text, _ := value(e)
		fmt.Fprintf(b, "%s%s = %s%s\n", indent, e.Name, quoted(text), beside)
	}
	comments(t.Foot())
}

// quoted is a value, in quotes where it would be read as something else without.
func quoted(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@:/%*|, ") == "" && strings.TrimSpace(s) == s && !strings.Contains(s, "  ") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}

// sectionName is a name of ours as that of a section, where a few characters have a meaning.
func sectionName(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`.,:{}=#"$ `+"\t", r) {
			return '_'
		}
		return r
	}, s)
}
