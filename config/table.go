package config

import (
	"fmt"
	"slices"
	"strings"

	"esplanade/config/tree"
	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// reader collects what is found while the tables of one document are read.
type reader struct {
	file  string
	errs  []Problem
	warns []Problem
	// asked is every key that a table was asked for, by the table's pattern: what the parser knows.
	asked map[string]map[string]bool
	later map[string]map[string]bool // the same for keys of later versions
	// defaults are the proposals of those that write none.
	defaults map[wire.ProtocolID][]proposal.Proposal
	quiet    bool // only to find out what keys there are
	// swanctl: the tables were made of sections of swanctl.conf; see [FromSwanctl]. What is missing for a connection may be loaded later.
	swanctl bool
	// folder: connections are those of a folder of swanctl.
	folder bool
}

func newReader(file string) *reader {
	return &reader{file: file, asked: map[string]map[string]bool{}, later: map[string]map[string]bool{}, defaults: map[wire.ProtocolID][]proposal.Proposal{}}
}

// errorf adds an error. want says what would be right.
func (r *reader) errorf(at Position, want, format string, args ...any) {
	r.errs = append(r.errs, Problem{at, oneLine(fmt.Sprintf(format, args...)), oneLine(want)})
}

// warnf adds a warning.
func (r *reader) warnf(at Position, want, format string, args ...any) {
	r.warns = append(r.warns, Problem{at, oneLine(fmt.Sprintf(format, args...)), oneLine(want)})
}

// lackf adds an error about something that a connection needs. strongSwan loads connections without it, and so it is a warning for those
// of swanctl.conf: it may be loaded after them.
func (r *reader) lackf(at Position, want, format string, args ...any) {
	if r.swanctl {
		r.warnf(at, want, format, args...)
		return
	}
	r.errorf(at, want, format, args...)
}

// table is one table of the document while it is read. One that is absent has no values, and gives every default.
type table struct {
	*reader
	path    []string // as in the document
	pattern string   // the path with NAME for names that the operator chooses: "connections.NAME"
	vals    *tree.Table
	src     Source
	broken  bool // there is something in the table's place that is none: reported
}

// top makes the table of the whole document, which begins at a position.
func (r *reader) top(vals *tree.Table, at Position) *table {
	return &table{reader: r, vals: vals, src: Source{table: at, keys: map[string]Position{}}}
}

// know notes that the parser knows the key.
func (t *table) know(key string) {
	if t.asked[t.pattern] == nil {
		t.asked[t.pattern] = map[string]bool{}
	}
	t.asked[t.pattern][key] = true
}

// get looks a key up and notes where it is. What is not there is where the table is.
func (t *table) get(key string) (v tree.Value, ok bool) {
	t.know(key)
	e, ok := t.vals.Get(key)
	if !ok {
		return tree.Value{At: t.src.table}, false
	}
	t.src.keys[key] = e.At
	return e.Value, true
}

// has reports whether the key is written.
func (t *table) has(key string) bool { _, ok := t.vals.Get(key); return ok }

// at is where the value of a key is.
func (t *table) at(key string) Position { v, _ := t.get(key); return v.At }

// word is the value of a key that is a string, "" otherwise.
func (t *table) word(key string) string {
	e, _ := t.vals.Get(key)
	s, _ := text(e.Value.Data)
	return s
}

// isString reports whether the key is there and has a string.
func (t *table) isString(key string) bool {
	e, ok := t.vals.Get(key)
	_, is := text(e.Value.Data)
	return ok && is
}

// name is the key's full name for messages, title the table's.
func (t *table) name(key string) string { return tree.KeyName(append(slices.Clone(t.path), key)...) }
func (t *table) title() string          { return tree.KeyName(t.path...) }

// sub opens a table below this one. What is there and is no table is an error.
func (t *table) sub(key string) *table { return t.open(key, key) }

// open is sub for a key that stands as NAME in patterns.
func (t *table) open(key, pattern string) *table {
	s := &table{
		reader: t.reader, path: append(slices.Clone(t.path), key), pattern: strings.TrimPrefix(t.pattern+"."+pattern, "."),
		src: Source{table: t.src.table, keys: map[string]Position{}},
	}
	s.src.name = s.title()
	if pattern == key {
		t.know(key)
	}
	e, ok := t.vals.Get(key)
	if !ok {
		return s
	}
	s.src.table, t.src.keys[key] = e.At, e.At
	if s.vals, ok = e.Value.Data.(*tree.Table); !ok {
		t.errorf(e.At, fmt.Sprintf("write [%s]", s.title()), "%s is %s, not a table", s.title(), kind(e.Value.Data))
		s.broken = true
	}
	return s
}

// each opens the tables with names that the operator chose, in the order of the file.
func (t *table) each() []*table {
	var out []*table
	for e := range t.vals.All() {
		if s := t.open(e.Name, "NAME"); !s.broken {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b *table) int { return before(a.src.table, b.src.table) })
	return out
}

// lastName is the table's own name.
func (t *table) lastName() string { return t.path[len(t.path)-1] }

// maxName bounds the names of connections, children and secrets, in bytes.
const maxName = 128

// checkName reports names that can't be told from each other, or from words of a command, in a log line.
func (t *table) checkName(what string) string {
	name := t.lastName()
	bad := name == "" || len(name) > maxName || strings.HasPrefix(name, "-")
	for _, r := range name {
		bad = bad || r <= ' ' || r == '"' || r == '\'' || r == '\\' || r == '/' || r == 0x7f || r == '\ufffd' || r >= 0x80 && r < 0xa0
	}
	if bad {
		t.errorf(t.src.table, fmt.Sprintf("write letters, digits, \".\", \"_\" and \"-\", at most %d", maxName),
			"%s can't be the name of a %s", quote(name), what)
	}
	return name
}

// valueNotSupported reports a value that is right in strongSwan and that this version can't honour.
func (t *table) valueNotSupported(key, want string) {
	v, _ := t.get(key)
	s := fmt.Sprint(v.Data)
	if x, ok := text(v.Data); ok {
		s = quote(x)
	}
	t.errorf(v.At, want, "%s = %s is not supported by this version", t.name(key), s)
}
