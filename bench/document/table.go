package document

import (
	"fmt"
	"strings"
)

// Table is a table in Markdown.
type Table struct {
	columns int
	text    strings.Builder
}

// NewTable begins a table with the headings of its columns, which may be empty.
func NewTable(headings ...string) *Table {
	t := &Table{columns: len(headings)}
	for _, h := range headings {
		t.text.WriteString("| ")
		if h != "" {
			t.text.WriteString(h + " ")
		}
	}
	t.text.WriteString("|\n|" + strings.Repeat("---|", t.columns) + "\n")
	return t
}

// cellText keeps what is in a cell from ending it.
var cellText = strings.NewReplacer("|", `\|`, "\n", " ")

// Row adds a row, which has a cell for each column.
func (t *Table) Row(cells ...string) {
	if len(cells) != t.columns {
		panic(fmt.Sprintf("BUG: a row of %d cells in a table of %d columns", len(cells), t.columns))
	}
	for _, c := range cells {
		t.text.WriteString("| " + cellText.Replace(c) + " ")
	}
	t.text.WriteString("|\n")
}

// Rowf adds a row whose cells are formatted together, and separated by | in the format.
func (t *Table) Rowf(format string, args ...any) {
	cells := strings.Split(format, "|")
	for i, c := range cells {
		verbs := strings.Count(strings.ReplaceAll(c, "%%", ""), "%")
		verbs = min(verbs, len(args))
		cells[i] = strings.TrimSpace(fmt.Sprintf(c, args[:verbs]...))
		args = args[verbs:]
	}
	if len(args) > 0 {
		panic(fmt.Sprintf("BUG: %d values too many for a row %q", len(args), format))
	}
	t.Row(cells...)
}

// String is the text of the table.
func (t *Table) String() string { return t.text.String() }
