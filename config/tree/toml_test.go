package tree

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	burnt "github.com/BurntSushi/toml"
)

// flat lists all keys of a table with the places of key and value, by paths with "|" and the numbers of elements.
func flat(prefix string, t *Table, out map[string][2]string) {
	short := func(p Position) string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }
	var value func(path string, key string, v Value)
	value = func(path, key string, v Value) {
		out[path] = [2]string{key, short(v.At)}
		switch data := v.Data.(type) {
		case *Table:
			flat(path+"|", data, out)
		case Tables:
			for i, t := range data {
				flat(fmt.Sprintf("%s|%d|", path, i), t, out)
			}
		case List:
			for i, e := range data {
				value(fmt.Sprintf("%s|%d", path, i), short(e.At), e)
			}
		}
	}
	for e := range t.All() {
		value(prefix+e.Name, short(e.At), e.Value)
	}
}

func TestPositions(t *testing.T) {
	const src = `# comment = "no"
a = 1 # not = this
"b c" . 'd' = "x = y"
e.f.g = [ "one", 'two', [ 3 ],
  # in between, with ] and " and [
  [ # [
    4 ] , { h = 4 , i . j = [ 5 ] }, # comma, too
]
k = """
text = 1
[no]
"quoted" \""" still
"""
l = '''
m = 2
'''
"ü" = 0
"\u00fc\t\x41\e" = 1
é.ü = 1
[n.o]   # header
p = 1979-05-27 07:32:00
[ n . "o p" ]
q = { r = 1,
  s = 2, # TOML 1.1
}
[[t]]
u = 1
[t.v]
w = 2
  [[ t ]]
u = 3
[t.v]
w = 4
x = { }
y = [
]
z = { a.b = 1, a.c = 2 }
	[n]
`
	text := strings.Replace(src, "é.ü", `"é".'ü'`, 1)
	want := map[string][2]string{
		"a":             {"2:1", "2:5"},
		"b c":           {"3:1", "3:1"},
		"b c|d":         {"3:9", "3:15"},
		"e":             {"4:1", "4:1"},
		"e|f":           {"4:3", "4:3"},
		"e|f|g":         {"4:5", "4:9"},
		"e|f|g|0":       {"4:11", "4:11"},
		"e|f|g|1":       {"4:18", "4:18"},
		"e|f|g|2":       {"4:25", "4:25"},
		"e|f|g|2|0":     {"4:27", "4:27"},
		"e|f|g|3":       {"6:3", "6:3"},
		"e|f|g|3|0":     {"7:5", "7:5"},
		"e|f|g|4":       {"7:11", "7:11"},
		"e|f|g|4|h":     {"7:13", "7:17"},
		"e|f|g|4|i":     {"7:21", "7:21"},
		"e|f|g|4|i|j":   {"7:25", "7:29"},
		"e|f|g|4|i|j|0": {"7:31", "7:31"},
		"k":             {"9:1", "9:5"},
		"l":             {"14:1", "14:5"},
		"ü":             {"17:1", "17:7"},
		"\u00fc\tA\x1b": {"18:1", "18:20"},
		"é":             {"19:1", "19:1"},
		"é|ü":           {"19:5", "19:11"},
		"n":             {"38:2", "38:2"},
		"n|o":           {"20:1", "20:1"},
		"n|o|p":         {"21:1", "21:5"},
		"n|o p":         {"22:1", "22:1"},
		"n|o p|q":       {"23:1", "23:5"},
		"n|o p|q|r":     {"23:7", "23:11"},
		"n|o p|q|s":     {"24:3", "24:7"},
		"t":             {"26:1", "26:1"},
		"t|0|u":         {"27:1", "27:5"},
		"t|0|v":         {"28:1", "28:1"},
		"t|0|v|w":       {"29:1", "29:5"},
		"t|1|u":         {"31:1", "31:5"},
		"t|1|v":         {"32:1", "32:1"},
		"t|1|v|w":       {"33:1", "33:5"},
		"t|1|v|x":       {"34:1", "34:5"},
		"t|1|v|y":       {"35:1", "35:5"},
		"t|1|v|z":       {"37:1", "37:5"},
		"t|1|v|z|a":     {"37:7", "37:7"},
		"t|1|v|z|a|b":   {"37:9", "37:13"},
		"t|1|v|z|a|c":   {"37:18", "37:22"},
	}
	root, err := ParseTOML("f", text)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]string{}
	flat("", root, got)
	for path, w := range want {
		// A table that only dotted keys make is where the first of them names it.
		if got[path] != w {
			t.Errorf("%q is at %v, want %v", path, got[path], w)
		}
		delete(got, path)
	}
	if len(got) > 0 {
		t.Errorf("more was found: %v", got)
	}
	var names []string
	for e := range root.All() {
		names = append(names, e.Name)
	}
	if s := strings.Join(names[:4], " "); s != "a b c e k" {
		t.Errorf("not in the order of the file: %q", names)
	}
}

