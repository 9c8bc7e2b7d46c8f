package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"esplanade/config/tree"
)

// The readers of single values. Each takes what a file has, with TOML's types, and what a section has, where everything is
// a text, as strongSwan's own reader of sections takes it.

// text is the value of a string, of a file or of a section.
func text(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case tree.Text:
		return string(x), true
	}
	return "", false
}

// mismatch reports a value of another type than the key has.
func (t *table) mismatch(key string, v tree.Value, want, wanted string) {
	is := kind(v.Data)
	if x, ok := v.Data.(tree.Text); ok {
		is = quote(string(x))
	}
	t.errorf(v.At, want, "%s is %s, not %s", t.name(key), is, wanted)
}

// str reads a string.
func (t *table) str(key, def string) (s string, at Position) { return t.strAs(key, def, "") }

// strAs is str for a key where a value of another type would still be wrong in quotes: advice is what to write then.
func (t *table) strAs(key, def, advice string) (s string, at Position) {
	v, ok := t.get(key)
	if !ok {
		return def, v.At
	}
	s, ok = text(v.Data)
	if !ok {
		want := "write it in quotes"
		switch {
		case advice != "":
			want = advice
		case key != "secret": // of which no message may have anything
			want = fmt.Sprintf("write %s = %s", key, quote(scalar(v.Data)))
		}
		t.mismatch(key, v, want, "a string")
		return def, v.At
	}
	return s, v.At
}

// boolean reads true or false; in a section the words that strongSwan takes for them.
func (t *table) boolean(key string, def bool) bool {
	v, ok := t.get(key)
	if !ok {
		return def
	}
	want := "write true or false"
	switch x := v.Data.(type) {
	case bool:
		return x
	case tree.Text:
		switch strings.ToLower(string(x)) {
		case "yes", "true", "enabled", "1":
			return true
		case "no", "false", "disabled", "0":
			return false
		}
		want = "write yes or no"
	case string:
		switch strings.ToLower(x) {
		case "yes", "true", "1", "on":
			want = "write true, without quotes"
		case "no", "false", "0", "off":
			want = "write false, without quotes"
		}
	}
	t.mismatch(key, v, want, "a boolean")
	return def
}

// integer reads a whole number from low to high.
func (t *table) integer(key string, def, low, high int64) (n int64, at Position) {
	v, ok := t.get(key)
	if !ok {
		return def, v.At
	}
	want := fmt.Sprintf("write a number from %d to %d", low, high)
	if high == math.MaxInt64 {
		want = fmt.Sprintf("write a number, at least %d", low)
	}
	switch x := v.Data.(type) {
	case int64:
		n, ok = x, true
	case tree.Text:
		var err error
		n, err = strconv.ParseInt(string(x), 0, 64)
		ok = err == nil
	case string:
		if _, err := strconv.ParseInt(x, 0, 64); err == nil {
			want += ", without quotes"
		}
		ok = false
	default:
		ok = false
	}
	switch {
	case !ok:
		t.mismatch(key, v, want, "a whole number")
	case n < low || n > high:
		t.errorf(v.At, want, "%s is %d", t.name(key), n)
	default:
		return n, v.At
	}
	return def, v.At
}

// float reads a number from low to high.
func (t *table) float(key string, def, low, high float64) float64 {
	v, ok := t.get(key)
	if !ok {
		return def
	}
	want := fmt.Sprintf("write a number from %g to %g", low, high)
	var f float64
	switch n := v.Data.(type) {
	case int64:
		f = float64(n)
	case float64:
		f = n
	case tree.Text:
		var err error
		if f, err = strconv.ParseFloat(string(n), 64); err != nil {
			t.mismatch(key, v, want, "a number")
			return def
		}
	default:
		t.mismatch(key, v, want, "a number")
		return def
	}
	if !(low <= f && f <= high) { // NaN too
		t.errorf(v.At, want, "%s is %g", t.name(key), f)
		return def
	}
	return f
}

