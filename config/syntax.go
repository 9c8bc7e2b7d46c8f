package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"esplanade/config/tree"
)

// maxSyntaxErrors bounds how many errors of syntax are looked for: each costs another reading of the text.
const maxSyntaxErrors = 20

// syntaxProblems lists what is not TOML in a text: the error that it was given up with, and then, as long as an error is one of a single
// line, those that are left without that line. What the keys and tables mean is not looked at before the text is right: lines that can't be
// read are missing.
func syntaxProblems(name, text string, err error) (out Errors) {
	lines := strings.Split(text, "\n")
	for range maxSyntaxErrors {
		p := syntaxProblem(name, strings.Join(lines, "\n"), err)
		// What is above the last error, or looks like no expression, is the rest of what was taken out.
		if n := len(out); n > 0 && (p.Position.Line <= out[n-1].Position.Line || !strings.ContainsAny(lineOf(strings.Join(lines, "\n"), p.Position.Line), "=[")) {
			break
		}
		out = append(out, p)
		at := p.Position.Line - 1
		if at < 0 || at >= len(lines) || otherFormat(lines, at) != "" || !wrongAlone(lines[at]) {
			break
		}
		lines[at] = ""
		if _, err = tree.ParseTOML(name, strings.Join(lines, "\n")); err == nil {
			break
		}
	}
	return out
}

// wrongAlone reports whether a line is an expression that is wrong whatever stands around it.
func wrongAlone(line string) bool {
	_, err := tree.ParseTOML("", line)
	return err != nil
}

// syntaxProblem gives an error of syntax the form of all others.
func syntaxProblem(name, text string, err error) Problem {
	e := &tree.SyntaxError{At: Position{File: name, Line: 1, Column: 1}, What: err.Error()}
	errors.As(err, &e)
	line := lineOf(text, e.At.Line)
	quoted := ""
	if !inText(text, e.At.Line) {
		if quoted = unquoted(line); quoted == "" {
			quoted = unquotedInline(line, e.At.Column)
		}
	}
	// A message may quote the text that it is about, and a key without quotes is still a key. Nobody knows where a text of several
	// lines would have ended.
	what, secret := e.What, false
	if strings.Contains(tree.KeyName(e.Key...), "secret") || isSecretLine(line) {
		what, secret = "the value of a secret is not a string", true
	} else if quoted != "" {
		what = "the value has no quotes, and is no number, true or false"
	} else if strings.Contains(text, "secret") {
		what = withoutCharacter(what)
	}
	want := "write TOML: key = value, with strings in quotes, below a [table]"
	switch other := otherFormat(strings.Split(text, "\n"), e.At.Line-1); {
	case strings.Contains(what, "already"):
		want = "write every key and every table once"
		if e.First.IsValid() {
			want += ": the first is " + e.First.FileLine()
		}
	case other != "":
		want = other
	case quoted != "" && secret:
		want = "put it in quotes"
	case quoted != "":
		want = quoted
	case strings.Contains(what, "cannot have new lines"):
		want = "close the quotes on the line where they are opened"
	}
	return Problem{e.At, oneLine(what), oneLine(want)}
}

// isSecretLine reports whether a line has a key of which no message may show the value.
func isSecretLine(line string) bool {
	if strings.Contains(strings.ToLower(line), "secret") {
		return true
	}
	// The keys of inline tables are in the line as well.
	for part := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune("{,", r) }) {
		key, _, _ := strings.Cut(part, "=")
		key = strings.ToLower(strings.Trim(key[strings.LastIndexByte(key, '.')+1:], " \t\"'"))
		if means, _ := otherNames(key); means == "secret" || strings.Contains(key, "pass") || strings.Contains(key, "psk") || strings.HasSuffix(key, "key") {
			return true
		}
	}
	return false
}

// inText reports whether a line, which counts from 1, begins within a text of several lines.
func inText(text string, n int) bool {
	lines := strings.SplitN(text, "\n", n)
	above := strings.Join(lines[:len(lines)-1], "\n")
	return strings.Count(above, `"""`)%2 == 1 || strings.Count(above, "'''")%2 == 1
}

// unquoted is the advice for a line whose value would be a string, or a list of such, if it had quotes; "" for other lines.
func unquoted(line string) string {
	key, value, ok := strings.Cut(line, "=")
	key = strings.TrimSpace(key)
	value, _, _ = strings.Cut(value, " #")
	value = strings.TrimSpace(value)
	if !ok || key == "" || value == "" || strings.ContainsAny(value, "\"'\\{}") || strings.ContainsAny(key, "\"'\\[]{} \t") || !wrongAlone(line) {
		return ""
	}
	return inQuotes(key, value)
}