func TestValues(t *testing.T) {
	root, err := ParseTOML("f", `s = "a\tb"
l = 'c\d'
m = """
x\
   y
"""
i = [0, -0, +7, 1_000, 0xdead_BEEF, 0o17, 0b101, -9223372036854775808]
f = [1.5, 1e3, 6_1.5, -inf, 1_0e-1]
b = [true, false]
d = [1979-05-27, 07:32:00, 1979-05-27T07:32:00Z]
`)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(plain(root, true))
	want := "map[b:[true false] d:[1979-05-27 07:32:00 1979-05-27T07:32:00Z] f:[1.5 1000 61.5 -Inf 1] " +
		"i:[0 0 7 1000 3735928559 15 5 -9223372036854775808] l:c\\d m:xy\n s:a\tb]"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestSyntaxErrors: each has the place where it is.
func TestSyntaxErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a = 1\na = 2":                           "2:1: key a is already defined",
		"[a]\nb = 1\n[a]":                        "3:2: table a already exists",
		"a.b = 1\n[a]":                           "2:2: ",
		"a = {b = 1}\na.c = 2":                   "2:1: key a is already defined",
		"a = {b = 1, b = 2}":                     "1:13: key b is already defined",
		"a = {b = 1}\n[a.c]":                     "2:2: ",
		"a = [1]\n[[a]]":                         "2:3: ",
		"[[a]]\n[a]":                             "2:2: ",
		"[a.b.c]\nz = 9\n[a]\nb.c.t = 1":         "4:1: ",
		"\"ü\" = 99999999999999999999":           "1:7: ",
		"\"ü\" = 1979-13-45":                     "1:",
		"a = 010":                                "1:",
		"a = 'x\n'":                              "1:7: ",
		"a = [1, # [\n  ü ]":                     "2:3: ",
		"a":                                      "1:",
		"\n\n[a":                                 "3:",
		"a = " + strings.Repeat("[", 1<<18):      "1:",
		"a = \"" + "\xff" + "\"":                 "1:6: ",
		"connections {\n  a = 1\n}":              "1:13: ",
		"a = \"x":                                "1:",
		"a = " + strings.Repeat("{ a = ", 1<<17): "1:",
	} {
		_, err := ParseTOML("f", text)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("%.40q: %v", text, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), "f:"+want) {
			t.Errorf("%.40q: %q, want f:%s", text, err, want)
		}
		if lines := strings.Split(text, "\n"); se.At.Line > len(lines) || se.At.Column > len([]rune(lines[se.At.Line-1]))+1 {
			t.Errorf("%.40q: there is nothing at %s", text, se.At)
		}
	}
}

