package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// reader collects what is found while the tables of one document are read.
type reader struct {
	file  string
	where index
	errs  []Problem
	warns []Problem
	// asked is every key that a table was asked for, by the table's pattern: what the parser knows.
	asked map[string]map[string]bool
	later map[string]map[string]bool // the same for keys of later versions
	quiet bool                       // only to find out what keys there are
}

// errorf adds an error. want says what would be right.
func (r *reader) errorf(at Position, want, format string, args ...any) {
	r.errs = append(r.errs, Problem{at, oneLine(fmt.Sprintf(format, args...)), oneLine(want)})
}

// warnf adds a warning.
func (r *reader) warnf(at Position, want, format string, args ...any) {
	r.warns = append(r.warns, Problem{at, oneLine(fmt.Sprintf(format, args...)), oneLine(want)})
}

// table is one table of the document while it is read. One that is absent has no values, and gives every default.
type table struct {
	*reader
	path    []string // as in the document
	pattern string   // the path with NAME for names that the operator chooses: "connections.NAME"
	vals    map[string]any
	src     Source
	broken  bool // there is something in the table's place that is none: reported
}

// top makes the table of the whole document.
func (r *reader) top(vals map[string]any) *table {
	return &table{reader: r, vals: vals, src: Source{table: Position{r.file, 1, 1}, keys: map[string]Position{}}}
}

// know notes that the parser knows the key.
func (t *table) know(key string) {
	if t.asked[t.pattern] == nil {
		t.asked[t.pattern] = map[string]bool{}
	}
	t.asked[t.pattern][key] = true
}

// get looks a key up and notes where it is.
func (t *table) get(key string) (v any, at place, ok bool) {
	t.know(key)
	if v, ok = t.vals[key]; !ok {
		return nil, place{t.src.table, t.src.table}, false
	}
	at, found := t.where[pathKey(append(slices.Clone(t.path), key))]
	if !found {
		at = place{t.src.table, t.src.table}
	}
	t.src.keys[key] = at.key
	return v, at, true
}

// name is the key's full name for messages.
func (t *table) name(key string) string {
	return toml.Key(append(slices.Clone(t.path), key)).String()
}

// sub opens a table below this one. What is there and is no table is an error.
func (t *table) sub(key string) *table { return t.open(key, key) }

// open is sub for a key that stands as NAME in patterns.
func (t *table) open(key, pattern string) *table {
	s := &table{
		reader: t.reader, path: append(slices.Clone(t.path), key), pattern: strings.TrimPrefix(t.pattern+"."+pattern, "."),
		src: Source{table: t.src.table, keys: map[string]Position{}},
	}
	if pattern == key {
		t.know(key)
	}
	v, ok := t.vals[key]
	if !ok {
		return s
	}
	if at, ok := t.where[pathKey(s.path)]; ok {
		s.src.table = at.key
		t.src.keys[key] = at.key
	}
	vals, ok := v.(map[string]any)
	if !ok {
		t.errorf(s.src.table, fmt.Sprintf("write [%s]", toml.Key(s.path)), "%s is %s, not a table", toml.Key(s.path), kind(v))
		s.broken = true
		return s
	}
	s.vals = vals
	if s.vals == nil {
		s.vals = map[string]any{}
	}
	return s
}

// each opens the tables with names that the operator chose, in the order of the file.
func (t *table) each() []*table {
	var out []*table
	for _, name := range slices.Sorted(maps.Keys(t.vals)) {
		s := t.open(name, "NAME")
		if s.vals == nil {
			continue // not a table: reported
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b *table) int {
		p, q := a.src.table, b.src.table
		if p.Line != q.Line {
			return p.Line - q.Line
		}
		return p.Column - q.Column
	})
	return out
}

// lastName is the table's own name.
func (t *table) lastName() string { return t.path[len(t.path)-1] }

// str reads a string.
func (t *table) str(key, def string) (s string, at Position) { return t.strAs(key, def, "") }

