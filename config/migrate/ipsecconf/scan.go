package ipsecconf

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"esplanade/config/tree"
)

// statement is a line of ipsec.conf that says something.
type statement struct {
	kind statementKind
	at   tree.Position
	// word is the key of a setting, the kind of a section ("conn", "ca", "config"), or the pattern of an include.
	word string
	// value is that of a setting, or the name of a section.
	value   string
	comment comment
}

type statementKind uint8

const (
	sectionStatement statementKind = iota
	settingStatement
	includeStatement
)

// comment is what stands above a statement and at its end.
type comment struct {
	above  []string
	beside string
}

// SyntaxError is a place that is not ipsec.conf or ipsec.secrets.
type SyntaxError struct {
	At   tree.Position
	What string
}

// Error is "file:line:column: what".
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s: %s", e.At, e.What) }

// scanner reads a text statement by statement.
type scanner struct {
	dialect    Dialect
	file       string
	text       string
	line, base int // the line that is read, and where it begins
	pos        int
	above      []string
}

func newScanner(d Dialect, file string, text string) *scanner {
	return &scanner{dialect: d, file: file, text: strings.ReplaceAll(text, "\r\n", "\n"), line: 1}
}

// place is where an octet is.
func (s *scanner) place(pos int) tree.Position {
	return tree.Position{File: s.file, Line: s.line, Column: utf8.RuneCountInString(s.text[s.base:pos]) + 1}
}

func (s *scanner) fail(pos int, format string, args ...any) error {
	return &SyntaxError{s.place(pos), fmt.Sprintf(format, args...)}
}

// peek is the next octet, a line feed at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return '\n'
}

// blanks goes over spaces and tabs, and reports whether there were any.
func (s *scanner) blanks() bool {
	from := s.pos
	for s.peek() == ' ' || s.peek() == '\t' {
		s.pos++
	}
	return s.pos > from
}

// skipLine goes to the beginning of the next line.
func (s *scanner) skipLine() {
	for s.peek() != '\n' {
		s.pos++
	}
	s.endLine()
}

// endLine goes over a line feed.
func (s *scanner) endLine() {
	if s.pos < len(s.text) {
		s.pos++
	}
	s.line++
	s.base = s.pos
}

// rest is the text up to the end of the line, without what is blank around it.
func (s *scanner) rest() string {
	from := s.pos
	for s.peek() != '\n' {
		s.pos++
	}
	return strings.TrimSpace(s.text[from:s.pos])
}

// next is the next statement; ok is false at the end. After an error it goes on with the next line.
func (s *scanner) next() (st statement, ok bool, err error) {
	for s.pos < len(s.text) {
		indented := s.blanks()
		switch c := s.peek(); {
		case c == '\n':
			s.endLine()
			if len(s.above) > 0 {
				s.above = append(s.above, "")
			}
			continue
		case c == '#':
			s.pos++
			s.above = append(s.above, s.rest())
			s.endLine()
			continue
		}
		st, skip, err := s.statement(indented)
		if err != nil {
			s.skipLine()
			s.above = nil
			return st, true, err
		}
		s.blanks()
		if s.peek() == '#' {
			s.pos++
			st.comment.beside = s.rest()
		}
		if s.peek() != '\n' {
			at := s.pos
			err := s.fail(at, "%s", unexpected(s.dialect, s.rest()))
			s.skipLine()
			return st, true, err
		}
		s.endLine()
		if !skip {
			st.comment.above, s.above = s.above, nil
			return st, true, nil
		}
	}
	return st, false, nil
}

// unexpected says what is wrong with text behind a statement. What it is may be a secret, so that it is not in it.
func unexpected(d Dialect, rest string) string {
	if strings.HasPrefix(rest, "=") {
		return "a second \"=\": put the value into quotes"
	}
	if d == Libreswan {
		return "more text behind the value: put all of it into quotes"
	}
	return "more text where the line should end"
}

