package tree

import (
	"errors"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// SyntaxError says that a text is not TOML.
type SyntaxError struct {
	At Position
	// What is wrong. It may have a part of the text in it.
	What string
	// Key is the key that it is about, as far as that is known.
	Key []string
	// First is where what is there twice was written first, as far as that is known.
	First Position
}

// Error is "file:line:column: what".
func (e *SyntaxError) Error() string { return e.At.String() + ": " + e.What }

// ParseTOML reads a document. file stands for it in positions. An error is a [*SyntaxError].
//
// The TOML package is asked twice: to decode the document, which is what finds everything that is wrong with it (keys that are there
// twice, numbers that are too large), and for its expressions one by one, which have places. It gives only the places of keys and of single
// values, so that the builder walks along through what is between them.
func ParseTOML(file, text string) (*Table, error) {
	b := newBuilder(file, text)
	root, err := b.build()
	if bad := b.check(); bad != nil {
		// For a key within an inline table the decoder has only the place of the whole.
		if b.twice != nil && bad.What == "key "+b.twice.Key[0]+" is already defined" {
			bad.At = b.twice.At
		}
		var own *SyntaxError
		if errors.As(err, &own) && own.At.Line == bad.At.Line {
			bad.First = own.First
		}
		return nil, bad
	}
	return root, err
}

// builder makes tables of the expressions of a document.
type builder struct {
	file, text string
	lines      []int // where each line begins, in bytes
	parser     unstable.Parser
	last       Position     // what at has found last, and
	lastOffset int          // for which place
	err        error        // the first
	twice      *SyntaxError // it is about a key that is there twice
}

func newBuilder(file, text string) *builder {
	b := &builder{file: file, text: text, lines: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			b.lines = append(b.lines, i+1)
		}
	}
	return b
}

// build makes the tree of a document. Of one that is not TOML it makes what it can.
func (b *builder) build() (*Table, error) {
	b.parser.Reset([]byte(b.text))
	root := New(b.file)
	table := root
	for b.parser.NextExpression() {
		switch n := b.parser.Expression(); n.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = b.header(root, n)
		case unstable.KeyValue:
			b.keyValue(table, n)
		}
		if b.err != nil {
			return nil, b.err
		}
	}
	if err := b.parser.Error(); err != nil {
		return nil, &SyntaxError{At: b.at(0), What: err.Error()}
	}
	return root, nil
}

// at is the position of a place in the text, in bytes from its beginning.
func (b *builder) at(offset int) Position {
	line := sort.SearchInts(b.lines, offset+1)
	from, column := b.lines[line-1], 1
	if b.last.Line == line && b.lastOffset <= offset { // a line may be as long as a file
		from, column = b.lastOffset, b.last.Column
	}
	b.last = Position{b.file, line, column + utf8.RuneCountInString(b.text[from:offset])}
	b.lastOffset = offset
	return b.last
}

// check has the TOML package decode the document.
func (b *builder) check() *SyntaxError {
	var all map[string]any
	err := toml.Unmarshal([]byte(b.text), &all)
	if err == nil {
		return nil
	}
	e := &SyntaxError{At: b.at(0), What: strings.TrimPrefix(err.Error(), "toml: ")}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		e.Key = de.Key()
		if line, column := de.Position(); 1 <= line && line <= len(b.lines) {
			e.At = b.at(min(b.lines[line-1]+max(column-1, 0), len(b.text)))
		}
	}
	return e
}

func twice(name string, at, first Position) *SyntaxError {
	return &SyntaxError{At: at, What: "key " + name + " is already defined", Key: []string{name}, First: first}
}

// conflict notes that a header names something that is no table of its own, and returns a table to go on with. The decoder finds all of
// these; what it lets through must not be lost without a word.
func (b *builder) conflict(name string, at, first Position) *Table {
	if b.err == nil {
		b.err = twice(name, at, first)
	}
	return New(b.file)
}

