package ipsecconf

import (
	"strconv"
	"strings"
	"time"

	"esplanade/config/tree"
)

// made is what became of a conn: the keys of a connection, and those of its children.
type made struct {
	conn *conn
	// ike has the keys of the connection, local and remote the tables of its sides, by the name of the table.
	ike   *tree.Table
	sides []namedTable
	// children are as many as the source would make of the conn: more than one of libreswan's subnets.
	children []namedTable
	// pools are those that the peer gets addresses of, and the setting that says so.
	pools   []namedTable
	poolKey string
	// ikeLeft and childLeft are what was not carried over.
	ikeLeft, childLeft []left
	// psk is set if a pre-shared key proves either side; by the identities of both, "" where there is none in particular.
	psk              bool
	hereID, thereID  string
	floor            string // what is wanted of the children anyway: a word of actions
	nothingToProtect bool   // all children were left out
}

type namedTable struct {
	name string
	at   tree.Position
	*tree.Table
}

// left is something that is not carried over.
type left struct {
	at        tree.Position
	what, why string
}

// failure says why a conn is left out as a whole.
type failure = left

func newMade(c *conn) *made { return &made{conn: c, ike: tree.New(c.at.File)} }

// side is a new table of a side: "local", "remote", and with a number behind it for rounds after the first.
func (m *made) side(name string) *tree.Table {
	t := tree.New(m.conn.at.File)
	m.sides = append(m.sides, namedTable{name, m.conn.at, t})
	return t
}

// put adds a key that comes from a setting, with its comment. Without such a setting it is what the source takes by default.
func (m *made) put(t *tree.Table, name, key string, data any) {
	s := m.conn.get(key)
	if s == nil {
		t.Add(name, m.conn.at, data)
		return
	}
	said := *s.comment
	*s.comment = comment{}
	t.Note(trimmed(said.above)...)
	t.Add(name, s.at, data)
	if said.beside != "" {
		t.Beside(name, said.beside)
	}
}

// unplaced are the comments of settings that no key was made of, and takes them away.
func (m *made) unplaced() (lines []string) {
	for _, key := range m.conn.order {
		s := m.conn.values[key]
		if s == nil {
			continue
		}
		said := *s.comment
		*s.comment = comment{}
		lines = append(lines, trimmed(said.above)...)
		if said.beside != "" {
			lines = append(lines, show(s)+": "+said.beside)
		}
	}
	return lines
}

// trimmed are lines without empty ones at both ends.
func trimmed(lines []string) []string {
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// leave notes that a setting of the connection is not carried over, if the conn has it.
func (m *made) leave(key, why string) {
	if s := m.conn.get(key); s != nil {
		m.ikeLeft = append(m.ikeLeft, left{s.at, show(s), why})
	}
}

// leaveChild is leave for what concerns the children.
func (m *made) leaveChild(key, why string) {
	if s := m.conn.get(key); s != nil {
		m.childLeft = append(m.childLeft, left{s.at, show(s), why})
	}
}

// fail is the failure of a conn because of a setting.
func (m *made) fail(key, why string) *failure {
	s := m.conn.get(key)
	if s == nil {
		return &failure{m.conn.at, "", why}
	}
	return &failure{s.at, show(s), why}
}

// maxShown is how much of a value a message shows, in bytes.
const maxShown = 80

// show is a setting as it is written.
func show(s *setting) string { return s.key + "=" + shorten(s.value) }

// shorten is a value for a message.
func shorten(text string) string {
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	if !printable(text) {
		text = strconv.Quote(text)
	}
	return text
}

// printable reports whether a text can be written, and shown.
func printable(s string) bool {
	return strings.ToValidUTF8(s, "") == s && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// words are the elements of a list with commas or spaces between.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' })
}

// commaList are the elements of a list of strongSwan's, which have commas between.
func commaList(s string) (out []string) {
	for w := range strings.SplitSeq(s, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// yes reads a boolean.
func yes(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "yes", "true", "1", "on", "y":
		return true, true
	case "no", "false", "0", "off", "n":
		return false, true
	}
	return false, false
}

// duration reads a time: seconds, or what the letter behind the number says.
func duration(s string) (time.Duration, bool) {
	digits := strings.TrimRight(s, "smhdw")
	unit := map[string]time.Duration{"": time.Second, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[s[len(digits):]]
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || unit == 0 || time.Duration(n) > maxDuration/unit {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// maxDuration is longer than any time that a daemon takes.
const maxDuration = 100 * 365 * 24 * time.Hour

// span writes a time in the largest unit that it is a multiple of.
func span(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d != 0 && d%u.unit == 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}

// lifetime are the times of an SA: when it is renewed, up to how much earlier by chance, and when it ends.
type lifetime struct{ rekey, random, life time.Duration }

// lifetimes are those of an SA that lives for so long and is renewed a margin before its end, which is lengthened by up to fuzz percent. ok is
// false if the margin is longer than the life.
func lifetimes(life, margin time.Duration, fuzz int64) (t lifetime, ok bool) {
	t = lifetime{rekey: life - margin, random: margin * time.Duration(min(fuzz, 1000)) / 100, life: life}
	if t.rekey <= 0 {
		return lifetime{rekey: life * 9 / 10, random: life / 10, life: life}, false
	}
	t.random = min(t.random, t.rekey)
	return t, true
}
