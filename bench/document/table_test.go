package document

import "testing"

func TestTable(t *testing.T) {
	table := NewTable("", "a", "b")
	table.Row("x", "one|two\nthree", "")
	table.Rowf("%d %% | %.1f (%s) | %v", 7, 2.25, "|", true)
	const want = "| | a | b |\n|---|---|---|\n| x | one\\|two three |  |\n| 7 % | 2.2 (\\|) | true |\n"
	if got := table.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for name, row := range map[string]func(){
		"a cell missing": func() { table.Row("x", "y") }, "a cell too many": func() { table.Rowf("%d|%d|%d|%d", 1, 2, 3, 4) },
		"a value too many": func() { table.Rowf("%d|%d|%d", 1, 2, 3, 4) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: not noticed", name)
				}
			}()
			row()
		}()
	}
}