// header opens the table of [a.b] or [[a.b]]. The last part of the key stands at the bracket, the others where they are.
func (b *builder) header(t *Table, n *unstable.Node) *Table {
	it := n.Key()
	for first := -1; it.Next(); {
		k := it.Node()
		name, at, last := string(k.Data), b.at(int(k.Raw.Offset)), it.IsLast()
		if first < 0 {
			first = int(k.Raw.Offset)
		}
		if last {
			at = b.at(strings.LastIndexByte(b.text[:first], '['))
			if n.Kind == unstable.ArrayTable {
				at.Column--
			}
		}
		t = b.open(t, name, at, last, n.Kind == unstable.ArrayTable)
	}
	return t
}

// open returns the table of a name, which a header names, and makes it if there is none. Below an array of tables it is
// that of its last one.
func (b *builder) open(t *Table, name string, at Position, last, array bool) *Table {
	e, ok := t.Get(name)
	switch data := e.Value.Data.(type) {
	case *Table:
		if last && (array || data.header) {
			return b.conflict(name, at, e.At)
		}
		if last { // its own header is its place, whatever named it before
			data.header = true
			t.set(Entry{Name: name, At: at, Value: Value{at, data}})
		}
		return data
	case Tables:
		if last && array {
			data = append(data, New(b.file))
			t.set(Entry{Name: name, At: e.At, Value: Value{e.Value.At, data}})
		}
		return data[len(data)-1]
	}
	if ok {
		return b.conflict(name, at, e.At)
	}
	sub := New(b.file)
	if last && array {
		t.set(Entry{Name: name, At: at, Value: Value{at, Tables{sub}}})
		return sub
	}
	sub.header = last
	t.set(Entry{Name: name, At: at, Value: Value{at, sub}})
	return sub
}

// keyValue adds a.b = value to a table, and returns where it ends.
func (b *builder) keyValue(t *Table, n *unstable.Node) (end int) {
	it := n.Key()
	for it.Next() {
		k := it.Node()
		name, at := string(k.Data), b.at(int(k.Raw.Offset))
		if end = int(k.Raw.Offset + k.Raw.Length); !it.IsLast() {
			t = b.open(t, name, at, false, false)
			continue
		}
		end += strings.IndexByte(b.text[end:], '=') + 1
		var v Value
		v, end = b.value(n.Value(), end)
		if e, ok := t.Get(name); ok && b.err == nil {
			b.twice = twice(name, at, e.At)
			b.err = b.twice
		}
		t.set(Entry{Name: name, At: at, Value: v})
	}
	return end
}

// value makes a value that begins at or after from, and returns where it ends.
func (b *builder) value(n *unstable.Node, from int) (v Value, end int) {
	from = b.skip(from)
	v.At = b.at(from)
	switch n.Kind {
	case unstable.Array:
		list := List{}
		end = from + 1
		for it := n.Children(); it.Next(); {
			var e Value
			e, end = b.value(it.Node(), end)
			list = append(list, e)
		}
		v.Data = list
		return v, b.skip(end) + 1
	case unstable.InlineTable:
		t := New(b.file)
		t.header = true
		end = from + 1
		for it := n.Children(); it.Next(); {
			end = b.keyValue(t, it.Node())
		}
		v.Data = t
		return v, b.skip(end) + 1
	}
	var err error
	if v.Data, err = scalar(n); err != nil && b.err == nil {
		b.err = &SyntaxError{At: v.At, What: err.Error()}
	}
	return v, int(n.Raw.Offset + n.Raw.Length)
}

// scalar is the value of a node that is neither an array nor a table.
func scalar(n *unstable.Node) (any, error) {
	text := string(n.Data)
	switch n.Kind {
	case unstable.String:
		return text, nil
	case unstable.Bool:
		return text == "true", nil
	case unstable.Integer:
		return strconv.ParseInt(text, 0, 64) // the same notations; what begins with 0 has been refused
	case unstable.Float:
		return strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	}
	return Date(text), nil
}

// skip passes over spaces, line ends, commas and comments.
func (b *builder) skip(i int) int {
	for i < len(b.text) {
		switch b.text[i] {
		case ' ', '\t', '\r', '\n', ',':
			i++
		case '#':
			n := strings.IndexByte(b.text[i:], '\n')
			if n < 0 {
				return len(b.text)
			}
			i += n
		default:
			return i
		}
	}
	return i
}
