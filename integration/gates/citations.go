package gates

import (
	_ "embed" // the table of sections
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sectionTable says which sections each RFC has. Its first line tells how it is written.
//
//go:embed sections.txt
var sectionTable string

// sections are the sections of RFCs by number.
type sections map[string]map[string]bool

// parseSections reads a table of sections.
func parseSections(table string) (sections, error) {
	all := sections{}
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		rfc, list, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			return nil, fmt.Errorf("%q is no line of the table", line)
		}
		all[rfc] = map[string]bool{}
		for _, item := range strings.Fields(list) {
			first, last, run := strings.Cut(item, "-")
			all[rfc][first] = true
			if !run {
				continue
			}
			at := strings.LastIndexByte(first, '.') + 1
			prefix, number := first[:at], first[at:]
			if number != "" && number[0] >= 'A' && number[0] <= 'Z' { // A1-3 is A1, A2, A3
				prefix, number = prefix+number[:1], number[1:]
			}
			from, err1 := strconv.Atoi(number)
			to, err2 := strconv.Atoi(last)
			if err1 != nil || err2 != nil {
				return nil, fmt.Errorf("%q is no run of sections", item)
			}
			for n := from; n <= to; n++ {
				all[rfc][prefix+strconv.Itoa(n)] = true
			}
		}
	}
	return all, nil
}

const (
	sectionNumber = `(?:\d{1,2}(?:\.\d{1,2})*|[A-Z]\d?(?:\.\d{1,2})*)`
	sectionWord   = `(?:[Ss]ections?|[Aa]ppendix|[Aa]ppendices|§§?) ?`
	// sectionList is "3.2", "4.2, 4.3 and 4.5", "2.1 to 2.3", "§2.4, §2.21.1".
	sectionList = `(` + sectionNumber + `\b(?:(?:, | and | or | to |, and |–)(?:§ ?)?` + sectionNumber + `\b)*)`
)

var (
	// continued is the beginning of another line of a comment or of a quotation.
	continued = regexp.MustCompile(`\n[ \t]*(?://|>|\*)?[ \t]*`)
	rfcName   = regexp.MustCompile(`(?:RFC|rfc)[ -]?(\d{3,5})`)
	// The forms that name the RFC.
	byURL   = regexp.MustCompile(`rfc(\d{3,5})(?:\.html)?#(?:section|appendix)-(` + sectionNumber + `)`)
	byName  = regexp.MustCompile(`RFC[ -]?(\d{3,5})(?:'s)?,? \(?` + sectionWord + sectionList)
	byOf    = regexp.MustCompile(sectionWord + sectionList + `,? of \[?RFC ?(\d{3,5})`)
	byParen = regexp.MustCompile(`RFC[ -]?(\d{3,5}) \([^()]*\) ` + sectionWord + sectionList)
	bare    = regexp.MustCompile(sectionWord + sectionList)
	anItem  = regexp.MustCompile(sectionNumber)
	others  = regexp.MustCompile(`(?:FIPS|SP 800|SP|TR|draft|X\.\d+|IEEE|ISO)[^.;:]{0,40}$`)
	mainRFC = "7296"
)

// CheckCitations wants every section of an RFC that is cited to exist. A section without an RFC is one of those that the file names,
// or of RFC 7296.
func CheckCitations(t *Tree) []Violation {
	table, err := parseSections(sectionTable)
	if err != nil {
		return []Violation{{"integration/gates/sections.txt", err.Error()}}
	}
	var all []Violation
	for _, name := range t.Files {
		if ext := path.Ext(name); ext != ".go" && ext != ".md" {
			continue
		}
		if path.Dir(name) == "integration/gates" && strings.HasSuffix(name, "_test.go") {
			continue // wrong ones, on purpose
		}
		text, err := fs.ReadFile(t.FS, name)
		if err != nil {
			all = append(all, Violation{name, err.Error()})
			continue
		}
		all = append(all, table.check(name, continued.ReplaceAllString(string(text), " "))...)
	}
	return all
}

// check looks through the text of one file, whose lines are joined.
func (s sections) check(name, text string) (all []Violation) {
	missing := func(rfc, section string) {
		if _, known := s[rfc]; !known {
			all = append(all, Violation{name, "cites RFC " + rfc + " section " + section + ", of which integration/gates/sections.txt says nothing"})
		} else if !s[rfc][section] {
			all = append(all, Violation{name, "cites RFC " + rfc + " section " + section + ", which does not exist"})
		}
	}
	var named [][2]int // what is taken by a form that names the RFC
	take := func(m []int, rfc, list string) {
		named = append(named, [2]int{m[0], m[1]})
		for _, item := range anItem.FindAllString(list, -1) {
			missing(rfc, item)
		}
	}
	for _, form := range []*regexp.Regexp{byURL, byName, byParen} {
		for _, m := range form.FindAllStringSubmatchIndex(text, -1) {
			take(m, text[m[2]:m[3]], text[m[4]:m[5]])
		}
	}
	for _, m := range byOf.FindAllStringSubmatchIndex(text, -1) {
		take(m, text[m[4]:m[5]], text[m[2]:m[3]])
	}
	candidates := []string{mainRFC}
	for _, m := range rfcName.FindAllStringSubmatch(text, -1) {
		candidates = append(candidates, m[1])
	}
	for _, m := range bare.FindAllStringSubmatchIndex(text, -1) {
		inside := func(n [2]int) bool { return m[0] >= n[0] && m[1] <= n[1] }
		if slices.ContainsFunc(named, inside) || others.MatchString(text[max(0, m[0]-60):m[0]]) {
			continue
		}
		sign := strings.HasPrefix(text[m[0]:], "§")
		for _, item := range anItem.FindAllString(text[m[2]:m[3]], -1) {
			if !sign && !strings.Contains(item, ".") {
				continue // "section 3 of the manual"
			}
			if !slices.ContainsFunc(candidates, func(rfc string) bool { return s[rfc][item] }) {
				all = append(all, Violation{name, "cites section " + item + ", which no RFC has that the file names, nor RFC " + mainRFC})
			}
		}
	}
	return all
}