// duration reads a time such as "1h30m", from low to high; 0 is within whatever low says if zero is true. A number of a section
// is one of seconds.
func (t *table) duration(key string, def, low, high time.Duration, zero bool) (d time.Duration, at Position) {
	v, ok := t.get(key)
	if !ok {
		return def, v.At
	}
	want := fmt.Sprintf("write a time from %s to %s, such as \"%s\"", short(low), short(high), example(def, low, high))
	if zero {
		want += ", or \"0s\" for none"
	}
	var err error
	switch x := v.Data.(type) {
	case string:
		d, err = parseDuration(x)
	case tree.Text:
		if n, errN := strconv.ParseUint(string(x), 10, 32); errN == nil {
			d = time.Duration(n) * time.Second
		} else {
			d, err = parseDuration(string(x))
		}
	case int64:
		if x != 0 {
			t.errorf(v.At, fmt.Sprintf("write %s = \"%ds\"", key, x), "%s is a number without a unit", t.name(key))
			return def, v.At
		}
	default:
		t.mismatch(key, v, want, "a time in quotes")
		return def, v.At
	}
	if err != nil {
		s, _ := text(v.Data)
		t.errorf(v.At, want, "%s is %s: %v", t.name(key), quote(s), err)
		return def, v.At
	}
	if (d != 0 || !zero) && (d < low || d > high) {
		t.errorf(v.At, want, "%s is %s", t.name(key), short(d))
		return def, v.At
	}
	return d, v.At
}

// lifetime reads the age at which something is renewed or deleted; 0 is never. One below a minute is a warning, and right in a test
// of another implementation.
func (t *table) lifetime(key string, def time.Duration) (d time.Duration, at Position) {
	d, at = t.duration(key, def, time.Second, forever, true)
	if t.has(key) && d > 0 && d < time.Minute {
		t.warnf(at, "write at least 1m, unless this is a test", "%s is %s: a key exchange every few seconds, and one that is lost for as long ends the SA",
			t.name(key), short(d))
	}
	return d, at
}

// size reads a number of bytes: a whole number, or a string such as "1GiB".
func (t *table) size(key string, def, low, high uint64) (n uint64, at Position) {
	v, ok := t.get(key)
	if !ok {
		return def, v.At
	}
	want := "write a number of bytes such as 1048576, or a size such as \"1GiB\" or \"500MB\""
	switch x := v.Data.(type) {
	case int64:
		if x < 0 {
			t.errorf(v.At, want, "%s is negative", t.name(key))
			return def, v.At
		}
		n = uint64(x)
	case string, tree.Text:
		s, _ := text(x)
		var err error
		if n, err = parseSize(s); err != nil {
			t.errorf(v.At, want, "%s is %s: %v", t.name(key), quote(s), err)
			return def, v.At
		}
	default:
		t.mismatch(key, v, want, "a size")
		return def, v.At
	}
	if n != 0 && (n < low || n > high) {
		t.errorf(v.At, fmt.Sprintf("write a size from %d to %d bytes, or 0 for the default", low, high), "%s is %d bytes",
			t.name(key), n)
		return def, v.At
	}
	return n, v.At
}

// item is an element of a list of strings.
type item struct {
	text string
	at   Position
}

// list reads an array of strings, of which a lone one may stand without brackets. ok is false when the key is absent or neither, which
// is reported. An element has no comma in it: one in a lone string shows that several are meant.
func (t *table) list(key string) (items []item, ok bool) {
	v, _ := t.get(key)
	s, isString := text(v.Data)
	if !isString || !strings.Contains(s, ",") {
		return t.texts(key)
	}
	var parts []string
	for x := range strings.SplitSeq(s, ",") {
		parts = append(parts, quote(strings.TrimSpace(x)))
	}
	t.mismatch(key, v, fmt.Sprintf("write %s = [%s]", key, strings.Join(parts, ", ")), "a list")
	return nil, false
}

// texts is list for a key whose elements may have commas in them.
func (t *table) texts(key string) (items []item, ok bool) {
	v, ok := t.get(key)
	if !ok {
		return nil, false
	}
	if s, isString := text(v.Data); isString {
		return []item{{s, v.At}}, true
	}
	array, isArray := v.Data.(tree.List)
	if !isArray {
		t.mismatch(key, v, "write a string, or a list of them in square brackets", "a list")
		return nil, false
	}
	for _, e := range array {
		s, isString := text(e.Data)
		if !isString {
			t.errorf(e.At, "write it in quotes", "an element of %s is %s, not a string", t.name(key), kind(e.Data))
			continue
		}
		items = append(items, item{s, e.At})
	}
	return items, true
}

// emptyList reports a list that is there and empty, unless what was in it has been reported.
func (t *table) emptyList(key, want string) {
	v, _ := t.get(key)
	if list, ok := v.Data.(tree.List); ok && len(list) == 0 {
		t.errorf(v.At, want, "%s is empty", t.name(key))
	}
}

// kind names the type of a value for a message.
func kind(v any) string {
	switch v.(type) {
	case string, tree.Text:
		return "a string"
	case int64:
		return "a whole number"
	case float64:
		return "a fraction"
	case bool:
		return "a boolean"
	case tree.List:
		return "a list"
	case *tree.Table:
		return "a table"
	case tree.Tables:
		return "a list of tables"
	case tree.Date:
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
