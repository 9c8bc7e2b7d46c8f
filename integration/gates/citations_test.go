package gates

import (
	"os"
	"strings"
	"testing"
)

// TestCitationForms: every form in which a section is cited is understood; each text here has as many wrong sections as it says.
func TestCitationForms(t *testing.T) {
	table, err := parseSections("# comment\n7296: 1-7 A 2.1-25 2.21.1-4 3.1-16\n4303: 2-3 A A1-3 A2.1-3 2.1-8\n9242: 3 3.3 3.3.1-2\n")
	if err != nil {
		t.Fatal(err)
	}
	for text, wrong := range map[string]int{
		"https://www.rfc-editor.org/rfc/rfc7296#section-2.21.4":     0,
		"https://www.rfc-editor.org/rfc/rfc7296#section-2.21.4-3":   0, // a paragraph
		"https://www.rfc-editor.org/rfc/rfc7296#section-2.21.5":     1,
		"https://www.rfc-editor.org/rfc/rfc7296.html#section-2.26":  1,
		"https://www.rfc-editor.org/rfc/rfc4303#appendix-A2.2":      0,
		"https://www.rfc-editor.org/rfc/rfc4303#appendix-A4":        1,
		"RFC 7296 section 2.25.":                                    0,
		"RFC 7296 section 2.26.":                                    1,
		"RFC 7296, section 3.17":                                    1,
		"RFC 7296 §3.17":                                            1,
		"RFC 7296 (§3.17)":                                          1,
		"RFC 7296 sections 2.1, 2.26 and 2.27":                      2,
		"RFC 7296 sections 2.1 to 2.25":                             0,
		"RFC 7296 sections 2.1 to 2.26":                             1,
		"RFC 4303 appendix A2.4":                                    1,
		"RFC 4303 appendix A2.3":                                    0,
		"section 2.26 of RFC 7296":                                  1,
		"sections 2.1 and 2.2 of RFC 7296":                          0,
		"RFC 7296 section 2.1, RFC 4303 section 2.9":                1,
		"RFC 7296 section 2.1 and RFC 9242 section 3.3.3":           1,
		"RFC 7296 (IKEv2) section 2.26":                             1,
		"RFC 999 section 2":                                         1, // of an RFC that the table does not have
		"RFC 4303 has it in section 2.8, and section 2.26 does not": 1,
		"nothing is named: (§2.1, §2.26)":                           1,
		"RFC 9242: see section 3.3.2, and section 2.21.4":           0, // of RFC 7296
		"section 5 of the manual, FIPS 203 section 7.2":             0,
	} {
		if got := table.check("a.md", text); len(got) != wrong {
			t.Errorf("%q: %v, want %d", text, got, wrong)
		}
	}
	for _, bad := range []string{"7296 1", "7296: 1-x"} {
		if _, err := parseSections(bad); err == nil {
			t.Errorf("%q is taken for a table", bad)
		}
	}
}

// TestCitationsAreFound: the repository cites hundreds of sections. If one of the forms is not understood any more, far fewer are found.
func TestCitationsAreFound(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := Read(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, f := range tree.Go {
		text := continued.ReplaceAllString(string(f.Source), " ")
		found["URL"] += len(byURL.FindAllString(text, -1))
		found["name"] += len(byName.FindAllString(text, -1))
		if strings.HasSuffix(f.Path, "_test.go") {
			found["bare"] += len(bare.FindAllString(text, -1))
		}
	}
	if found["URL"] < 300 || found["name"] < 120 || found["bare"] < 100 {
		t.Errorf("found %v", found)
	}
}
