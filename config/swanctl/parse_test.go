package swanctl

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"esplanade/config/tree"
)

// memory are files in memory.
type memory map[string]string

func (f memory) ReadFile(name string, limit int64) ([]byte, error) {
	data, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(data[:min(int64(len(data)), limit+1)]), nil
}

func (f memory) Glob(pattern string) ([]string, error) {
	var names []string
	for name := range f {
		ok, err := filepath.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// dump writes a table on one line: what is in it, in its order.
func dump(t *tree.Table) string {
	var parts []string
	for e := range t.All() {
		switch v := e.Value.Data.(type) {
		case *tree.Table:
			parts = append(parts, e.Name+" {", dump(v), "}")
		case tree.Text:
			parts = append(parts, fmt.Sprintf("%s=%q", e.Name, string(v)))
		}
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

// others are what the cases include.
var others = map[string]string{
	"inc1.conf":        "i1 = 1\nx = inc\n",
	"inc2.conf":        "i2=2\n",
	"open.conf":        "q { x=1\n",
	"section.conf":     "c { x=1 \n}\n",
	"sub/one.conf":     "include two.other\n",
	"sub/two.other":    "two=2\n",
	"sub/sp ace.conf":  "sp=1\n",
	"sub/.hidden.conf": "hidden=1\n",
	"self.conf":        "include self.conf\n",
	"bad.conf":         "q {\n x = 1\n =\n",
}

// agreed are texts, what stands within connections { … }, and what strongSwan 5.9.8 makes of them: TestSwanctlAgrees asks it.
var agreed = []struct{ text, want string }{
	{"a { x = b#c\n y=b\\\n z = \\n\\t w\n }", `a { x="b" y="b\\" z="\\n\\t w" }`},
	{"a { x = 1 y = 2\n }", `a { x="1 y = 2" }`},
	{"a { x = \"un\\q\\0\\r\\\\\"\n}", `a { x="unq0\r\\" }`},
	{"a { x\n = 1\n}", `a { x="1" }`},
	{"a\n\n{\n x=1\n}", `a { x="1" }`},
	{"a #c\n{ #d\n x=1 #e\n} #f", `a { x="1" }`},
	{"a : \n b {\n x=1\n}\nb { y = 1 \n}", `a { x="1" } b { y="1" }`},
	{"a : connections.b, \n connections.c {\n x=1\n}\nb { y = 1 \n}\nc { z=1 }", `a { x="1" y="1" z="1" } b { y="1" } c { z="1" }`},
	{"a : connections.b \n ,connections.c \n {\n x=1\n}\nb { y = 1 \n}\nc { z=1 }", `a { x="1" y="1" z="1" } b { y="1" } c { z="1" }`},
	{"a : connections.a {\n x=1\n}", `a { x="1" }`},
	{"a : connections.b {\n x=1\n}\nb : connections.a { y=1\n }", `a { x="1" y="1" } b { y="1" x="1" }`},
	{"a { x=1\n}\na { y=2 \n}", `a { x="1" y="2" }`},
	{"a { x=1\n}\na { y=2 \n x=3}", `a { x="3" y="2" }`},
	{"a : connections.b { x=1\n}\na : connections.c { y=2 \n}\nb { p=b }\nc { p=c\nq=c\n }", `a { x="1" y="2" p="b" q="c" } b { p="b" } c { p="c" q="c" }`},
	{"a { include nosuch.conf\n x=1\n}", `a { x="1" }`},
	{"a { include nosuch*.conf\n x=1\n}", `a { x="1" }`},
	{"a { include inc1.conf\n x=1\n}", `a { i1="1" x="1" }`},
	{"a { x=1\n include inc1.conf\n }", `a { x="inc" i1="1" }`},
	{"a { include \"inc1.conf\"\n x=1\n}", `a { i1="1" x="1" }`},
	{"a { include inc1.conf # c\n x=1\n}", `a { i1="1" x="1" }`},
	{"a { include inc1.conf }\nb { x=1 }", `a { i1="1" x="inc" } b { x="1" }`},
	{"a { include inc[12].conf\n x=1\n}", `a { i1="1" x="1" i2="2" }`},
	{"a { include sub\n x=1\n}", `a { x="1" }`},
	{"a { include sub/*.conf\n x=1\n}", `a { two="2" sp="1" x="1" }`},
	{"a { include sub/.*.conf\n x=1\n}", `a { hidden="1" x="1" }`},
	{"a { include inc\\1.conf\n x=1\n}", `a { i1="1" x="1" }`},
	{"a { include \"sub/sp ace.conf\"\n x=1\n}", `a { sp="1" x="1" }`},
	{"a { include sub/sp\\ ace.conf\n x=1\n}", `a { sp="1" x="1" }`},
	{"a { include open.conf\n x=1\n}}", `a { q { x="1" } }`},
	{"a { include\tinc1.conf\n}", `a { i1="1" x="inc" }`},
	{"a {include inc1.conf}", `a { i1="1" x="inc" }`},
	{"a { include inc1.conf{ \n}", `a { }`},
	{"a { include inc1.conf#c\n x=1 #inc\n}", `a { i1="1" x="1" }`},
	{"a { x=1\n\n include inc1.conf y=1 }", `a { x="inc" i1="1" y="1" }`},
	{"a { includex = 1\n include\t= 2\n}", `a { includex="1" include="2" }`},
	{"a { include = inc1.conf\n}", `a { include="inc1.conf" }`},
	{"a { include inc1.conf\n x = \"\\\"\"\n include inc2.conf\n}", `a { i1="1" x="\"" i2="2" }`},
	{"include section.conf\n", `c { x="1" }`},
	{"a { x=1\r\n y=2\r\n}\r\n", `a { x="1" y="2" }`},
	{"a {\r\n x = \"a\r\nb\"\r\n y\r=3\n z = a\rb\n}", `a { x="a\nb" y="3" z="a b" }`},
	{"a { x=1\f\n y\f=2\n}", "a { x=\"1\\f\" y\f=\"2\" }"},
	{"a { x = \"\"\n }\nb : connections.a { x=\n y=1\n}", `a { x="" } b { y="1" }`},
	{"a { x = 1\n s {z=1}\n }\nb : connections.a { s { z=\n } }", `a { x="1" s { z="1" } } b { x="1" s { } }`},
	{"a { x = 1\n x =\n y = 2\n y =\n y = 3\n}", `a { y="3" }`},
	{"a {} b {}", `a { } b { }`},
	{"a { x = {\n}", `a { x="{" }`},
	{"a { x == 1\n y = = 2 \n }", `a { x="= 1" y="= 2" }`},
	{"a { x = 'q'\n y = \"a\"b\"c\"\n z = a:b\n }", `a { x="'q'" y="a b c" z="a:b" }`},
	{"a { x-1_@/%+* = 1\n x\\y = 2\n }", `a { x-1_@/%+*="1" x\y="2" }`},
	{"a { x = b\tc   d\n }", `a { x="b c d" }`},
	{"a { x = \"a\tb  c\"\n y = a \"b  c\" d\"e\"f\n }", "a { x=\"a\\tb  c\" y=\"a b  c d e f\" }"},
	{"a { x = \"a}b#c\"\n }", `a { x="a}b#c" }`},
	{"a { x = a\\\"b\"c\n}", `a { x="a\\ b c" }`},
	{"a { x = a } # b\n", `a { x="a" }`},
	{"a { x = a #}\n}", `a { x="a" }`},
	{"a { x = \"a\\\n   b\"\n }", `a { x="a   b" }`},
	{"a { x = \"multi\nline\"\n }", `a { x="multi\nline" }`},
	{"a { x = a\\\nb = 2\n }", `a { x="a\\" b="2" }`},
	{"a { x = 1;\n }", `a { x="1;" }`},
	{"a{x=1}b{y=2}", `a { x="1" } b { y="2" }`},
	{"a:connections.b{x=1}b{y=2}", `a { x="1" y="2" } b { y="2" }`},
	{"a : nosuch { x = 1 }", `a { x="1" }`},
	{"a : connections.b.s { x = 1 }\nb : connections.c { s { y = 1 } }\n c { s : connections.d { z = 1 } }\n d { u = 1 }",
		`a { x="1" y="1" z="1" u="1" } b { s { y="1" z="1" u="1" } } c { s { z="1" u="1" } } d { u="1" }`},
	{"a : connections.b { k = a\n s : connections.b2.s { } }\n b : connections.b2 { k = b\n s { x = b }\n t { w = b } }\n b2 { k = b2\n m = b2\n s { x = b2\n y = b2 } }",
		`a { k="a" m="b2" s { x="b2" y="b2" } t { w="b" } } b { k="b" m="b2" s { x="b" y="b2" } t { w="b" } } b2 { k="b2" m="b2" s { x="b2" y="b2" } }`},
}

func parseConnections(text string) (*Document, error) {
	f := memory{"/etc/swanctl/swanctl.conf": "connections {\n" + text + "\n}\n"}
	for name, data := range others {
		f["/etc/swanctl/"+name] = data
	}
	return Parse("/etc/swanctl/swanctl.conf", shell{f})
}

// shell leaves out what a shell leaves out, as [Disk] does.
type shell struct{ memory }

func (s shell) Glob(pattern string) ([]string, error) {
	names, err := s.memory.Glob(pattern)
	return slices.DeleteFunc(names, func(name string) bool { return hidden(pattern, name) }), err
}

func connectionsOf(t *testing.T, d *Document) *tree.Table {
	t.Helper()
	e, ok := d.Root.Get("connections")
	if !ok {
		t.Fatal("there are no connections")
	}
	return e.Value.Data.(*tree.Table)
}

func TestParse(t *testing.T) {
	for _, tt := range agreed {
		d, err := parseConnections(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if got := dump(connectionsOf(t, d)); got != tt.want {
			t.Errorf("%q gives\n%s, want\n%s", tt.text, got, tt.want)
		}
	}
}

// malformed are texts that strongSwan refuses as well, and what is said about them. The connections begin on line 2.
var malformed = []struct{ text, want string }{
	{"a { x = \"un\n}", "swanctl.conf:2:9: this quote is never closed"},
	{"a{x=\"1\\\"}", "swanctl.conf:2:5: this quote is never closed"},
	{"\"a\" { x = 1\n}", "swanctl.conf:2:1: the names of sections and keys are written without quotes"},
	{"a { \"x\" = 1\n}", "swanctl.conf:2:5: the names of sections and keys are written without quotes"},
	{"a { x = \n 1\n}", "swanctl.conf:4:1: behind a name there must be"},
	{"a { b }", "swanctl.conf:2:7: behind a name there must be"},
	{"a : connections . b {\n x=1\n}", "swanctl.conf:2:17: behind : there are the paths"},
	{"a : connections.b, {\n x=1\n}", "swanctl.conf:2:20: the path of a section is missing"},
	{"a : {\n x=1\n}", "swanctl.conf:2:5: the path of a section is missing"},
	{"a : connections.b\n x=1\n", "swanctl.conf:3:2: behind : there are the paths"},
	{"a : b = 1\n", "swanctl.conf:2:7: behind : there are the paths"},
	{"a : .b {}", "swanctl.conf:2:5: the path of a section is missing"},
	{"a : b. {}", "swanctl.conf:2:7: there is no name behind the dot"},
	{"a : b..c {}", "swanctl.conf:2:7: there is no name behind the dot"},
	{"a { x.y = 1\n}", "swanctl.conf:2:6: a name can't have a dot"},
	{"a, b { x=1 }", "swanctl.conf:2:2: behind a name there must be"},
	{"{ x=1 }", "swanctl.conf:2:1: there is no name in front of {"},
	{"= 1", "swanctl.conf:2:1: there is no name in front of ="},
	{". a", "swanctl.conf:2:1: a name can't begin with ."},
	{"a { x=1\n } }\n}", "swanctl.conf:4:1: this } closes nothing"},
	{"a { x=1\n", "swanctl.conf:1:1: this section is never closed"},
	{"a { x = é é\n  é é }", "swanctl.conf:3:5: behind a name there must be"},
	{"a { include bad.conf\n x=1\n}", "bad.conf:3:2: there is no name in front of ="},
	{"a { include \ninc1.conf\n}", "swanctl.conf:2:5: include names no file"},
	{"a { include {inc1,inc2}.conf\n x=1\n}", "swanctl.conf:2:24: a name can't begin with ."},
}

// stricter are texts that strongSwan takes, or does not survive.
var stricter = []struct{ text, want string }{
	{"a { x = 1 \n s : connections.a { z=1\n } }", "swanctl.conf:3:2: with what is inherited sections are nested more than 32 deep"},
	{"a { include self.conf\n}", "self.conf:1:1: files include each other more than 10 deep"},
	{"a { x { y = 1\n }\n x = 2\n}", "swanctl.conf:4:2: this key has the name of the section at /etc/swanctl/swanctl.conf:2:5"},
	{"a { x = 2\n x {\n y = 1\n }\n}", "swanctl.conf:3:2: this section has the name of the key at /etc/swanctl/swanctl.conf:2:5"},
	{"a : connections.b { x = 1 }\n b { x { } }", "is a key and"},
	{strings.Repeat("a {\n", maxDepth), "swanctl.conf:33:1: sections are nested more than 32 deep"},
	{"a { x = \x00 }", "swanctl.conf:1:1: the file has a zero byte"},
	{"a { include [\n }", "swanctl.conf:2:5: include has a pattern that is none"},
	{"a { include \"\" \n x=1\n}", "swanctl.conf:2:5: include names no file"},
}

func TestParseErrors(t *testing.T) {
	for _, tt := range slices.Concat(malformed, stricter) {
		_, err := parseConnections(tt.text)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want one with %q", tt.text, err, tt.want)
		}
	}
}

// TestPositions: everything is where it is written, in whichever file, and what is inherited is where it is inherited from.
func TestPositions(t *testing.T) {
	d, err := Parse("/etc/swanctl/swanctl.conf", memory{
		"/etc/swanctl/swanctl.conf":  "connections {\n  é : base { k = \"ü\"  \n    later =   x\n }\n include conf.d/*.conf\n}\ninclude base.conf\n",
		"/etc/swanctl/conf.d/a.conf": "\n  é { k = 2 # two\n }\n",
		"/etc/swanctl/base.conf":     "base {\n\tin = herited }\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	e, _ := connectionsOf(t, d).Get("é")
	section := e.Value.Data.(*tree.Table)
	if got := e.At.String(); got != "/etc/swanctl/swanctl.conf:2:3" {
		t.Errorf("the section is at %s", got)
	}
	for name, want := range map[string][2]string{
		"k":     {"/etc/swanctl/conf.d/a.conf:2:7", "/etc/swanctl/conf.d/a.conf:2:11"},
		"later": {"/etc/swanctl/swanctl.conf:3:5", "/etc/swanctl/swanctl.conf:3:15"},
		"in":    {"/etc/swanctl/base.conf:2:2", "/etc/swanctl/base.conf:2:7"},
	} {
		k, ok := section.Get(name)
		if got := [2]string{k.At.String(), k.Value.At.String()}; !ok || got != want {
			t.Errorf("%s is at %v, want %v", name, got, want)
		}
	}
	if want := []string{"/etc/swanctl/swanctl.conf", "/etc/swanctl/conf.d/a.conf", "/etc/swanctl/base.conf"}; !slices.Equal(d.Files, want) {
		t.Errorf("the files are %v", d.Files)
	}
}

// TestWarnings: what has no effect is said, once, where it is.
func TestWarnings(t *testing.T) {
	d, err := parseConnections("a : nosuch.thing { include no*.conf\n }\n b : connections.a {}\n c : connections.a {}")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range d.Warnings {
		got = append(got, w.Error())
	}
	want := []string{
		"/etc/swanctl/swanctl.conf:2:20: include: there is no file /etc/swanctl/no*.conf",
		"/etc/swanctl/swanctl.conf:2:5: there is no section nosuch.thing, so nothing is inherited from it",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestComments: they are above what follows them, or beside what they are behind, and what follows nothing is at the end of its section.
func TestComments(t *testing.T) {
	d, err := parseConnections("# of a\n#  and more\na { # beside a\n  # of x\n\n  x = 1 ## beside x\n  y = \"# no comment\"\n\n  # at the end\n} # behind a\nb { }")
	if err != nil {
		t.Fatal(err)
	}
	connections := connectionsOf(t, d)
	a, _ := connections.Get("a")
	table := a.Value.Data.(*tree.Table)
	x, _ := table.Get("x")
	y, _ := table.Get("y")
	b, _ := connections.Get("b")
	got := fmt.Sprintf("%q %q | %q %q | %q %q | %q | %q", a.Comment.Above, a.Comment.Beside, x.Comment.Above, x.Comment.Beside,
		y.Comment.Above, y.Comment.Beside, table.Foot(), b.Comment.Above)
	want := `["of a" " and more"] "beside a" | ["of x" ""] "beside x" | [] "" | ["at the end"] | ["behind a"]`
	if got != want {
		t.Errorf("the comments are\n%s, want\n%s", got, want)
	}
}

// TestLimits: what inherits too much ends with an error, soon.
func TestLimits(t *testing.T) {
	var doubling strings.Builder
	for i := range 60 {
		fmt.Fprintf(&doubling, "s%d { a : connections.s%d { k%d = 1\n }\n b : connections.s%d {} }\n", i, i+1, i, i+1)
	}
	var round strings.Builder
	for i := range 100 {
		fmt.Fprintf(&round, "r%d : ", i)
		for j := range 100 {
			fmt.Fprintf(&round, "connections.r%d, ", (i+j)%100)
		}
		fmt.Fprintf(&round, "connections.r0 { k%d = 1\n }\n", i)
	}
	var wide strings.Builder
	for i := range maxReferences + 1 {
		fmt.Fprintf(&wide, "w%d : connections.w%d { }\n", i, i+1)
	}
	for name, text := range map[string]string{"doubling": doubling.String(), "round": round.String(), "wide": wide.String()} {
		var e *Error
		if _, err := parseConnections(text); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse("/s.conf", again{"/s.conf", "include one.conf\n"}); err == nil || !strings.Contains(err.Error(), "more than 32768 files") {
		t.Errorf("too many files: %v", err)
	}
	large := memory{"/s.conf": "include l.conf\ninclude l.conf\n", "/l.conf": "#" + strings.Repeat("x", maxBytes/2)}
	if _, err := Parse("/s.conf", large); err == nil || !strings.Contains(err.Error(), "more than 64 MiB") {
		t.Errorf("too much text: %v", err)
	}
}

// again is a file that includes another one over and over.
type again struct{ name, text string }

func (a again) ReadFile(name string, _ int64) ([]byte, error) {
	if name != a.name {
		return nil, nil
	}
	return []byte(strings.Repeat(a.text, maxFiles)), nil
}

func (again) Glob(pattern string) ([]string, error) { return []string{pattern}, nil }

// FuzzParse: whatever the text is, there is an end, and an error has a place.
func FuzzParse(f *testing.F) {
	for _, tt := range agreed {
		f.Add(tt.text)
	}
	for _, tt := range slices.Concat(malformed, stricter) {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseConnections(text)
		if err == nil {
			dump(d.Root)
			return
		}
		var e *Error
		if !errors.As(err, &e) || !e.At.IsValid() && !strings.Contains(err.Error(), "cannot read") {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
