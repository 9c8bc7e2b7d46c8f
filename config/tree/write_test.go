package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// sample is a table with everything that there is to write.
func sample() *Table {
	t := New("f")
	t.Note("The head of the file.", "", "About a:")
	t.AddText("a", `x "y" \z`)
	t.Beside("a", "a text")
	t.Add("long key", Position{}, int64(3))
	t.Note("about the list")
	t.AddTexts("list", []string{"one", "two"})
	t.Beside("nobody", "left alone")
	t.Settle()
	t.Note("above connections")
	conns := t.AddSection("connections")
	conns.Note("above office")
	office := conns.AddSection("office")
	office.Add("on", Position{}, true)
	office.Add("x", Position{}, 1.0)
	office.Beside("x", "with a\nbreak and \x1b")
	local := office.AddSection("local")
	office.Note("the end of office")
	local.Note("nothing in it")
	conns.AddSection("a.b").Add("t", Position{}, List{{Data: &Table{}}, {Data: List{}}})
	return t
}

func TestFormatTOML(t *testing.T) {
	const want = `# The head of the file.

# About a:
a          = "x \"y\" \\z"  # a text
"long key" = 3
# about the list
list       = ["one", "two"]

# above connections

# above office
[connections.office]
on = true
x  = 1.0  # with a break and
# the end of office

[connections.office.local]
# nothing in it

[connections."a.b"]
t = [{}, []]

# left alone
`
	if got := FormatTOML(sample()); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestFormatTOMLAgain: what is written is read as what was written, of every configuration there is.
func TestFormatTOMLAgain(t *testing.T) {
	files, _ := filepath.Glob("../testdata/*.good.toml")
	more, _ := filepath.Glob("../../docs/examples/*.toml")
	if len(files) < 10 || len(more) < 5 {
		t.Fatalf("%d and %d files", len(files), len(more))
	}
	for _, name := range append(files, more...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		again(t, string(text))
	}
}

func again(t *testing.T, text string) {
	t.Helper()
	root, err := ParseTOML("f", text)
	if err != nil {
		return
	}
	written := FormatTOML(root)
	back, err := ParseTOML("f", written)
	if err != nil {
		t.Fatalf("%q was written as %q: %v", text, written, err)
	}
	if got, want := fmt.Sprint(plain(back, true)), fmt.Sprint(plain(root, true)); got != want {
		t.Fatalf("%q was written as %q:\n%s\nwant\n%s", text, written, got, want)
	}
}

func FuzzFormatTOML(f *testing.F) {
	f.Add("a = 1\n[b.c]\nd = \"x\\u0000\"\n[[e]]\n[[e]]\nf = {g = 1e3, h = [nan, 1979-05-27]}\n[e.i]\n")
	f.Add("[a]\n[a.b]\n[[a.c]]\n[a.c.d]\n\"\" = '''x\ny'''")
	f.Fuzz(func(t *testing.T, text string) { again(t, text) })
}
