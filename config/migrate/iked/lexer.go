package iked

import (
	"fmt"
	"path/filepath"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// The limits of what is read.
const (
	maxDepth  = 16      // of files that include each other
	maxTokens = 1 << 18 // of everything, with the texts of macros
	maxBytes  = 1 << 24 // of all of them
	maxText   = 1 << 16 // bytes of a word, of a text in quotes, of a macro
)

// token is a word, a text in quotes, a sign, a comment or the end of a line.
type token struct {
	at     tree.Position
	text   string
	quoted bool
	kind   tokenKind
}

type tokenKind uint8

const (
	tokenWord    tokenKind = iota + 1
	tokenSign              // one of { } ( ) = , ! < >
	tokenNewline           // the end of a line; of a file as well
	tokenComment           // without its sign
)

// lexer makes tokens of a file, with those of the files that it includes in their places.
type lexer struct {
	files  migrate.Options
	macros map[string]string
	out    []token
	size   int // of their texts
}

// scan appends the tokens of a text. expand reports whether macros stand for their texts: within one they do not.
func (l *lexer) scan(file, text string, at *tree.Position, expand bool, depth int) *migrate.Error {
	s := scanner{text: text, at: tree.Position{File: file, Line: 1, Column: 1}, fixed: at}
	begin := len(l.out) // of the statement
	for {
		t, err := s.next()
		switch {
		case err != nil:
			return err
		case t.kind == 0:
			if at == nil {
				return l.add(token{at: s.at, kind: tokenNewline}, &begin, depth)
			}
			return nil
		case t.kind == tokenWord && !t.quoted && strings.HasPrefix(t.text, "$") && expand:
			value, ok := l.macros[t.text[1:]]
			if !ok {
				return migrate.Fail(t.at, "there is no macro of that name above")
			}
			if err := l.scan(file, value, &t.at, false, depth); err != nil {
				return err
			}
		default:
			if err := l.add(t, &begin, depth); err != nil {
				return err
			}
		}
	}
}

// add appends a token. At the end of a line it carries macros and include out, of which nothing stays. begin is where the statement begins.
func (l *lexer) add(t token, begin *int, depth int) *migrate.Error {
	if l.size += len(t.text); len(l.out) >= maxTokens || l.size > maxBytes {
		return migrate.Fail(t.at, fmt.Sprintf("with the texts of macros there are more than %d words, or %d bytes", maxTokens, maxBytes))
	}
	l.out = append(l.out, t)
	if t.kind != tokenNewline {
		return nil
	}
	var words []token
	for _, w := range l.out[*begin : len(l.out)-1] {
		if w.kind != tokenComment {
			words = append(words, w)
		}
	}
	switch {
	case len(words) == 0:
	case len(words) >= 2 && words[1].kind == tokenSign && words[1].text == "=":
		return l.macro(words, begin)
	case words[0].text == "include" && !words[0].quoted:
		return l.include(words, begin, depth)
	}
	*begin = len(l.out)
	return nil
}

// drop takes the statement out, but for its comments.
func (l *lexer) drop(begin *int) {
	rest := l.out[*begin:]
	l.out = l.out[:*begin]
	for _, t := range rest {
		if t.kind == tokenComment {
			l.out = append(l.out, t)
		}
	}
	if len(l.out) > *begin {
		l.out = append(l.out, token{at: rest[len(rest)-1].at, kind: tokenNewline})
	}
	*begin = len(l.out)
}

// macro takes `name = text`.
func (l *lexer) macro(words []token, begin *int) *migrate.Error {
	name := words[0]
	if name.quoted || name.kind != tokenWord || len(words) < 3 {
		return migrate.Fail(name.at, `a macro is written as name = "text"`)
	}
	var parts []string
	size := 0
	for _, w := range words[2:] {
		parts = append(parts, w.text) // without its quotes, as iked does
		size += len(w.text) + 1
	}
	if size > maxText {
		return migrate.Fail(name.at, fmt.Sprintf("the text of a macro has more than %d bytes", maxText))
	}
	l.macros[name.text] = strings.Join(parts, " ")
	l.drop(begin)
	return nil
}

// quote is a text in quotes.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// include takes `include "file"`.
func (l *lexer) include(words []token, begin *int, depth int) *migrate.Error {
	at := words[0].at
	switch {
	case len(words) != 2 || words[1].kind != tokenWord || words[1].text == "":
		return migrate.Fail(at, `it is written as include "file"`)
	case depth >= maxDepth:
		return migrate.Fail(at, fmt.Sprintf("files include each other more than %d deep; does one include itself?", maxDepth))
	}
	name := words[1].text
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(at.File), name)
	}
	text, err := l.files.Read(name)
	if err != nil {
		return migrate.Fail(at, "include: "+err.Error())
	}
	l.drop(begin)
	if err := l.scan(name, text, nil, true, depth+1); err != nil {
		return err
	}
	*begin = len(l.out)
	return nil
}
