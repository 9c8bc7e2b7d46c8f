package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// The TOML package tells no positions of keys once a document is decoded. index finds them: it walks over the text of
// a document that is already known to be well-formed and notes where every key and every value begins.

// place is where a key and its value begin.
type place struct{ key, value Position }

// index maps paths, as pathKey makes them, to places. A table's value begins where its header or its first key does.
type index map[string]place

// pathKey joins the parts of a path. TOML keys can't contain NUL.
func pathKey(path []string) string { return strings.Join(path, "\x00") }

// element is the part of a path that stands for the n-th element of an array. A key can't begin with NUL.
func element(n int) string { return "\x00" + strconv.Itoa(n) }

// newIndex scans a document. It never fails: of text that is not TOML it finds what it can.
func newIndex(file, src string) index {
	s := &scanner{file: file, src: src, line: 1, out: index{}, arrays: map[string]int{}}
	s.skipBOM()
	s.document()
	return s.out
}

// scanner walks over a document once. Every loop of it either moves ahead or ends.
type scanner struct {
	file      string
	src       string
	i         int // octet offset of the next character
	line      int
	lineStart int // octet offset of the line's first character
	out       index
	arrays    map[string]int // how many elements each array of tables has so far
}

func (s *scanner) skipBOM() {
	for _, bom := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if strings.HasPrefix(s.src, bom) {
			s.i, s.lineStart = len(bom), len(bom)
			return
		}
	}
}

func (s *scanner) pos() Position {
	return Position{s.file, s.line, utf8.RuneCountInString(s.src[s.lineStart:s.i]) + 1}
}

// peek is the next octet, 0 at the end.
func (s *scanner) peek() byte {
	if s.i >= len(s.src) {
		return 0
	}
	return s.src[s.i]
}

func (s *scanner) next() {
	if s.peek() == '\n' {
		s.line++
		s.lineStart = s.i + 1
	}
	s.i++
}

func (s *scanner) end() bool { return s.i >= len(s.src) }

// blanks skips spaces and tabs.
func (s *scanner) blanks() {
	for s.peek() == ' ' || s.peek() == '\t' {
		s.next()
	}
}

// space skips spaces, line ends and comments.
func (s *scanner) space() {
	for !s.end() {
		switch s.peek() {
		case ' ', '\t', '\r', '\n':
			s.next()
		case '#':
			s.restOfLine()
		default:
			return
		}
	}
}

func (s *scanner) restOfLine() {
	for !s.end() && s.peek() != '\n' {
		s.next()
	}
}

// part is one part of a dotted key, and where it stands.
type part struct {
	name string
	pos  Position
}

func (s *scanner) document() {
	var table []string
	for {
		s.space()
		if s.end() {
			return
		}
		if s.peek() == '[' {
			table = s.header()
			s.restOfLine()
			continue
		}
		before := s.i
		s.keyValue(table)
		s.restOfLine()
		if s.i == before {
			return
		}
	}
}

// header reads [a.b] or [[a.b]] and returns the path of the table.
func (s *scanner) header() []string {
	start := s.pos()
	s.next()
	array := s.peek() == '['
	if array {
		s.next()
	}
	parts := s.dotted()
	var path []string
	for i, p := range parts {
		path = append(path, p.name)
		last := i == len(parts)-1
		at := p.pos
		if last {
			at = start
		}
		s.note(path, at, at, last && !array)
		if last && array {
			s.arrays[pathKey(path)]++
		}
		// A table below an array of tables is one of its last element.
		if n := s.arrays[pathKey(path)]; n > 0 {
			path = append(path, element(n-1))
			s.note(path, start, start, false)
		}
	}
	return path
}

// note remembers a place. A table's own header replaces the place of a first mention in another header.
func (s *scanner) note(path []string, key, value Position, replace bool) {
	k := pathKey(path)
	if _, ok := s.out[k]; !ok || replace {
		s.out[k] = place{key, value}
	}
}

