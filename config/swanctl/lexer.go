package swanctl

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"esplanade/config/tree"
)

// kind is what a token is.
type kind int

const (
	tokenEnd     kind = iota // the end of the first file
	tokenName                // the name of a key or section
	tokenSign                // one of { } = : , . or a quote
	tokenComment             // the rest of a line behind #
	tokenEmpty               // an empty line
)

// token is what the grammar is made of.
type token struct {
	kind kind
	at   tree.Position
	text string
	// beside says of a comment that something else is in front of it on the line.
	beside bool
}

// lexer makes tokens of a file and of what it includes: an include statement opens another text, whose tokens come in its place. So what
// is open in the one can be closed in the other, as with strongSwan.
type lexer struct {
	from     Source
	texts    []*text // those that are open; the last is being read
	files    []string
	bytes    int64
	warnings []*Error
}

// top is the text that is being read.
func (l *lexer) top() *text { return l.texts[len(l.texts)-1] }

// open begins with a file, in the place at.
func (l *lexer) open(name string, at tree.Position) *Error {
	if len(l.files) >= maxFiles {
		return wrong(at, fmt.Sprintf("there are more than %d files; does the pattern match too much?", maxFiles))
	}
	data, err := l.from.ReadFile(name, maxBytes-l.bytes)
	switch {
	case err != nil:
		return &Error{at, cannotRead(name, err), err}
	case int64(len(data)) > maxBytes-l.bytes:
		return wrong(at, fmt.Sprintf("%s makes it more than %d MiB of configuration in all", name, maxBytes>>20))
	case strings.IndexByte(string(data), 0) >= 0:
		return wrong(tree.Position{File: name, Line: 1, Column: 1}, "the file has a zero byte, so that it is no text; is it a key or a certificate?")
	}
	l.bytes += int64(len(data))
	l.files = append(l.files, name)
	l.texts = append(l.texts, newText(name, string(data)))
	return nil
}

// cannotRead says why a file could not be read, with its name once.
func cannotRead(name string, err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Sprintf("cannot read %s: %v", name, pe.Err)
	}
	if strings.Contains(err.Error(), name) {
		return err.Error()
	}
	return fmt.Sprintf("cannot read %s: %v", name, err)
}

// next takes a token.
func (l *lexer) next() (token, *Error) {
	for {
		t := l.top()
		if len(t.pending) > 0 {
			name := t.pending[0]
			t.pending = t.pending[1:]
			if err := l.open(name, t.pendingAt); err != nil {
				return token{}, err
			}
			continue
		}
		t.while(isBlank)
		at := t.at()
		c, ok := t.peek()
		switch {
		case !ok && len(l.texts) == 1:
			return token{kind: tokenEnd, at: at}, nil
		case !ok:
			l.texts = l.texts[:len(l.texts)-1]
		case c == '\n':
			empty := !t.begun && t.column == 1
			t.next()
			if empty {
				return token{kind: tokenEmpty, at: at}, nil
			}
		case c == '#':
			beside := t.begun
			t.begun = true
			line := strings.TrimRight(strings.TrimLeft(t.while(isLine), "#"), " \t\r")
			return token{tokenComment, at, strings.ToValidUTF8(strings.TrimPrefix(line, " "), "�"), beside}, nil
		case t.includes():
			if err := l.include(at); err != nil {
				return token{}, err
			}
		case isName(c):
			t.begun = true
			return token{kind: tokenName, at: at, text: t.while(isName)}, nil
		default:
			t.begun = true
			t.next()
			return token{kind: tokenSign, at: at, text: string(c)}, nil
		}
	}
}

// include notes which files a statement names. They are opened one after the other.
func (l *lexer) include(at tree.Position) *Error {
	t := l.top()
	t.begun = true
	pattern, err := t.pattern()
	switch {
	case err != nil:
		return err
	case pattern == "":
		return wrong(at, "include names no file; write the name or the pattern on the same line")
	case len(l.texts) > maxIncludeDepth:
		return wrong(at, fmt.Sprintf("files include each other more than %d deep; does one include itself?", maxIncludeDepth))
	}
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(globQuote(filepath.Dir(t.file)), pattern)
	}
	names, globErr := l.from.Glob(pattern)
	switch {
	case globErr != nil:
		return wrong(at, "include has a pattern that is none: a [ is not closed, or it ends with a backslash")
	case len(names) == 0:
		l.warnings = append(l.warnings, wrong(at, "include: there is no file "+pattern))
	}
	t.pending, t.pendingAt = names, at
	return nil
}

// globQuote writes a path as the pattern that matches nothing else.
func globQuote(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
