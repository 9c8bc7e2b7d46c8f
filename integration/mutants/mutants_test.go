package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestTable: each mutant's text is in its file exactly once, and what it makes of it is Go.
func TestTable(t *testing.T) {
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range All() {
		if m.Name == "" || m.Why == "" || m.Tests == "" || names[m.Name] {
			t.Errorf("%s: needs a name of its own, tests, and a reason", m.Name)
		}
		names[m.Name] = true
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.File)))
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		if _, err := m.Apply(string(source)); err != nil {
			t.Error(err)
		}
	}
}
