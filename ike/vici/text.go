package vici

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxText is the longest text we put into one value, in octets.
const maxText = 8 << 10

// printable reduces text to what swanctl shows: it takes a value with any other octet than printable ASCII for binary,
// prints it in hex, or, where it looks for text, shows nothing at all. Some signs have an ASCII equivalent; other
// characters become a question mark, as strongSwan does in identities, and white space becomes a space.
func printable(s string) string {
	clean := len(s) <= maxText
	for i := 0; clean && i < len(s); i++ {
		clean = s[i] >= ' ' && s[i] <= '~'
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= maxText {
			b.WriteString("...")
			break
		}
		switch {
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r == '\n', r == '\r', r == '\t', r == '\u00a0':
			b.WriteByte(' ')
		case r == '×':
			b.WriteByte('x')
		case r == '…':
			b.WriteString("...")
		case r == '–', r == '—':
			b.WriteByte('-')
		case r == '→':
			b.WriteString("->")
		case r == '‘', r == '’':
			b.WriteByte('\'')
		case r == '“', r == '”':
			b.WriteByte('"')
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// printableName is printable for the name of an element, within the length that names may have.
func printableName(s string) string {
	s = printable(s)
	if len(s) > MaxName {
		s = s[:MaxName]
	}
	return s
}

// toPrintable makes all text of m printable, in place.
func (m *Message) toPrintable() {
	for i := range m.elems() {
		e := &m.elements[i]
		e.Name = printableName(e.Name)
		e.Section.toPrintable()
		if e.octets {
			continue
		}
		e.Value = printable(e.Value)
		// The slice of a list may belong to whoever filled the message.
		e.List = slices.Clone(e.List)
		for j, v := range e.List {
			e.List[j] = printable(v)
		}
	}
}

// cut shortens text to at most n octets at a rune boundary.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