// statement reads one up to where only a comment may follow. skip is set for what says nothing.
func (s *scanner) statement(indented bool) (st statement, skip bool, err error) {
	from := s.pos
	st.at = s.place(from)
	word := s.bare("=")
	spaced := s.blanks()
	if s.peek() == '=' {
		if !indented {
			return st, false, s.fail(from, "a setting must be indented, %q is not", word)
		}
		if word == "" {
			return st, false, s.fail(from, "a setting without a name")
		}
		s.pos++
		st.kind, st.word = settingStatement, word
		if s.dialect == Libreswan && isComment(word) {
			s.above = append(s.above, word+" ="+strings.TrimSuffix(" "+s.rest(), " "))
			return st, true, nil
		}
		st.value, err = s.value()
		return st, false, err
	}
	switch word {
	case "include":
		if !spaced {
			return st, false, s.fail(from, "include without a name of a file")
		}
		st.kind = includeStatement
		st.word, err = s.includeName()
		return st, false, err
	case "version":
		s.rest()
		return st, true, nil
	case "conn", "ca", "config":
		if indented {
			return st, false, s.fail(from, "a section must not be indented, %q is", word)
		}
		st.kind, st.word = sectionStatement, word
		if st.value, err = s.name(); err != nil {
			return st, false, err
		}
		switch {
		case word == "config" && st.value != "setup":
			return st, false, s.fail(from, "the only section of kind config is \"config setup\"")
		case st.value == "":
			return st, false, s.fail(from, "a section %s without a name", word)
		case word == "ca" && s.dialect == Libreswan:
			return st, false, s.fail(from, "libreswan has no sections ca")
		}
		return st, false, nil
	}
	if indented {
		return st, false, s.fail(from, "%q has no value: a setting is KEY=VALUE", word)
	}
	return st, false, s.fail(from, "%q is no section: those are config setup, conn NAME and ca NAME", word)
}

// isComment reports whether a keyword of libreswan's is none, but begins a comment: "x-note=anything".
func isComment(word string) bool {
	return len(word) > 2 && (word[0] == 'x' || word[0] == 'X') && (word[1] == '-' || word[1] == '_')
}

// bare reads up to a blank, a quote, a comment or one of the octets in stop.
func (s *scanner) bare(stop string) string {
	from := s.pos
	for c := s.peek(); c != '\n' && c != ' ' && c != '\t' && c != '"' && c != '#' && !strings.ContainsRune(stop, rune(c)); c = s.peek() {
		s.pos++
	}
	return s.text[from:s.pos]
}

// name reads the name of a section.
func (s *scanner) name() (string, error) {
	if s.peek() == '"' {
		return s.quoted()
	}
	return s.bare("="), nil
}

// includeName reads the pattern of an include.
func (s *scanner) includeName() (string, error) {
	if s.peek() == '"' {
		return s.quoted()
	}
	from := s.pos
	name := s.bare("")
	if name == "" {
		return "", s.fail(from, "include without a name of a file")
	}
	return name, nil
}

// value reads that of a setting.
func (s *scanner) value() (string, error) {
	s.blanks()
	if s.dialect == Libreswan {
		return s.libreswanValue()
	}
	var parts []string
	for {
		switch c := s.peek(); {
		case c == '"':
			text, err := s.quoted()
			if err != nil {
				return "", err
			}
			parts = append(parts, text)
		case c == '\n' || c == '=' || c == '#':
			return strings.Join(parts, " "), nil
		default:
			prefix := ""
			if strings.HasPrefix(s.text[s.pos:], "@#") { // the only word that may have the sign of a comment
				prefix = "@#"
				s.pos += len(prefix)
			}
			parts = append(parts, prefix+s.bare("="))
		}
		s.blanks()
	}
}

// libreswanValue reads a value in quotes or braces, or one word.
func (s *scanner) libreswanValue() (string, error) {
	switch s.peek() {
	case '"':
		return s.quoted()
	case '{':
		from := s.pos
		line := s.text[from:]
		if end := strings.IndexByte(line, '\n'); end >= 0 {
			line = line[:end]
		}
		end := strings.LastIndexByte(line, '}')
		if end < 0 {
			return "", s.fail(from, "a brace that is not closed")
		}
		s.pos = from + end + 1
		return strings.TrimSpace(line[1:end]), nil
	case '#':
		return "", nil
	}
	from := s.pos
	for c := s.peek(); c != '\n' && c != ' ' && c != '\t'; c = s.peek() {
		s.pos++
	}
	return s.text[from:s.pos], nil
}

// quoted reads a text in quotes. Those of strongSwan have escapes, and may go on over lines.
func (s *scanner) quoted() (string, error) {
	from, line, base := s.pos, s.line, s.base
	s.pos++
	var b strings.Builder
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		s.pos++
		switch {
		case c == '"':
			return b.String(), nil
		case c == '\n' && s.dialect == Libreswan:
			s.pos--
			return "", s.fail(from, "a quote that is not closed")
		case c == '\n':
			s.line++
			s.base = s.pos
			b.WriteByte(c)
		case c == '\\' && s.dialect != Libreswan && s.pos < len(s.text):
			c = s.text[s.pos]
			s.pos++
			switch c {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			case '\n':
				s.line++
				s.base = s.pos
			default:
				b.WriteByte(c)
			}
		default:
			b.WriteByte(c)
		}
	}
	s.line, s.base, s.pos = line, base, from // say where it began, and go on in the next line
	return "", s.fail(from, "a quote that is not closed")
}