// keyValue reads a.b = value within a table.
func (s *scanner) keyValue(table []string) {
	parts := s.dotted()
	if len(parts) == 0 {
		return
	}
	path := append([]string(nil), table...)
	for _, p := range parts[:len(parts)-1] {
		path = append(path, p.name)
		s.note(path, p.pos, p.pos, false)
	}
	last := parts[len(parts)-1]
	path = append(path, last.name)
	s.blanks()
	if s.peek() != '=' {
		return
	}
	s.next()
	s.blanks()
	s.note(path, last.pos, s.pos(), false)
	s.value(path)
}

// dotted reads a key of one or more parts.
func (s *scanner) dotted() []part {
	var out []part
	for {
		s.blanks()
		p := part{pos: s.pos()}
		before := s.i
		switch s.peek() {
		case '"', '\'':
			p.name = s.text()
		default:
			for isBare(s.peek()) {
				s.next()
			}
			p.name = s.src[before:s.i]
		}
		if s.i == before {
			return out
		}
		out = append(out, p)
		s.blanks()
		if s.peek() != '.' {
			return out
		}
		s.next()
	}
}

func isBare(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// value reads the value at path.
func (s *scanner) value(path []string) {
	switch s.peek() {
	case '"', '\'':
		s.text()
	case '[':
		s.next()
		for n := 0; ; n++ {
			s.space()
			if s.end() || s.peek() == ']' {
				s.next()
				return
			}
			before := s.i
			p := append(append([]string(nil), path...), element(n))
			s.note(p, s.pos(), s.pos(), false)
			s.value(p)
			s.space()
			if s.peek() == ',' {
				s.next()
			}
			if s.i == before {
				return
			}
		}
	case '{':
		s.next()
		for {
			s.space()
			if s.end() || s.peek() == '}' {
				s.next()
				return
			}
			before := s.i
			s.keyValue(path)
			s.space()
			if s.peek() == ',' {
				s.next()
			}
			if s.i == before {
				return
			}
		}
	default:
		// A number, a boolean or a date; dates may have a space within, which does no harm to leave to the caller.
		for !s.end() && strings.IndexByte(" \t\r\n,]}#", s.peek()) < 0 {
			s.next()
		}
	}
}

// text reads a string of any of TOML's four kinds, from its first quote, and returns what it stands for.
func (s *scanner) text() string {
	quote := s.peek()
	triple := strings.Repeat(string(quote), 3)
	if strings.HasPrefix(s.src[s.i:], triple) {
		for range 3 {
			s.next()
		}
		start := s.i
		for !s.end() && !strings.HasPrefix(s.src[s.i:], triple) {
			if s.peek() == '\\' && quote == '"' {
				s.next()
			}
			if !s.end() {
				s.next()
			}
		}
		out := s.src[start:min(s.i, len(s.src))]
		// Up to two quotes may stand right before the closing three.
		for range 5 {
			if s.peek() != quote {
				break
			}
			s.next()
		}
		return out
	}
	s.next()
	var b strings.Builder
	for !s.end() && s.peek() != quote && s.peek() != '\n' {
		if s.peek() == '\\' && quote == '"' {
			b.WriteString(s.escape())
			continue
		}
		b.WriteByte(s.peek())
		s.next()
	}
	if s.peek() == quote {
		s.next()
	}
	return b.String()
}

// escape reads an escape sequence of a quoted key.
func (s *scanner) escape() string {
	s.next() // the backslash
	c := s.peek()
	if s.end() {
		return ""
	}
	s.next()
	digits := 0
	switch c {
	case 'b':
		return "\b"
	case 't':
		return "\t"
	case 'n':
		return "\n"
	case 'f':
		return "\f"
	case 'r':
		return "\r"
	case 'e':
		return "\x1b"
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		return string(rune(c))
	}
	if s.i+digits > len(s.src) {
		return ""
	}
	n, err := strconv.ParseUint(s.src[s.i:s.i+digits], 16, 32)
	if err != nil {
		return ""
	}
	for range digits {
		s.next()
	}
	return string(rune(n))
}
