package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Verdict is what came of running tests with a mutant.
type Verdict string

const (
	// Killed: a test failed. This is what is wanted of a mutant.
	Killed Verdict = "killed"
	// Survived: all tests passed.
	Survived Verdict = "SURVIVED"
	// Broken: the mutant's text is not in its file once, or what it makes of it does not build.
	Broken Verdict = "BROKEN"
	// Untested: no test ran, as the pattern matches none or as all were skipped on this machine.
	Untested Verdict = "UNTESTED"
)

// testTime is when tests with a mutant are ended. One that makes them wait for ever is noticed as well.
const testTime = 2 * time.Minute

// judge reads what go test -v has written, and whether it ended with an error.
func judge(output string, failed bool) Verdict {
	switch {
	case strings.Contains(output, "[build failed]"), strings.Contains(output, "[setup failed]"):
		return Broken
	case failed:
		return Killed
	case !strings.Contains(output, "--- PASS:"):
		return Untested
	}
	return Survived
}

// runner runs tests of the checkout at root.
type runner struct {
	root, tmp string
	// race runs them with the race detector. whole runs all tests of a mutant's package, to find those that notice.
	race, whole bool
}

// goTest runs the tests of a package that match a pattern. overlay may be empty.
func (r runner) goTest(ctx context.Context, dir, pattern, overlay string) (output string, failed bool) {
	args := []string{"test", "-v", "-vet=off", "-ldflags=-s -w", "-timeout", testTime.String(), "-run", pattern}
	if r.race {
		args = append(args, "-race")
	}
	if r.whole {
		args = append(args, "-short")
	} else {
		args = append(args, "-failfast")
	}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+dir)...)
	cmd.Dir = r.root
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err != nil
}

// mutate runs the tests of one mutant.
func (r runner) mutate(ctx context.Context, m Mutant) (Verdict, string) {
	file := filepath.Join(r.root, filepath.FromSlash(m.File))
	source, err := os.ReadFile(file)
	if err != nil {
		return Broken, err.Error()
	}
	mutated, err := m.Apply(string(source))
	if err != nil {
		return Broken, err.Error()
	}
	overlay, err := r.overlay(m.Name, file, mutated)
	if err != nil {
		return Broken, err.Error()
	}
	tests := m.Tests
	if r.whole {
		tests = "."
	}
	output, failed := r.goTest(ctx, m.Package(), tests, overlay)
	return judge(output, failed), output
}

// overlay writes the file that stands in for another, and the file that tells the go command so.
func (r runner) overlay(name, file, text string) (string, error) {
	dir, err := os.MkdirTemp(r.tmp, name+"-")
	if err != nil {
		return "", err
	}
	instead := filepath.Join(dir, filepath.Base(file))
	if err := os.WriteFile(instead, []byte(text), 0o600); err != nil {
		return "", err
	}
	b, err := json.Marshal(map[string]map[string]string{"Replace": {file: instead}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, b, 0o600)
}

// baseline runs the tests of all mutants without any, package by package, and says which of them fail anyway.
func (r runner) baseline(ctx context.Context, mutants []Mutant) error {
	patterns := map[string][]string{}
	var dirs []string
	for _, m := range mutants {
		dir := m.Package()
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
		if !slices.Contains(patterns[dir], m.Tests) {
			patterns[dir] = append(patterns[dir], m.Tests)
		}
	}
	for _, dir := range dirs {
		if output, failed := r.goTest(ctx, dir, strings.Join(patterns[dir], "|"), ""); failed {
			return fmt.Errorf("%s: the tests fail without a mutant:\n%s", dir, tail(output, 40))
		}
	}
	return nil
}

// noticed are the tests, not their subtests, that a run of go test -v says have failed.
func noticed(output string) (names []string) {
	for line := range strings.Lines(output) {
		if name, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
			names = append(names, strings.Fields(name)[0])
		}
	}
	return names
}

// tail is the last n lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
