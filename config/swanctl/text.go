package swanctl

import (
	"strings"
	"unicode/utf8"

	"esplanade/config/tree"
)

// text is a file that is being read, and how far it is.
type text struct {
	file         string
	data         string
	offset       int
	line, column int
	// begun reports whether something that is no comment stands on the line already.
	begun bool
	// pending are the files that are read before the text goes on, because of the statement at pendingAt.
	pending   []string
	pendingAt tree.Position
}

func newText(file, data string) *text { return &text{file: file, data: data, line: 1, column: 1} }

// at is the place of what comes next.
func (t *text) at() tree.Position { return tree.Position{File: t.file, Line: t.line, Column: t.column} }

// peek is the octet that comes next; ok is false at the end.
func (t *text) peek() (c byte, ok bool) {
	if t.offset >= len(t.data) {
		return 0, false
	}
	return t.data[t.offset], true
}

// next takes an octet.
func (t *text) next() (c byte, ok bool) {
	c, ok = t.peek()
	if !ok {
		return 0, false
	}
	t.offset++
	switch {
	case c == '\n':
		t.line, t.column, t.begun = t.line+1, 1, false
	case utf8.RuneStart(c):
		t.column++
	}
	return c, true
}

// while takes octets for as long as they are in a class.
func (t *text) while(in func(byte) bool) string {
	from := t.offset
	for {
		if c, ok := t.peek(); !ok || !in(c) {
			return t.data[from:t.offset]
		}
		t.next()
	}
}

// isBlank reports whether it is what stands between words of a line. A carriage return is one wherever it is.
func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

// isName reports whether a name may have it.
func isName(c byte) bool { return strings.IndexByte("#{}:.,=\"\r\n\t ", c) < 0 }

// isWord reports whether a word of a value may have it.
func isWord(c byte) bool { return strings.IndexByte("#}\"\r\n\t ", c) < 0 }

// isLine reports whether it belongs to a line.
func isLine(c byte) bool { return c != '\n' }

// includes reports whether an include statement comes next, and takes its word. `include` is a name like any other where no blank follows
// it, or where an equals sign follows the blanks.
func (t *text) includes() bool {
	const word = "include"
	rest, ok := strings.CutPrefix(t.data[t.offset:], word)
	if !ok {
		return false
	}
	after := strings.TrimLeft(rest, " \t")
	if after == rest || after == "" || after[0] == '=' {
		return false
	}
	t.offset += len(word)
	t.column += len(word)
	t.while(isBlank)
	return true
}

// pattern takes the pattern of an include statement: a word, in which a backslash takes the meaning of the next octet away, or a string.
func (t *text) pattern() (string, *Error) {
	if c, _ := t.peek(); c == '"' {
		return t.quoted()
	}
	from := t.offset
	for {
		c, ok := t.peek()
		if !ok || !isWord(c) {
			return t.data[from:t.offset], nil
		}
		t.next()
		if c == '\\' {
			if c, ok = t.peek(); ok && c != '\n' {
				t.next()
			}
		}
	}
}

// quoted takes a string in quotes.
func (t *text) quoted() (string, *Error) {
	at := t.at()
	t.next()
	var b strings.Builder
	for {
		c, ok := t.next()
		switch {
		case !ok:
			return "", wrong(at, "this quote is never closed; put a \" at the end of the value, and write \\\" for one that belongs to it")
		case c == '"':
			t.begun = true
			return b.String(), nil
		case c == '\r': // the lines of a file that was written elsewhere end with it
		case c == '\\':
			if c, ok = t.escaped(); ok {
				b.WriteByte(c)
			}
		default:
			b.WriteByte(c)
		}
	}
}

// escaped takes what is behind a backslash; ok is false for the end of a line, which goes away.
func (t *text) escaped() (c byte, ok bool) {
	c, ok = t.next()
	switch c {
	case 'n':
		return '\n', ok
	case 'r':
		return '\r', ok
	case 't':
		return '\t', ok
	case '\n':
		return 0, false
	case '\r':
		if c, ok := t.peek(); ok && c == '\n' {
			t.next()
			return 0, false
		}
	}
	return c, ok
}

// value takes the value behind an equals sign, up to the end of the line, a comment, or the end of the section. nil: there is none.
func (t *text) value() (*string, tree.Position, *Error) {
	t.while(isBlank)
	at := t.at()
	var words []string
	for {
		t.while(isBlank)
		c, ok := t.peek()
		switch {
		case ok && c == '"':
			s, err := t.quoted()
			if err != nil {
				return nil, at, err
			}
			words = append(words, s)
		case ok && isWord(c):
			words = append(words, t.while(isWord))
		default:
			if words == nil {
				return nil, at, nil
			}
			t.begun = true
			v := strings.Join(words, " ")
			return &v, at, nil
		}
	}
}