// strAs is str for a key where a value of another type would still be wrong in quotes: advice is what to write then.
func (t *table) strAs(key, def, advice string) (s string, at Position) {
	v, p, ok := t.get(key)
	if !ok {
		return def, p.key
	}
	s, ok = v.(string)
	if !ok {
		want := "write it in quotes"
		switch {
		case advice != "":
			want = advice
		case key != "secret": // of which no message may have anything
			want = fmt.Sprintf("write %s = %s", key, quote(scalar(v)))
		}
		t.errorf(p.value, want, "%s is %s, not a string", t.name(key), kind(v))
		return def, p.value
	}
	return s, p.value
}

// boolean reads true or false.
func (t *table) boolean(key string, def bool) bool {
	v, p, ok := t.get(key)
	if !ok {
		return def
	}
	b, ok := v.(bool)
	if !ok {
		want := "write true or false"
		if s, isString := v.(string); isString {
			switch strings.ToLower(s) {
			case "yes", "true", "1", "on":
				want = "write true, without quotes"
			case "no", "false", "0", "off":
				want = "write false, without quotes"
			}
		}
		t.errorf(p.value, want, "%s is %s, not a boolean", t.name(key), kind(v))
		return def
	}
	return b
}

// integer reads a whole number from low to high.
func (t *table) integer(key string, def, low, high int64) (n int64, at Position) {
	v, p, ok := t.get(key)
	if !ok {
		return def, p.value
	}
	want := fmt.Sprintf("write a number from %d to %d", low, high)
	if high == math.MaxInt64 {
		want = fmt.Sprintf("write a number, at least %d", low)
	}
	n, ok = v.(int64)
	if !ok {
		if s, isString := v.(string); isString {
			if _, err := strconv.ParseInt(s, 0, 64); err == nil {
				want += ", without quotes"
			}
		}
		t.errorf(p.value, want, "%s is %s, not a whole number", t.name(key), kind(v))
		return def, p.value
	}
	if n < low || n > high {
		t.errorf(p.value, want, "%s is %d", t.name(key), n)
		return def, p.value
	}
	return n, p.value
}

// float reads a number from low to high.
func (t *table) float(key string, def, low, high float64) float64 {
	v, p, ok := t.get(key)
	if !ok {
		return def
	}
	want := fmt.Sprintf("write a number from %g to %g", low, high)
	var f float64
	switch n := v.(type) {
	case int64:
		f = float64(n)
	case float64:
		f = n
	default:
		t.errorf(p.value, want, "%s is %s, not a number", t.name(key), kind(v))
		return def
	}
	if !(low <= f && f <= high) { // NaN too
		t.errorf(p.value, want, "%s is %g", t.name(key), f)
		return def
	}
	return f
}

// duration reads a time such as "1h30m", from low to high; 0 is within whatever low says if zero is true.
func (t *table) duration(key string, def, low, high time.Duration, zero bool) (d time.Duration, at Position) {
	v, p, ok := t.get(key)
	if !ok {
		return def, p.value
	}
	var want string
	switch {
	case zero:
		want = fmt.Sprintf("write a time from %s to %s, such as \"%s\", or \"0s\" for none", short(low), short(high), example(def, low, high))
	default:
		want = fmt.Sprintf("write a time from %s to %s, such as \"%s\"", short(low), short(high), example(def, low, high))
	}
	switch x := v.(type) {
	case string:
		var err error
		if d, err = parseDuration(x); err != nil {
			t.errorf(p.value, want, "%s is %s: %v", t.name(key), quote(x), err)
			return def, p.value
		}
	case int64:
		if x != 0 {
			t.errorf(p.value, fmt.Sprintf("write %s = \"%ds\"", key, x), "%s is a number without a unit", t.name(key))
			return def, p.value
		}
	default:
		t.errorf(p.value, want, "%s is %s, not a time in quotes", t.name(key), kind(v))
		return def, p.value
	}
	if (d != 0 || !zero) && (d < low || d > high) {
		t.errorf(p.value, want, "%s is %s", t.name(key), short(d))
		return def, p.value
	}
	return d, p.value
}

