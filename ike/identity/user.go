package identity

import (
	"strings"
	"unicode"
)

// A user of EAP has a name and no more: EAP carries it as it is (RFC 3748 section 5.1) and knows no kinds of names. "alice",
// "alice@example.org" and `EXAMPLE\alice` are names alike.

// UserPattern stands for names of users: one name, or, with "*" at its beginning or its end, all that end or begin with the rest. The zero
// value is "%any", everybody.
type UserPattern struct{ text string }

// ParseUserPattern reads a name or a pattern. A reason that is not empty is an error.
func ParseUserPattern(text string) (p UserPattern, reason, want string) {
	switch {
	case text == "":
		return p, "it is empty", `write a name, a pattern such as "*@example.org", or "%any"`
	case text == "%any" || text == "*":
		return p, "", ""
	case strings.HasPrefix(text, "%"):
		return p, "there is no such keyword", `write a name, a pattern such as "*@example.org", or "%any"`
	case strings.Contains(text[1:max(len(text)-1, 1)], "*") || text[0] == '*' && text[len(text)-1] == '*':
		return p, `"*" is in the middle, or there are several`, `write "*" at the beginning or at the end, as in "*@example.org"`
	case strings.ContainsFunc(text, Controls):
		return p, "it has control characters", `write a name, a pattern such as "*@example.org", or "%any"`
	}
	return UserPattern{text}, "", ""
}

// Controls reports whether a character may not be in the name of a user, since it shows nothing and changes how the text around it looks: a control
// character, of which a terminal knows those above 0x7f as well, the end of a line or paragraph, or what turns the direction of writing round.
func Controls(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

// Any reports whether it stands for everybody.
func (p UserPattern) Any() bool { return p.text == "" }

// Concrete reports whether it stands for one name.
func (p UserPattern) Concrete() bool { return p.text != "" && !strings.Contains(p.text, "*") }

// String is the pattern as it is written.
func (p UserPattern) String() string {
	if p.text == "" {
		return "%any"
	}
	return p.text
}

// MarshalText is String, for JSON.
func (p UserPattern) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Matches reports whether the pattern stands for a name, and how specifically it does: more than any other pattern that does for a name,
// least for "%any". Capital letters of ASCII and small ones are the same.
func (p UserPattern) Matches(name string) (score int, ok bool) {
	const one = 1 << 20 // more than any pattern has octets
	text, name := FoldUser(p.text), FoldUser(name)
	switch {
	case text == "":
		return 1, true
	case text[0] == '*':
		return 1 + len(text), strings.HasSuffix(name, text[1:])
	case text[len(text)-1] == '*':
		return 1 + len(text), strings.HasPrefix(name, text[:len(text)-1])
	}
	return one, name == text
}

// FoldUser is a name of a user in the form in which names are compared: with small letters of ASCII. All other octets are what they are.
func FoldUser(name string) string { return fold([]byte(name)) }
