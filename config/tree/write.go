package tree

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// FormatTOML writes a document: what [ParseTOML] reads as t, and the comments. Keys of a table are in their order, and the tables below it, in
// theirs, behind them. A table that has neither keys nor comments but tables has no header of its own.
//
// Texts must be UTF-8: what is not has no form in TOML, and comes out as U+FFFD.
func FormatTOML(t *Table) string {
	var w tomlWriter
	w.table(nil, t, Comment{}, "")
	return w.String()
}

// tomlWriter writes tables.
type tomlWriter struct{ strings.Builder }

// table writes a table with its header: of an array of tables, where the brackets are two. above is what was written above its header.
func (w *tomlWriter) table(path []string, t *Table, c Comment, brackets string) {
	var keys, below []Entry
	for e := range t.All() {
		if isBelow(e.Value.Data) {
			below = append(below, e)
		} else {
			keys = append(keys, e)
		}
	}
	foot := trimBoth(t.Foot())
	above := trimBlank(c.Above)
	if header := len(keys) > 0 || len(below) == 0 || c.Beside != "" || brackets == "[["; len(path) > 0 && header {
		w.gap()
		w.comments(above)
		fmt.Fprintf(w, "%s%s%s%s\n", brackets, KeyName(path...), strings.Repeat("]", len(brackets)), beside(c.Beside))
		above = nil
	}
	w.keys(keys)
	// What is said of the whole goes to its end. Behind other tables it would be read as theirs.
	last := len(keys) == 0 || len(path) == 0
	if !last {
		w.comments(foot)
	}
	for i, e := range below {
		if i == 0 && len(above) > 0 {
			e.Comment.Above = append(slices.Clip(append(above, "")), e.Comment.Above...)
		}
		sub := append(slices.Clip(path), e.Name)
		switch data := e.Value.Data.(type) {
		case *Table:
			w.table(sub, data, e.Comment, "[")
		case Tables:
			for j, x := range data {
				if j > 0 {
					e.Comment = Comment{}
				}
				w.table(sub, x, e.Comment, "[[")
			}
		}
	}
	if last && len(foot) > 0 {
		if len(below) > 0 || len(keys) > 0 {
			w.gap()
		}
		w.comments(foot)
	}
}

// isBelow reports whether a value is written with a header.
func isBelow(data any) bool {
	switch data.(type) {
	case *Table, Tables:
		return true
	}
	return false
}

// gap writes an empty line, unless nothing is above it.
func (w *tomlWriter) gap() {
	if w.Len() > 0 && !strings.HasSuffix(w.String()[max(0, w.Len()-2):], "\n\n") {
		w.WriteByte('\n')
	}
}

// keys writes keys with their values, one below the other.
func (w *tomlWriter) keys(list []Entry) {
	width := 0
	for _, e := range list {
		width = max(width, utf8.RuneCountInString(KeyName(e.Name)))
	}
	for i, e := range list {
		above := trimBlank(e.Comment.Above)
		if i == 0 && w.Len() == 0 || len(e.Comment.Above) > 0 && e.Comment.Above[0] == "" && i > 0 {
			w.gap()
		}
		w.comments(above)
		name := KeyName(e.Name)
		fmt.Fprintf(w, "%s%s = %s%s\n", name, strings.Repeat(" ", width-utf8.RuneCountInString(name)), tomlValue(e.Value.Data), beside(e.Comment.Beside))
	}
}

// comments writes lines of comment.
func (w *tomlWriter) comments(lines []string) {
	for _, l := range lines {
		if l == "" {
			w.gap()
			continue
		}
		for part := range strings.SplitSeq(l, "\n") {
			w.WriteString(strings.TrimRight("# "+printable(part), " ") + "\n")
		}
	}
}

// beside is a comment at the end of a line.
func beside(text string) string {
	if text == "" {
		return ""
	}
	return strings.TrimRight("  # "+strings.ReplaceAll(printable(text), "\n", " "), " ")
}

// printable leaves the control characters out, which a comment of TOML must not have.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}

// trimBlank is lines without empty ones at the beginning, and trimBoth without those at the end.
func trimBlank(lines []string) []string {
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	return lines
}

func trimBoth(lines []string) []string {
	for lines = trimBlank(lines); len(lines) > 0 && lines[len(lines)-1] == ""; {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// maxLine is how long a line with a list gets before each element has its own, in bytes.
const maxLine = 120

// tomlValue writes a value.
func tomlValue(data any) string {
	switch x := data.(type) {
	case string:
		return QuoteTOML(x)
	case Text:
		return QuoteTOML(string(x))
	case Date:
		return string(x)
	case float64:
		s := strconv.FormatFloat(x, 'g', -1, 64)
		if strings.Trim(s, "-0123456789") == "" {
			s += ".0"
		}
		return strings.ToLower(strings.TrimPrefix(s, "+"))
	case List:
		var parts []string
		size := 0
		for _, v := range x {
			parts = append(parts, tomlValue(v.Data))
			size += len(parts[len(parts)-1]) + 2
		}
		if size > maxLine && len(parts) > 1 {
			return "[\n  " + strings.Join(parts, ",\n  ") + ",\n]"
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *Table:
		var parts []string
		for e := range x.All() {
			parts = append(parts, KeyName(e.Name)+" = "+tomlValue(e.Value.Data))
		}
		if len(parts) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	}
	return fmt.Sprint(data) // int64 and bool
}

// QuoteTOML writes a text in TOML's quotes.
func QuoteTOML(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
