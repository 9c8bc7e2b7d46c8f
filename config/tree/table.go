package tree

import (
	"iter"
	"slices"
	"strings"
)

// Value is a value, and where it begins.
type Value struct {
	At Position
	// Data is a string, int64, float64, bool, [Date], [Text], [List], [Tables] or *[Table].
	Data any
}

// Text is a value that only the schema can tell the type of: all values of sections are such.
type Text string

// Date is a date or a time of day of TOML, as written. No key has one.
type Date string

// List is an array.
type List []Value

// Strings is what stands for texts in TOML: the one that there is, or a list of them.
func Strings(items []string) any {
	if len(items) == 1 {
		return items[0]
	}
	list := List{}
	for _, s := range items {
		list = append(list, Value{Data: s})
	}
	return list
}

// Tables are the tables of an array of tables, [[name]].
type Tables []*Table

// Entry is a key with its value.
type Entry struct {
	Name string
	// At is where the key begins: of a table that has a header, the header.
	At    Position
	Value Value
	// Comment is what stands above it and at the end of its line. [ParseTOML] does not read comments.
	Comment Comment
}

// Table is a table: its entries by name, in the order in which they were written first. A nil *Table is an empty one.
type Table struct {
	file    string
	entries []Entry
	index   map[string]int
	notes   []string // comments that come above the next entry
	foot    []string // comments that are above none
	header  bool     // a table of TOML with a header of its own, or an inline table: no other header opens it
}

// New makes an empty table to be filled by the methods Add…; origin stands for the file in positions.
func New(origin string) *Table { return &Table{file: origin} }

// Len is the number of entries.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return len(t.entries)
}

// Get returns the entry of a name.
func (t *Table) Get(name string) (Entry, bool) {
	if t == nil {
		return Entry{}, false
	}
	i, ok := t.index[name]
	if !ok {
		return Entry{}, false
	}
	return t.entries[i], true
}

// Only is a table with those of the entries that have one of the names.
func (t *Table) Only(names ...string) *Table {
	out := &Table{}
	for e := range t.All() {
		if slices.Contains(names, e.Name) {
			out.file = t.file
			out.set(e)
		}
	}
	return out
}

// Over is a table with the entries of t and, behind them, those of base whose name t does not have.
func (t *Table) Over(base *Table) *Table {
	out := &Table{}
	if t != nil {
		out.file = t.file
	}
	for e := range t.All() {
		out.set(e)
	}
	for e := range base.All() {
		if _, ok := out.index[e.Name]; !ok {
			out.set(e)
		}
	}
	return out
}

// AddAt sets a value that stands at another position than its key, as Add does.
func (t *Table) AddAt(name string, at, valueAt Position, data any) {
	t.set(Entry{Name: name, At: at, Value: Value{valueAt, data}})
}

// Add sets a value that stands at a position. What has the name already is replaced, in its place.
func (t *Table) Add(name string, at Position, data any) {
	t.set(Entry{Name: name, At: at, Value: Value{at, data}})
}

// AddEntry sets an entry as it is, with its comments and places.
func (t *Table) AddEntry(e Entry) { t.set(e) }

// All are the entries in their order.
func (t *Table) All() iter.Seq[Entry] {
	if t == nil {
		return func(func(Entry) bool) {}
	}
	return slices.Values(t.entries)
}

// AddText sets a value. What has the name already is replaced, in its place.
func (t *Table) AddText(name, value string) {
	t.set(Entry{Name: name, At: t.origin(), Value: Value{t.origin(), Text(value)}})
}

// AddTexts sets a list of values, as AddText does.
func (t *Table) AddTexts(name string, values []string) {
	list := List{}
	for _, v := range values {
		list = append(list, Value{t.origin(), Text(v)})
	}
	t.set(Entry{Name: name, At: t.origin(), Value: Value{t.origin(), list}})
}

// AddSection returns the table of a name, and makes it if there is none.
func (t *Table) AddSection(name string) *Table {
	if e, ok := t.Get(name); ok {
		if sub, ok := e.Value.Data.(*Table); ok {
			return sub
		}
	}
	sub := New(t.file)
	t.set(Entry{Name: name, At: t.origin(), Value: Value{t.origin(), sub}})
	return sub
}

func (t *Table) origin() Position { return Position{File: t.file} }

// set adds an entry, or replaces the one with its name.
func (t *Table) set(e Entry) {
	if len(t.notes) > 0 {
		e.Comment.Above = append(t.notes, e.Comment.Above...)
		t.notes = nil
	}
	if i, ok := t.index[e.Name]; ok {
		t.entries[i] = e
		return
	}
	if t.index == nil {
		t.index = map[string]int{}
	}
	t.index[e.Name] = len(t.entries)
	t.entries = append(t.entries, e)
}

// KeyName writes the path of a key as TOML does: "connections.office", or `connections."the office"`.
func KeyName(path ...string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		if parts[i] = p; p == "" || strings.ContainsFunc(p, func(r rune) bool { return r >= 0x80 || !isBare(byte(r)) }) {
			parts[i] = QuoteTOML(p)
		}
	}
	return strings.Join(parts, ".")
}

// isBare reports whether a key may have the character without quotes.
func isBare(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}
