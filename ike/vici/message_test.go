package vici

import (
	"reflect"
	"testing"
)

func TestMessageAccess(t *testing.T) {
	m, _ := example()
	if got := m.Get("section1", "sub-section", "key2"); got != "value2" {
		t.Errorf("deep value %q", got)
	}
	if got := m.List("section1", "list1"); !reflect.DeepEqual(got, []string{"item1", "item2"}) {
		t.Errorf("list %q", got)
	}
	if got := m.String(); got != "key1=value1 section1 {sub-section {key2=value2} list1=[item1 item2]}" {
		t.Errorf("text %s", got)
	}
	for _, path := range [][]string{nil, {"key"}, {"section1"}, {"key1", "x"}, {"section1", "list1"}, {"section1", "no", "key2"}} {
		if v, ok := m.Lookup(path...); ok {
			t.Errorf("Lookup(%q) = %q", path, v)
		}
	}
	if m.Section("section1", "no").Get("x") != "" || m.Section("no").Len() != 0 || m.List("key1") != nil {
		t.Error("what is not there reads as something")
	}
	for range m.Section("no").All() {
		t.Error("a nil section has elements")
	}
	var names []string
	for name := range m.Section("section1").Sections() {
		names = append(names, name)
	}
	if !reflect.DeepEqual(names, []string{"sub-section"}) || m.Len() != 2 {
		t.Errorf("sections %q", names)
	}
}

func TestMessageSet(t *testing.T) {
	m := new(Message)
	m.Set("a", "1").Set("b", "2").SetList("a", "x").Set("b", "3")
	m.SetYes("y", true).SetYes("n", false).SetNonEmpty("e", "").SetNonEmpty("f", "v").SetListNonEmpty("g").SetListNonEmpty("h", "v")
	m.Sub("a").Setf("d", "%03d", 7)
	if got := m.String(); got != "a=[x] b=3 y=yes f=v h=[v] a {d=007}" {
		t.Errorf("got %s", got)
	}
}

func TestMessageTyped(t *testing.T) {
	m := new(Message).Set("yes", "Yes").Set("no", "0").Set("what", "maybe").Set("n", "-1").Set("big", "99999999999999999999")
	if v, err := m.Bool("yes"); !v || err != nil {
		t.Error(v, err)
	}
	for _, name := range []string{"no", "absent"} {
		if v, err := m.Bool(name); v || err != nil {
			t.Error(name, v, err)
		}
	}
	if _, err := m.Bool("what"); err == nil {
		t.Error("maybe is a truth")
	}
	if v, err := m.Int("n", 5, -1, 10); v != -1 || err != nil {
		t.Error(v, err)
	}
	if v, err := m.Int("absent", 5, -1, 10); v != 5 || err != nil {
		t.Error(v, err)
	}
	for name, min := range map[string]int64{"n": 0, "big": 0, "what": 0} {
		if _, err := m.Int(name, 0, min, 10); err == nil {
			t.Errorf("%s is a number", name)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain ~":                    "plain ~",
		"×37 since 10:02 … – a → b":  "x37 since 10:02 ... - a -> b",
		"two\nlines\tand\r":          "two lines and ",
		"C=CH, O=Bäcker\x00\xff\x1b": "C=CH, O=B?cker???",
		"‘a’ “b”":                    "'a' \"b\"",
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
	items := []string{"ü"}
	m := new(Message).Set("n\nn", "ü").SetList("l", items...)
	m.Sub("ß").Set("k", "ok")
	m.toPrintable()
	if got := m.String(); got != "n n=? l=[?] ? {k=ok}" {
		t.Errorf("got %s", got)
	}
	if items[0] != "ü" {
		t.Error("the caller's slice was changed")
	}
	if got := cut("aéé", 2); got != "a" {
		t.Errorf("cut inside a character: %q", got)
	}
	if got := cut("abc", 3); got != "abc" {
		t.Errorf("cut %q", got)
	}
	long := make([]byte, 10*maxText)
	if got := printable(string(long)); len(got) > maxText+3 {
		t.Errorf("%d octets", len(got))
	}
}
