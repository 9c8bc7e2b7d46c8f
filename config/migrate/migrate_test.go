package migrate

import (
	"strings"
	"testing"

	"esplanade/config/tree"
)

func TestDraft(t *testing.T) {
	d := NewDraft("old.conf", Options{Name: "gw"})
	sec := d.Root().AddSection("secrets").AddSection("ike").AddSection("a")
	d.Secret(sec, tree.Entry{}, "key", "a/b", ".psk")
	other := d.Root().AddSection("secrets").AddSection("ike").AddSection("b")
	d.Secret(other, tree.Entry{}, "other", "a/b", ".psk")
	mark := d.Mark()
	d.Note("gone")
	d.File("gone", nil, false)
	d.Leave(tree.New(""), tree.Position{}, "gone", "gone")
	d.Undo(mark)
	d.Note("said %d times", 1)
	d.Note("said %d times", 1)
	conns := d.Root().AddSection("connections")
	d.Leave(conns, tree.Position{File: "b.conf", Line: 2, Column: 1}, "b = 2", "no b")
	d.Leave(conns, tree.Position{File: "a.conf", Line: 9, Column: 1}, "a = 9", "no a")
	d.Leave(conns, tree.Position{File: "b.conf", Line: 1, Column: 7}, "b = 1", "no b")
	r := d.Result()
	const want = `[secrets.ike.a]
secret_file = "gw-a_b.psk"

[secrets.ike.b]
secret_file = "gw-a_b-2.psk"

[connections]
# not carried over: b = 2 (b.conf:2): no b
# not carried over: a = 9 (a.conf:9): no a
# not carried over: b = 1 (b.conf:1): no b
`
	if got := r.TOML(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	var left []string
	for _, l := range r.Left {
		left = append(left, l.String())
	}
	if got := strings.Join(left, "\n"); got != "b.conf:1: b = 1: no b\nb.conf:2: b = 2: no b\na.conf:9: a = 9: no a" {
		t.Error(got)
	}
	if len(r.Notes) != 1 || len(r.Files) != 2 || string(r.Files[0].Data) != "key\n" || !r.Files[1].Secret {
		t.Errorf("%q %v", r.Notes, r.Files)
	}
}

// TestOneLine: what a file has in its names does not end a line, and no terminal obeys it.
func TestOneLine(t *testing.T) {
	d := NewDraft("x", Options{})
	d.Leave(d.Root(), tree.Position{}, "a\x1b[2J\nb", "c\u009bd\xffe")
	d.Note("%s", "f\u2028g")
	r := d.Result()
	if s := r.Left[0].String() + "|" + r.Notes[0]; s != "a?[2J?b: c?d?e|f?g" {
		t.Errorf("%q", s)
	}
}

func TestSecretText(t *testing.T) {
	for octets, want := range map[string]string{
		"a key": "a key", " a": "0x2061", "0x12": "0x30783132", "0Sx": "0x305378", "\"a\"": "0x226122", "'a'": "0x276127",
		"ä": "0xc3a4", "a\nb": "0x610a62", "": "0x", "'": "'", "\xff": "0xff",
	} {
		if got := SecretText([]byte(octets)); got != want {
			t.Errorf("%q: %q, want %q", octets, got, want)
		}
	}
}

func TestTableName(t *testing.T) {
	for name, want := range map[string]string{
		"office": "office", "the office": "the_office", "": "_", "-a": "_-a", "a\"b'c/d\\": "a_b_c_d_", "büro": "büro", "\xff\u0080": "__",
		strings.Repeat("ü", 100): strings.Repeat("ü", 60),
	} {
		if got := TableName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
