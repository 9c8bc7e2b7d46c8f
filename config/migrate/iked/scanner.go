package iked

import (
	"fmt"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// scanner makes tokens of one text.
type scanner struct {
	text string
	at   tree.Position
	// fixed is the place of all tokens, for the text of a macro.
	fixed *tree.Position
	i     int
	depth int // of open braces, in which lines do not end
}

// place is where the scanner is.
func (s *scanner) place() tree.Position {
	if s.fixed != nil {
		return *s.fixed
	}
	return s.at
}

// step passes over a character.
func (s *scanner) step() {
	c := s.text[s.i]
	s.i++
	switch {
	case c == '\n':
		s.at.Line++
		s.at.Column = 1
	case c < 0x80 || c >= 0xc0: // the first byte of a character
		s.at.Column++
	}
}

// joined reports whether a backslash joins the line with the next one here, and passes over both.
func (s *scanner) joined() bool {
	rest := s.text[s.i:]
	n := 0
	switch {
	case strings.HasPrefix(rest, "\\\n"):
		n = 2
	case strings.HasPrefix(rest, "\\\r\n"):
		n = 3
	}
	for range n {
		s.step()
	}
	return n > 0
}

const signs = "{}()=,!<>"

// next is the next token; one without a kind is the end.
func (s *scanner) next() (token, *migrate.Error) {
	for s.i < len(s.text) {
		c := s.text[s.i]
		switch {
		case s.joined():
		case c == '\n':
			t := token{at: s.place(), kind: tokenNewline}
			s.step()
			if s.depth == 0 {
				return t, nil
			}
		case c == ' ' || c == '\t' || c == '\r':
			s.step()
		case c == '#':
			return s.comment(), nil
		case c == '"' || c == '\'':
			return s.quotedText(c)
		case strings.IndexByte(signs, c) >= 0:
			t := token{at: s.place(), text: string(c), kind: tokenSign}
			s.step()
			switch c {
			case '{':
				s.depth++
			case '}':
				s.depth = max(0, s.depth-1)
			}
			return t, nil
		case c < ' ' || c == 0x7f:
			return token{}, migrate.Fail(s.place(), fmt.Sprintf("there is a control character, %#02x", c))
		default:
			return s.word()
		}
	}
	return token{}, nil
}

// comment takes what is behind a #, up to the end of the line.
func (s *scanner) comment() token {
	t := token{at: s.place(), kind: tokenComment}
	s.step()
	from := s.i
	for s.i < len(s.text) && s.text[s.i] != '\n' {
		s.step()
	}
	t.text = strings.TrimPrefix(strings.TrimRight(s.text[from:s.i], " \t\r"), " ")
	return t
}

// quotedText takes a text in quotes. A backslash takes the meaning of what is behind it, if that is one.
func (s *scanner) quotedText(quote byte) (token, *migrate.Error) {
	t := token{at: s.place(), quoted: true, kind: tokenWord}
	s.step()
	var b strings.Builder
	for s.i < len(s.text) {
		c := s.text[s.i]
		switch {
		case s.joined():
			continue
		case c == quote:
			s.step()
			t.text = b.String()
			return t, nil
		case c == '\n':
			return t, migrate.Fail(t.at, "the quotes are not closed on that line")
		case c == '\\' && s.i+1 < len(s.text) && (s.text[s.i+1] == quote || s.text[s.i+1] == '\\' || s.text[s.i+1] == ' ' || s.text[s.i+1] == '\t'):
			s.step()
			c = s.text[s.i]
		}
		b.WriteByte(c)
		if s.step(); b.Len() > maxText {
			return t, migrate.Fail(t.at, fmt.Sprintf("a text has more than %d bytes", maxText))
		}
	}
	return t, migrate.Fail(t.at, "the quotes are never closed")
}

// word takes what has no meaning of its own.
func (s *scanner) word() (token, *migrate.Error) {
	t := token{at: s.place(), kind: tokenWord}
	from := s.i
	for s.i < len(s.text) && s.text[s.i] > ' ' && s.text[s.i] != 0x7f && strings.IndexByte(signs+`#"`, s.text[s.i]) < 0 {
		if rest := s.text[s.i:]; strings.HasPrefix(rest, "\\\n") || strings.HasPrefix(rest, "\\\r\n") {
			break
		}
		s.step()
	}
	if t.text = s.text[from:s.i]; len(t.text) > maxText {
		return t, migrate.Fail(t.at, fmt.Sprintf("a word has more than %d bytes", maxText))
	}
	return t, nil
}
