package gates

import (
	"go/ast"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// raceConstant is the name of the constant by which a test does less with the race detector.
const raceConstant = "raceEnabled"

var (
	seededPackages = regexp.MustCompile(`(?m)^SEEDED \?= (.*)$`)
	seededTests    = regexp.MustCompile(`(?m)^SEEDED_TESTS \?= (.*)$`)
)

// CheckSeeded wants every test that does less with the race detector to be run without it as well: its package is in
// SEEDED of the Makefile, and its name matches SEEDED_TESTS. Such a test would otherwise never run whole.
func CheckSeeded(t *Tree) []Violation {
	type use struct {
		file GoFile
		fn   *ast.FuncDecl
	}
	var users []use
	for _, f := range t.Go {
		if !f.Test() || within(f.Dir(), []string{"integration/..."}) {
			continue
		}
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Test") && uses(fn, raceConstant) {
				users = append(users, use{f, fn})
			}
		}
	}
	if len(users) == 0 {
		return nil
	}
	text, err := fs.ReadFile(t.FS, "Makefile")
	if err != nil {
		return []Violation{{"Makefile", err.Error()}}
	}
	packages, tests := seededPackages.FindStringSubmatch(string(text)), seededTests.FindStringSubmatch(string(text))
	if packages == nil || tests == nil {
		return []Violation{{"Makefile", "has no SEEDED and SEEDED_TESTS: the packages and names of the tests to run without the race detector"}}
	}
	names, err := regexp.Compile(strings.ReplaceAll(tests[1], "$$", "$"))
	if err != nil {
		return []Violation{{"Makefile", "SEEDED_TESTS: " + err.Error()}}
	}
	var all []Violation
	for _, u := range users {
		name := u.fn.Name.Name
		if !slices.Contains(strings.Fields(packages[1]), "./"+u.file.Dir()) || !names.MatchString(name) {
			all = append(all, Violation{t.at(u.fn), name + " does less with the race detector, and SEEDED with SEEDED_TESTS of the " +
				"Makefile does not run it without: it never runs whole"})
		}
	}
	return all
}

// uses reports whether a function names an identifier.
func uses(fn *ast.FuncDecl, name string) (found bool) {
	ast.Inspect(fn, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name {
			found = true
		}
		return !found
	})
	return found
}
