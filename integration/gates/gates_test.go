package gates

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// top is the given top level of the repository.
var top = []string{"cmd", "ike", "esp", "dataplane", "tun", "config", "bench", "integration", "docs", ".ci",
	"go.mod", "go.sum", "Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", ".gitignore"}

// rules are all that the repository must satisfy.
var rules = map[string]func(*Tree) []Violation{
	"layers":     func(t *Tree) []Violation { return CheckLayers(t, Layers) },
	"modules":    func(t *Tree) []Violation { return CheckModules(t, Modules) },
	"required":   func(t *Tree) []Violation { return CheckRequired(t, Modules) },
	"format":     CheckFormat,
	"size":       func(t *Tree) []Violation { return CheckSize(t, MaxLines) },
	"packages":   CheckPackages,
	"pure":       func(t *Tree) []Violation { return CheckPure(t, pure) },
	"init":       CheckInit,
	"operations": CheckOperations,
	"failures":   CheckFailures,
	"exported":   CheckExported,
	"links":      CheckLinks,
	"commands":   CheckCommands,
	"citations":  CheckCitations,
	"makefile":   CheckMakefile,
	"seeded":     CheckSeeded,
	"top":        func(t *Tree) []Violation { return CheckTop(t, top) },
}

// TestRepository holds this checkout to the rules.
func TestRepository(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := Read(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Go) < 100 || len(tree.Packages()) < 10 {
		t.Fatalf("read %d Go files of %d packages in %s: that isn't the repository", len(tree.Go), len(tree.Packages()), root)
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			for _, v := range rule(tree) {
				t.Error(v)
			}
		})
	}
}

// good is a small tree that breaks no rule.
func good() map[string]string {
	return map[string]string{
		"go.mod":                   "module esplanade\n\nrequire (\n\tgolang.org/x/sys v0.1.0 // indirect\n)\n",
		"README.md":                "# Title\n\n[docs](docs/a.md), [there](docs/a.md#two-words), [here](#title), [away](https://example.com/x)\n\n    esplanade run -c FILE\n    make test\n",
		"docs/a.md":                "# A\n\n## Two words\n\n`[not a link](nowhere)`\n\n```\n[nor this](nowhere)\n```\n",
		"Makefile":                 "SEEDED ?= ./esp\nSEEDED_TESTS ?= ^Test(Seeds)$$\n\n.PHONY: test\ntest: ## Test\n\ttrue\n",
		"ike/wire/doc.go":          "// Package wire is one.\npackage wire\n",
		"ike/wire/a.go":            "package wire\n\n// A is a constant.\nconst A = 1\n",
		"ike/sa/sa.go":             "// Package sa is one.\npackage sa\n\nimport (\n\t\"time\"\n\n\t_ \"esplanade/ike/wire\"\n)\n\n// M is a machine.\ntype M struct{}\n\n// Advance advances.\nfunc (M) Advance(now time.Time) {}\n\nfunc (M) String() string { return \"\" }\n",
		"ike/suite/suite.go":       "// Package suite is one.\npackage suite\n",
		"ike/suite/a_test.go":      "package suite\n\nimport _ \"esplanade/esp\"\n",
		"docs/operations.md":       "| `E-A` | a | b |\n`icv` `ipsec_up`\n| 0 | done |\n",
		"ike/diag/code.go":         "// Package diag is one.\npackage diag\n\n// Code is one.\ntype Code string\n\n// CodeA is one.\nconst CodeA Code = \"E-A\"\n",
		"ike/diag/failure.go":      "package diag\n\n// Failure is one.\ntype Failure struct{ Code Code }\n\n// A makes one.\nfunc A() *Failure { return a() }\n\nfunc a() *Failure { return &Failure{CodeA} }\n",
		"dataplane/drops.go":       "// Package dataplane is one.\npackage dataplane\n\nvar names = []string{DropICV: \"icv\"}\n",
		"ike/ike.go":               "// Package ike is one.\npackage ike\n\nimport \"esplanade/ike/diag\"\n\nvar f = diag.A()\n",
		"cmd/esplanade/metrics.go": "package main\n\nconst exitOK = 0\n\nvar m = d(\"up\")\n",
		"esp/seeds_test.go":        "package esp\n\nfunc TestSeeds() { _ = raceEnabled }\n",
		"esp/esp.go":               "// Package esp is one.\npackage esp\n",
		"tun/tun.go":               "// Package tun is one.\npackage tun\n\nimport _ \"golang.org/x/sys/unix\"\n",
		"cmd/esplanade/run.go":     "// Command esplanade is one.\npackage main\n\nimport _ \"esplanade/ike\"\n\ntype command struct{ Use string }\n\nvar c = command{Use: \"run -c FILE\"}\n\nfunc main() {}\n",
	}
}

