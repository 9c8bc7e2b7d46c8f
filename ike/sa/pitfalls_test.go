package sa

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	pitfallsFile = "../../docs/pitfalls.md"
	faultsFile   = "../../docs/faults.md"
	moduleRoot   = "../.."
)

// pitfallRows are the rows that the document has, by letter.
var pitfallRows = map[string]int{"M": 21, "I": 16, "A": 18, "F": 12, "C": 24}

var (
	testName = regexp.MustCompile("`([a-z][a-z/]*)\\.((?:Test|Fuzz)[A-Za-z0-9]+)(?:/([^`]+))?`")
	tableRow = regexp.MustCompile(`(?m)^\| ([A-Zi][^|]*) \| (.*) \| (.*) \|$`)
)

// TestPitfallsDocument holds docs/pitfalls.md to its word: each row is there once, names a test or says what is missing,
// and every test it names exists.
func TestPitfallsDocument(t *testing.T) {
	text, err := os.ReadFile(pitfallsFile)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	rows := tableRow.FindAllStringSubmatch(string(text), -1)
	for _, row := range rows {
		seen[row[1]]++
		if !testName.MatchString(row[3]) && !strings.Contains(row[3], "missing: ") {
			t.Errorf("row %s names no test and does not say what is missing", row[1])
		}
	}
	for letter, n := range pitfallRows {
		for i := 1; i <= n; i++ {
			if row := letter + itoa(i); seen[row] != 1 {
				t.Errorf("row %s is there %d times", row, seen[row])
			}
		}
	}
	names := testName.FindAllStringSubmatch(string(text), -1)
	if len(rows) < 91+20 || len(names) < 150 {
		t.Errorf("%d rows and %d names of tests were found", len(rows), len(names))
	}
	wantTests(t, names)
}

// faultRow is a row of docs/faults.md: what holds, and the tests that show it. The head of a table is none.
var faultRow = regexp.MustCompile(`(?m)^\| ([^|]*) \| (.*) \|$`)

// TestFaultsDocument holds docs/faults.md to its word: each row names a test, and every test it names exists.
func TestFaultsDocument(t *testing.T) {
	text, err := os.ReadFile(faultsFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range faultRow.FindAllStringSubmatch(string(text), -1) {
		if row[2] != "shown by" && !testName.MatchString(row[2]) {
			t.Errorf("no test shows that %s", row[1])
		}
	}
	wantTests(t, testName.FindAllStringSubmatch(string(text), -1))
}

// wantTests checks that tests exist. Each name is a match of testName.
func wantTests(t *testing.T, names [][]string) {
	t.Helper()
	sources := map[string]string{}
	for _, m := range names {
		dir, name, sub := m[1], m[2], m[3]
		if _, ok := sources[dir]; !ok {
			sources[dir] = testSource(t, filepath.Join(moduleRoot, dir))
		}
		if !strings.Contains(sources[dir], "func "+name+"(") {
			t.Errorf("%s: there is no such test", m[0])
		} else if sub != "" && !strings.Contains(sources[dir], `"`+sub+`"`) {
			t.Errorf("%s: there is no such subtest", m[0])
		}
	}
}

// testSource reads all tests of a package.
func testSource(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		if filepath.Base(f) == "pitfalls_test.go" {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}
