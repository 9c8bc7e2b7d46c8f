package identity

import "testing"

// TestUserPatterns: whom they stand for, and which of them stands for somebody more specifically.
func TestUserPatterns(t *testing.T) {
	names := []string{"alice", "Alice", "alice@example.org", "bob@EXAMPLE.org", `EXAMPLE\carol`, "", "ålice"}
	for _, tt := range []struct {
		text     string
		matches  []bool
		concrete bool
	}{
		{"%any", []bool{true, true, true, true, true, true, true}, false},
		{"*", []bool{true, true, true, true, true, true, true}, false},
		{"alice", []bool{true, true, false, false, false, false, false}, true},
		{"*@example.org", []bool{false, false, true, true, false, false, false}, false},
		{`example\*`, []bool{false, false, false, false, true, false, false}, false},
		{"Ålice", []bool{false, false, false, false, false, false, false}, true},
		{"ålicE", []bool{false, false, false, false, false, false, true}, true},
	} {
		p, reason, want := ParseUserPattern(tt.text)
		if reason != "" || want != "" {
			t.Errorf("%q: %s; %s", tt.text, reason, want)
		}
		if p.Concrete() != tt.concrete || p.Any() != (tt.text == "%any" || tt.text == "*") {
			t.Errorf("%q: concrete %v, any %v", tt.text, p.Concrete(), p.Any())
		}
		for i, name := range names {
			if _, ok := p.Matches(name); ok != tt.matches[i] {
				t.Errorf("%q and %q: %v", tt.text, name, ok)
			}
		}
	}
	if FoldUser("A\xff") == FoldUser("A\xfe") || FoldUser("Ab\xff") != "ab\xff" {
		t.Errorf("octets that are no text are changed: %q", FoldUser("Ab\xff"))
	}
	last := 0
	for _, text := range []string{"%any", "a*", "*@example.org", "alice@example.org"} {
		p, _, _ := ParseUserPattern(text)
		score, ok := p.Matches("alice@example.org")
		if !ok || score <= last {
			t.Errorf("%q: %d, %v, want more than %d", text, score, ok, last)
		}
		last = score
	}
	for _, text := range []string{"", "%user", "a*b", "*a*", "**", "a\nb", "a\x7f"} {
		if p, reason, want := ParseUserPattern(text); reason == "" || want == "" || !p.Any() {
			t.Errorf("%q is %s", text, p)
		}
	}
	if p, _, _ := ParseUserPattern("*@example.org"); p.String() != "*@example.org" || (UserPattern{}).String() != "%any" {
		t.Errorf("%s, %s", p, UserPattern{})
	}
}