func treeOf(t *testing.T, files map[string]string) *Tree {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	tree, err := Read(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// use makes the table of modules one that the small tree has.
var use = []Use{{Module: "golang.org/x/sys", In: []string{"tun/..."}, Tests: []string{"esp"}, Why: "system calls"}}

func check(name string, tree *Tree) []Violation {
	switch name {
	case "modules":
		return CheckModules(tree, use)
	case "required":
		return CheckRequired(tree, use)
	case "size":
		return CheckSize(tree, 20)
	}
	return rules[name](tree)
}

// TestGood: no rule objects to the small good tree.
func TestGood(t *testing.T) {
	tree := treeOf(t, good())
	for name := range rules {
		for _, v := range check(name, tree) {
			t.Errorf("%s: %v", name, v)
		}
	}
}

// TestBad: each rule objects to its own small bad tree, and says where and what.
func TestBad(t *testing.T) {
	tests := []struct {
		rule, file, text string
		want             string // in a violation
	}{
		{"layers", "ike/wire/a.go", "package wire\n\nimport _ \"esplanade/esp\"\n", "ike/wire/a.go: imports esp; of ours, ike/wire may import: nothing"},
		{"layers", "ike/a.go", "// Package ike is one.\npackage ike\n\nimport _ \"esplanade/dataplane\"\n", "ike/a.go: imports dataplane"},
		{"layers", "ike/a_darwin.go", "// Package ike is one.\npackage ike\n\nimport _ \"esplanade/tun\"\n", "ike/a_darwin.go: imports tun"},
		{"layers", "ike/suite/b.go", "package suite\n\nimport _ \"esplanade/esp\"\n", "ike/suite/b.go: imports esp"},
		{"layers", "ike/new/a.go", "package new\n", "no line in Layers"},
		{"layers", "integration/x_test.go", "package integration\n\nimport _ \"esplanade/ike\"\n", "imports ike;"},
		{"citations", "esp/a.go", "package esp\n\n// RFC 4303,\n// section 3.9.\n", "esp/a.go: cites RFC 4303 section 3.9, which does not exist"},
		{"citations", "docs/b.md", "# A\n\nRFC 4555 has it (§2.30).\n", "docs/b.md: cites section 2.30, which no RFC has that the file names"},
		{"modules", "esp/a.go", "package esp\n\nimport _ \"golang.org/x/sys/unix\"\n", "esp/a.go: imports golang.org/x/sys/unix"},
		{"modules", "esp/a.go", "package esp\n\nimport _ \"example.com/y\"\n", "no module in Modules"},
		{"modules", "esp/a_test.go", "package esp\n\nimport _ \"golang.org/x/system\"\n", "no module in Modules"},
		{"required", "go.mod", "module esplanade\n", "doesn't require golang.org/x/sys"},
		{"format", "esp/a.go", "package esp\nvar  a int\n", "esp/a.go: isn't formatted"},
		{"seeded", "esp/a_test.go", "package esp\n\nfunc TestLong() { _ = raceEnabled }\n", "esp/a_test.go:3: TestLong does less with the race detector"},
		{"size", "esp/a.go", "package esp\n" + strings.Repeat("\n", 20), "has 21 lines"},
		{"packages", "ike/wire/doc.go", "package wire\n", "no file has a package comment"},
		{"packages", "ike/wire/a.go", "// Package wire is one.\npackage wire\n", "several package comments"},
		{"packages", "ike/wire/doc.go", "// This is one.\npackage wire\n", "doesn't begin with Package wire"},
		{"packages", "tun/util/a.go", "// Package util is one.\npackage util\n", "package util: the name"},
		{"pure", "ike/sa/b.go", "package sa\n\nimport \"time\"\n\nvar t = time.Now()\n", "ike/sa/b.go:5: time.Now"},
		{"pure", "ike/sa/b.go", "package sa\n\nimport _ \"net\"\n", "imports net"},
		{"pure", "ike/wire/b.go", "package wire\n\nfunc f() { go f() }\n", "ike/wire/b.go:3: starts a goroutine"},
		{"pure", "ike/gateway/b.go", "package gateway\n\nimport _ \"sync\"\n", "imports sync"},
		{"pure", "ike/gateway/b.go", "package gateway\n\nimport _ \"crypto/rand\"\n", "in ike/gateway a seed decides everything"},
		{"pure", "ike/gateway/b.go", "package gateway\n\nvar c chan int\n", "ike/gateway/b.go:3: has a channel"},
		{"pure", "ike/sa/b.go", "package sa\n\nimport \"log/slog\"\n\nfunc f() { slog.Info(\"\") }\n", "ike/sa/b.go:5: slog.Info"},
		{"init", "esp/a.go", "package esp\n\nfunc init() {}\n", "esp/a.go:3: an init function"},
		{"exported", "esp/a.go", "package esp\n\ntype T struct{}\n", "type T has no comment"},
		{"exported", "esp/a.go", "package esp\n\nconst C = 1\n", "C has no comment"},
		{"exported", "esp/a.go", "package esp\n\nfunc F() {}\n", "F has no comment"},
		{"exported", "ike/sa/b.go", "package sa\n\nfunc (*M) Do() {}\n", "Do has no comment"},
		{"links", "README.md", "[a](docs/b.md)\n", "README.md: the link docs/b.md leads to nothing"},
		{"links", "docs/b.md", "[a](../esp/none.go)\n", "docs/b.md: the link"},
		{"links", "README.md", "[a](docs/a.md#three-words)\n", "names a heading that docs/a.md hasn't"},
		{"commands", "README.md", "    esplanade fly\n", `shows "esplanade fly"; there is: completion, help, run`},
		{"commands", "docs/b.md", "Then `make coffee`.\n", `shows "make coffee"`},
		{"failures", "ike/diag/failure.go", "package diag\n\nconst codeB Code = \"E-B\"\n\n// A makes one.\nfunc A() *Failure { return &Failure{CodeA, codeB} }\n", "docs/operations.md: has no row for the failure code `E-B` of ike/diag/failure.go:3"},
		{"failures", "docs/operations.md", "| `E-A` | a | b |\n| `E-B` | a | b |\n", "docs/operations.md: has a row for E-B, which is no code"},
		{"failures", "docs/operations.md", "| `E-A` | a | b |\n| `E-A` | a | b |\n", "docs/operations.md: has 2 rows for the failure code `E-A`"},
		{"failures", "docs/operations.md", "See `E-A`.\n", "docs/operations.md: has no row for the failure code `E-A` of ike/diag/code.go:8"},
		{"failures", "ike/ike.go", "package ike\n", "no program calls the constructor A"},
		{"failures", "ike/ike.go", "package ike\n\nimport \"esplanade/ike/diag\"\n\nfunc f(f diag.Failure) bool { return f.Code == diag.CodeA }\n", "no program calls the constructor A"},
		{"failures", "ike/ike.go", "package ike\n\nimport \"esplanade/ike/diag\"\n\nvar f, g = diag.A(), &diag.Failure{}\n", "ike/ike.go:5: puts a failure together"},
		{"failures", "ike/ike.go", "package ike\n\nimport \"esplanade/ike/diag\"\n\nfunc f() {\n\tf := diag.A()\n\tf.Fix = \"\"\n}\n", "ike/ike.go:7: changes Fix of a failure"},
		{"failures", "ike/diag/failure.go", "package diag\n\n// A makes none.\nfunc A() *Failure { return nil }\n", "ike/diag/code.go:8: no constructor makes a failure with CodeA"},
		{"failures", "ike/diag/b.go", "package diag\n\n// B makes one.\nfunc B() *Failure { return A() }\n", "ike/diag/b.go:4: no program calls the constructor B"},
		{"operations", "dataplane/b.go", "package dataplane\n\nvar more = []string{DropA: \"a\"}\n", "has no row for the reason `a`"},
		{"operations", "cmd/esplanade/metrics.go", "package main\n\nvar m, n = d(\"up\"), d(\"down\")\n", "has no row for the metric `ipsec_down`"},
		{"operations", "cmd/esplanade/b.go", "package main\n\nconst exitBad = 3\n", "has no row for the exit code 3, exitBad"},
		{"makefile", "Makefile", ".PHONY: test\ntest:\n\ttrue\n", "Makefile:2: target test isn't explained"},
		{"makefile", "Makefile", "test: ## Test\n\ttrue\n", "Makefile:1: target test has no line .PHONY"},
		{"top", "pkg/a.txt", "", "pkg: isn't part of the tree"},
	}
	tried := map[string]bool{}
	for _, tt := range tests {
		tried[tt.rule] = true
		t.Run(tt.rule+" "+tt.want, func(t *testing.T) {
			files := good()
			files[tt.file] = tt.text
			var got []string
			for _, v := range check(tt.rule, treeOf(t, files)) {
				got = append(got, v.String())
			}
			if all := strings.Join(got, "\n"); len(got) != 1 || !strings.Contains(all, tt.want) {
				t.Errorf("got %d violations, want one with %q:\n%s", len(got), tt.want, all)
			}
		})
	}
	for name := range rules {
		if !tried[name] {
			t.Errorf("rule %s has no bad tree", name)
		}
	}
}

// TestReadBad: a tree that can't be read is an error and not a tree without violations.
func TestReadBad(t *testing.T) {
	for name, files := range map[string]fs.FS{
		"no go.mod":      fstest.MapFS{"a.go": {Data: []byte("package a\n")}},
		"no module line": fstest.MapFS{"go.mod": {Data: []byte("go 1.26\n")}},
		"no Go":          fstest.MapFS{"go.mod": {Data: []byte("module m\n")}, "a.go": {Data: []byte("packag a\n")}},
	} {
		if _, err := Read(files); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