// size reads a number of octets: a whole number, or a string such as "1GiB".
func (t *table) size(key string, def, low, high uint64) (n uint64, at Position) {
	v, p, ok := t.get(key)
	if !ok {
		return def, p.value
	}
	want := "write a number of octets such as 1048576, or a size such as \"1GiB\" or \"500MB\""
	switch x := v.(type) {
	case int64:
		if x < 0 {
			t.errorf(p.value, want, "%s is negative", t.name(key))
			return def, p.value
		}
		n = uint64(x)
	case string:
		var err error
		if n, err = parseSize(x); err != nil {
			t.errorf(p.value, want, "%s is %s: %v", t.name(key), quote(x), err)
			return def, p.value
		}
	default:
		t.errorf(p.value, want, "%s is %s, not a size", t.name(key), kind(v))
		return def, p.value
	}
	if n != 0 && (n < low || n > high) {
		t.errorf(p.value, fmt.Sprintf("write a size from %d to %d octets, or 0 for the default", low, high), "%s is %d octets",
			t.name(key), n)
		return def, p.value
	}
	return n, p.value
}

// item is an element of a list of strings.
type item struct {
	text string
	at   Position
}

// list reads an array of strings. ok is false when the key is absent or no array, which is reported.
func (t *table) list(key string) (items []item, ok bool) {
	v, p, ok := t.get(key)
	if !ok {
		return nil, false
	}
	array, isArray := v.([]any)
	if !isArray {
		want := "write a list in square brackets"
		if s, isString := v.(string); isString {
			var parts []string
			for _, x := range strings.Split(s, ",") {
				parts = append(parts, quote(strings.TrimSpace(x)))
			}
			want = fmt.Sprintf("write %s = [%s]", key, strings.Join(parts, ", "))
		}
		t.errorf(p.value, want, "%s is %s, not a list", t.name(key), kind(v))
		return nil, false
	}
	for i, e := range array {
		at := p.value
		if q, found := t.where[pathKey(append(slices.Clone(t.path), key, element(i)))]; found {
			at = q.value
		}
		s, isString := e.(string)
		if !isString {
			t.errorf(at, "write it in quotes", "an element of %s is %s, not a string", t.name(key), kind(e))
			continue
		}
		items = append(items, item{s, at})
	}
	return items, true
}

// choice reads one of several words.
func choice[T comparable](t *table, key string, def T, list []enum[T]) (v T, at Position) {
	s, at := t.strAs(key, nameOf(list, def), "write "+words(list))
	if !t.src.Has(key) {
		return def, at
	}
	for _, e := range list {
		if e.name == s {
			return e.value, at
		}
	}
	if _, isString := t.vals[key].(string); !isString {
		return def, at // reported by str
	}
	want := "write " + words(list)
	if t.src.Has(key) && len(list) == 1 {
		t.errorf(at, want, "%s is %s", t.name(key), quote(s))
		return def, at
	}
	var names []string
	for _, e := range list {
		names = append(names, e.name)
	}
	if near, ok := nearest(s, names); ok {
		want = fmt.Sprintf("did you mean %s? It is one of %s", quote(near), words(list))
	}
	t.errorf(at, want, "%s is %s", t.name(key), quote(s))
	return def, at
}

// kind names the type of a TOML value for a message.
func kind(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "a whole number"
	case float64:
		return "a fraction"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	case []map[string]any:
		return "a list of tables"
	case time.Time:
		return "a date"
	}
	return "something else"
}

// scalar prints a value that should have been a string.
func scalar(v any) string {
	switch v.(type) {
	case int64, float64, bool:
		return fmt.Sprint(v)
	}
	return "…"
}

// quote puts a value into quotes for a message, cut to a sensible length.
func quote(s string) string {
	const most = 120
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(s)
}