// TestBuilderSeesConflicts: what the decoder would let through is not lost without a word.
func TestBuilderSeesConflicts(t *testing.T) {
	for _, text := range []string{"a = 1\na = 2", "a = 1\na.b = 2", "a = 1\n[a]", "[a]\n[a]", "a = {}\n[a]", "a = {}\n[[a]]", "a = [1]\n[[a]]", "a = 1\n[a.b]",
		"a = 99999999999999999999", "a = "} {
		if _, err := newBuilder("f", text).build(); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// plain makes of a table what decoders make of it.
func plain(v any, dates bool) any {
	switch v := v.(type) {
	case *Table:
		out := map[string]any{}
		for e := range v.All() {
			out[e.Name] = plain(e.Value.Data, dates)
		}
		return out
	case Tables:
		out := []map[string]any{}
		for _, t := range v {
			out = append(out, plain(t, dates).(map[string]any))
		}
		return out
	case List:
		out := []any{}
		for _, e := range v {
			out = append(out, plain(e.Data, dates))
		}
		return out
	case Date:
		if !dates {
			return "a date"
		}
		return string(v)
	}
	return v
}

// theirs replaces dates, and NaN, which is not equal to itself.
func theirs(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = theirs(e)
		}
	case []map[string]any:
		for _, e := range v {
			theirs(e)
		}
	case []any:
		for i, e := range v {
			v[i] = theirs(e)
		}
	case float64:
		if v != v {
			return "NaN"
		}
	case nil, string, bool, int64:
	default:
		return "a date"
	}
	return v
}

// checkAgainst compares with what another TOML package makes of a document. It returns the number of its keys, if both take it.
func checkAgainst(t *testing.T, src string) int {
	t.Helper()
	var doc map[string]any
	md, err := burnt.Decode(src, &doc)
	root, errOurs := ParseTOML("f", src)
	if err != nil || errOurs != nil {
		return 0
	}
	if doc == nil {
		doc = map[string]any{}
	}
	if ours, other := theirs(plain(root, false)), theirs(doc); !reflect.DeepEqual(ours, other) {
		t.Errorf("the values differ:\n%#v\n%#v\nin:\n%s", ours, other, src)
	}
	lines := strings.Split(src, "\n")
	all := map[string][2]string{}
	flat("", root, all)
	for path, places := range all {
		for _, place := range places {
			var line, column int
			fmt.Sscanf(place, "%d:%d", &line, &column)
			if line < 1 || line > len(lines) || column < 1 || column > len([]rune(lines[line-1])) {
				t.Errorf("%q is at %s, where there is nothing, in:\n%s", path, place, src)
			}
		}
	}
	return len(md.Keys())
}

// TestAgainstAnotherParser reads every test file of package config.
func TestAgainstAnotherParser(t *testing.T) {
	files, _ := filepath.Glob("../testdata/*.toml")
	n := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n += checkAgainst(t, string(data))
	}
	if n < 500 {
		t.Errorf("only %d keys", n)
	}
}

// FuzzTOML: no panic, every error and every key has a place within the text, and values are those of another parser.
func FuzzTOML(f *testing.F) {
	files, _ := filepath.Glob("../testdata/*.toml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	for _, s := range []string{"a=1", "[a]\nb.c=2", "[[a]]\n[a.b]\n[[a]]", "a={b=1,c=[1,{d=2}]}", `"a\"b"='x'`, "a=\"\"\"\n\"\"\"\"\"", "a='''x'''''",
		"[a.\"]\".b]\nc=1", "a = [\n# ]\n1]", "a=[[[[", "[[[", "a.b.=", "\"\\u", "a=1979-05-27 07:32:00", "[[a]]\n[[a.b]]\n[a.b.c]\nd=[nan]", "a=[[],[{},[]]]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		checkAgainst(t, src)
		newBuilder("f", src).build() // also of what is no TOML
		var se *SyntaxError
		if _, err := ParseTOML("f", src); err != nil {
			if lines := strings.Split(src, "\n"); !errors.As(err, &se) || se.What == "" || se.At.Line < 1 || se.At.Line > len(lines) {
				t.Errorf("%v", err)
			}
		}
	})
}

// TestLongLine: the time for a line grows with its length and not with its square.
func TestLongLine(t *testing.T) {
	const n = 200_000
	root, err := ParseTOML("f", "a = ["+strings.Repeat("1,", n)+"]")
	if err != nil {
		t.Fatal(err)
	}
	e, _ := root.Get("a")
	if list := e.Value.Data.(List); len(list) != n || list[n-1].At.Column != 6+2*(n-1) {
		t.Errorf("%d elements, the last at %s", len(list), list[len(list)-1].At)
	}
}
