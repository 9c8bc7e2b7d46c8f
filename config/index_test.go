package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestIndex(t *testing.T) {
	const src = `# comment = "no"
a = 1 # not = this
"b c" . 'd' = "x = y"
e.f.g = [ "one", 'two', [ 3 ],
  # in between, with ] and "
  { h = 4 , i . j = [ 5 ] },
]
k = """
text = 1
[no]
"quoted" \""" still
"""
l = '''
m = 2
'''
ü = 0
"\u00fc\t\x41\e" = 1

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
[[t]]
u = 3
[t.v]
w = 4
`
	want := map[string]struct{ key, value string }{
		"a":                     {"2:1", "2:5"},
		"b c|d":                 {"3:9", "3:15"},
		"b c":                   {"3:1", "3:1"},
		"e|f|g":                 {"4:5", "4:9"},
		"e":                     {"4:1", "4:1"},
		"e|f|g|\x000":           {"4:11", "4:11"},
		"e|f|g|\x001":           {"4:18", "4:18"},
		"e|f|g|\x002|\x000":     {"4:27", "4:27"},
		"e|f|g|\x003|h":         {"6:5", "6:9"},
		"e|f|g|\x003|i|j":       {"6:17", "6:21"},
		"e|f|g|\x003|i|j|\x000": {"6:23", "6:23"},
		"k":                     {"8:1", "8:5"},
		"l":                     {"13:1", "13:5"},
		"\u00fc\tA\x1b":         {"17:1", "17:20"},
		"n":                     {"19:2", "19:2"},
		"n|o":                   {"19:1", "19:1"},
		"n|o|p":                 {"20:1", "20:5"},
		"n|o p":                 {"21:1", "21:1"},
		"n|o p|q":               {"22:1", "22:5"},
		"n|o p|q|r":             {"22:7", "22:11"},
		"n|o p|q|s":             {"23:3", "23:7"},
		"t":                     {"25:1", "25:1"},
		"t|\x000|u":             {"26:1", "26:5"},
		"t|\x000|v|w":           {"28:1", "28:5"},
		"t|\x001":               {"29:1", "29:1"},
		"t|\x001|u":             {"30:1", "30:5"},
		"t|\x001|v|w":           {"32:1", "32:5"},
	}
	got := newIndex("f", src)
	for path, w := range want {
		p, ok := got[strings.ReplaceAll(path, "|", "\x00")]
		key := strings.TrimPrefix(p.key.String(), "f:")
		value := strings.TrimPrefix(p.value.String(), "f:")
		if !ok || key != w.key || value != w.value {
			t.Errorf("%q is at %s and %s, %v; want %s and %s", path, key, value, ok, w.key, w.value)
		}
	}
	for _, no := range []string{"comment", "not", "text", "no", "m", "quoted"} {
		if _, ok := got[no]; ok {
			t.Errorf("%q was found", no)
		}
	}
}

// TestIndexHasEveryKey compares with the keys that the TOML package finds in every test file.
func TestIndexHasEveryKey(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.toml")
	n := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n += checkIndex(t, string(data))
	}
	if n < 500 {
		t.Errorf("only %d keys", n)
	}
}

// checkIndex returns the number of keys of a document, if it is one.
func checkIndex(t *testing.T, src string) int {
	t.Helper()
	var doc map[string]any
	md, err := toml.Decode(src, &doc)
	if err != nil {
		return 0
	}
	where := newIndex("f", src)
	lines := strings.Split(src, "\n")
	for _, k := range md.Keys() {
		if isWithinArray(doc, k) {
			continue // the TOML package does not say of which element
		}
		p, ok := where[pathKey(k)]
		if !ok {
			t.Errorf("%s has no place in:\n%s", k, src)
			continue
		}
		if p.key.Line > len(lines) || p.key.Column > len([]rune(lines[p.key.Line-1]))+1 {
			t.Errorf("%s is at %s, where there is nothing, in:\n%s", k, p.key, src)
		}
	}
	return len(md.Keys())
}

func isWithinArray(v any, k toml.Key) bool {
	for _, part := range k {
		m, ok := v.(map[string]any)
		if !ok {
			return true
		}
		v = m[part]
	}
	return false
}

// FuzzIndex: the scanner ends, never panics, and finds every key of a well-formed document.
func FuzzIndex(f *testing.F) {
	for _, s := range []string{"a=1", "[a]\nb.c=2", "[[a]]\n[a.b]\n[[a]]", "a={b=1,c=[1,{d=2}]}", `"a\"b"='x'`, "a=\"\"\"\n\"\"\"\"\"", "a='''x'''''",
		"[a.\"]\".b]\nc=1", "a = [\n# ]\n1]", "a=[[[[", "[[[", "a.b.=", "\"\\u"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		newIndex("f", src)
		checkIndex(t, src)
	})
}
