package identity

import (
	"strings"
	"testing"
)

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

// TestControls: letters of all languages, and what joins them, are parts of names. What moves a cursor or turns a line round is none.
func TestControls(t *testing.T) {
	for text, want := range map[string]bool{
		"Jos\u00e9 M\u00fcller": false, "\u0645\u06cc\u200c\u062e": false, "\u05d0\u05d1": false, "a\ufffd": false, "a\xff": false,
		"a\x00": true, "a\x1b[": true, "a\x7f": true, "a\u0085": true, "a\u009b": true, "a\u2028": true, "a\u2029": true, "a\u202e": true, "a\u2066": true, "a\u200f": true,
	} {
		if got := strings.ContainsFunc(text, Controls); got != want {
			t.Errorf("%q: %v", text, got)
		}
		if _, reason, _ := ParseUserPattern(text); (reason == "it has control characters") != want {
			t.Errorf("a pattern %q: %s", text, reason)
		}
	}
}