// unquotedInline is the same advice for a value in an inline table or a list, at the place of an error: a column, which counts from 1.
func unquotedInline(line string, column int) string {
	at := len(line)
	if r := []rune(line); column <= len(r) {
		at = min(at, len(string(r[:max(column-1, 0)]))) // what is no UTF-8 may be longer in runes
	}
	begin := strings.LastIndexAny(line[:at], "{[,") + 1
	end := strings.IndexAny(line[at:], ",]}")
	if begin == 0 || end < 0 || strings.ContainsAny(line[begin:at+end], "\"'\\{}[]") || !strings.Contains(line[:begin], "=") || !wrongAlone(line) {
		return ""
	}
	key, value, ok := strings.Cut(line[begin:at+end], "=")
	if !ok { // in a list
		if value = strings.TrimSpace(key); value == "" || strings.ContainsAny(value, " \t") {
			return ""
		}
		return "put it in quotes: " + quote(value)
	}
	if key, value = strings.TrimSpace(key), strings.TrimSpace(value); key == "" || value == "" || strings.ContainsAny(key+value, " \t") {
		return ""
	}
	return inQuotes(key, value)
}

// inQuotes is what to write in place of a value without quotes.
func inQuotes(key, value string) string {
	inner, isList := strings.CutPrefix(value, "[")
	if isList {
		if inner, isList = strings.CutSuffix(inner, "]"); !isList {
			return ""
		}
	}
	switch strings.ToLower(value) {
	case "yes", "on":
		return fmt.Sprintf("write %s = true", key)
	case "no", "off":
		return fmt.Sprintf("write %s = false", key)
	}
	var parts []string
	for x := range strings.SplitSeq(inner, ",") {
		parts = append(parts, quote(strings.TrimSpace(x)))
	}
	list := strings.Join(parts, ", ")
	if isList || len(parts) > 1 {
		list = "[" + list + "]"
	}
	return fmt.Sprintf("put it in quotes: %s = %s", key, list)
}

// otherFormat recognises configurations of strongSwan by a line, which counts from 0, and says how the same is written here.
func otherFormat(lines []string, at int) string {
	if at < 0 || at >= len(lines) {
		return ""
	}
	if words := strings.Fields(lines[at]); len(words) == 2 && (words[0] == "conn" || words[0] == "config" || words[0] == "ca") {
		if words[0] == "conn" && words[1] != "%default" {
			return fmt.Sprintf("this is ipsec.conf; here it is [%s] with keys as in swanctl.conf: see docs/configuration.md", tree.KeyName("connections", words[1]))
		}
		return "this is ipsec.conf; here it is [connections.NAME] with keys as in swanctl.conf: see docs/configuration.md"
	}
	var path []string
	for _, line := range lines[at:] {
		line = strings.TrimSpace(line)
		section, ok := strings.CutSuffix(line, "{")
		if section = strings.TrimSpace(section); ok && section != "" && !strings.ContainsAny(section, "=\"'[]{}") {
			path = append(path, section)
			continue
		}
		if line != "" && !strings.HasPrefix(line, "#") {
			break
		}
	}
	switch {
	case len(path) == 0:
		return ""
	case len(path) == 1 && (path[0] == "connections" || path[0] == "secrets"):
		path = append(path, "NAME")
	}
	if kind, name, ok := strings.Cut(path[len(path)-1], "-"); ok && path[0] == "secrets" && len(path) == 2 {
		path = []string{"secrets", kind, name}
	}
	return "this is swanctl.conf; here it is [" + tree.KeyName(path...) + "], and below it key = " + strconv.Quote("value") + ": see docs/configuration.md"
}

// withoutCharacter takes out of a message which character it is that should not be there: "U+0068 'h'".
func withoutCharacter(what string) string {
	before, after, ok := strings.Cut(what, " U+")
	if !ok {
		return what
	}
	if _, rest, ok := strings.Cut(after, "' "); ok {
		return before + " " + rest
	}
	return before
}

// lineOf is the text of a line, which counts from 1.
func lineOf(text string, n int) string {
	for ; n > 1; n-- {
		_, text, _ = strings.Cut(text, "\n")
	}
	line, _, _ := strings.Cut(text, "\n")
	return line
}
