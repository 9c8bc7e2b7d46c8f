package main

import (
	"os"
	"strings"
	"testing"

	"esplanade/bench/command"
)

// The help names every subcommand with what it needs and what it writes, and README.md explains each.
func TestHelp(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	if got := command.Execute(t.Context(), root(), []string{"--help"}, &all, &all); got != 0 {
		t.Fatalf("status %d: %s", got, all.String())
	}
	for _, c := range root().Commands() {
		if !strings.Contains(all.String(), c.Short) {
			t.Errorf("--help does not show %s", c.Name())
		}
		if !strings.Contains(string(readme), "`go run ./bench "+c.Name()+"`") {
			t.Errorf("README.md does not show %s", c.Name())
		}
		var one strings.Builder
		if got := command.Execute(t.Context(), root(), []string{c.Name(), "--help"}, &one, &one); got != 0 || !strings.Contains(one.String(), "Needs: ") ||
			!strings.Contains(one.String(), "Results: ") || !strings.Contains(one.String(), "--out") {
			t.Errorf("%s --help: status %d: %s", c.Name(), got, one.String())
		}
	}
	if n := len(root().Commands()); n != 12 {
		t.Errorf("%d subcommands", n)
	}
}
