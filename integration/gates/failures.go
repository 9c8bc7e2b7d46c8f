package gates

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// diagDir is the package of the failures.
const diagDir = "ike/diag"

// failureRow is the row of a failure code in [Operations].
var failureRow = regexp.MustCompile("(?m)^\\| `(E-[A-Z-]+)` \\|")

// CheckFailures holds the codes of failures to what operators read of them, in both directions: each code has one row in the document, each
// row is that of a code, and each code can occur: a program of cmd/ has code that calls a constructor of it. Every constructor is called,
// and nothing but constructors makes a failure.
func CheckFailures(t *Tree) []Violation {
	text, err := fs.ReadFile(t.FS, Operations)
	if err != nil {
		return []Violation{{Operations, err.Error()}}
	}
	rows := map[string]int{}
	for _, m := range failureRow.FindAllStringSubmatch(string(text), -1) {
		rows[m[1]]++
	}
	d := readDiag(t)
	called, made := d.calls(t), map[string]bool{}
	all := byHand(t)
	for _, name := range slices.Sorted(maps.Keys(d.constructors)) {
		if !called[name] {
			all = append(all, Violation{d.constructors[name], "no program calls the constructor " + name})
		}
		maps.Copy(made, d.makes[name])
	}
	for _, name := range slices.Sorted(maps.Keys(d.codes)) {
		c := d.codes[name]
		switch n := rows[c.value]; {
		case n == 0:
			all = append(all, Violation{Operations, fmt.Sprintf("has no row for the failure code `%s` of %s", c.value, c.at)})
		case n > 1:
			all = append(all, Violation{Operations, fmt.Sprintf("has %d rows for the failure code `%s`", n, c.value)})
		}
		delete(rows, c.value)
		if !made[name] {
			all = append(all, Violation{c.at, "no constructor makes a failure with " + name})
		}
	}
	for _, code := range slices.Sorted(maps.Keys(rows)) {
		all = append(all, Violation{Operations, fmt.Sprintf("has a row for %s, which is no code of %s", code, diagDir)})
	}
	return all
}

// diagCode is a constant of type Code.
type diagCode struct{ value, at string }

// diagPackage is what the rule needs to know of the package of the failures.
type diagPackage struct {
	codes map[string]diagCode
	// makes are the codes that a function, or a method by its name, mentions or comes to through another one.
	makes map[string]map[string]bool
	// constructors are the exported functions that return a *Failure, with their places.
	constructors map[string]string
}

func readDiag(t *Tree) diagPackage {
	d := diagPackage{codes: map[string]diagCode{}, makes: map[string]map[string]bool{}, constructors: map[string]string{}}
	mentions := map[string]map[string]bool{} // of each function
	for _, f := range t.Go {
		if f.Test() || f.Dir() != diagDir {
			continue
		}
		for _, decl := range f.AST.Decls {
			switch decl := decl.(type) {
			case *ast.GenDecl:
				d.constants(t, decl)
			case *ast.FuncDecl:
				if decl.Body == nil {
					continue
				}
				mentions[decl.Name.Name] = names(decl.Body)
				if decl.Recv == nil && decl.Name.IsExported() && returnsFailure(decl) {
					d.constructors[decl.Name.Name] = t.at(decl)
				}
			}
		}
	}
	for name := range mentions {
		d.makes[name] = map[string]bool{}
		d.follow(mentions, name, d.makes[name], map[string]bool{})
	}
	return d
}

// constants takes the constants of type Code of a declaration.
func (d diagPackage) constants(t *Tree, decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || decl.Tok != token.CONST {
			continue
		}
		if kind, ok := v.Type.(*ast.Ident); !ok || kind.Name != "Code" {
			continue
		}
		for i, n := range v.Names {
			if i < len(v.Values) {
				d.codes[n.Name] = diagCode{literal(v.Values[i]), t.at(n)}
			}
		}
	}
}

// follow collects the codes that a function mentions, and those of the functions that it mentions.
func (d diagPackage) follow(mentions map[string]map[string]bool, name string, codes, seen map[string]bool) {
	if seen[name] {
		return
	}
	seen[name] = true
	for n := range mentions[name] {
		if _, ok := d.codes[n]; ok {
			codes[n] = true
		}
		d.follow(mentions, n, codes, seen)
	}
}

// names are the identifiers in a piece of code.
func names(n ast.Node) map[string]bool {
	all := map[string]bool{}
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			all[id.Name] = true
		}
		return true
	})
	return all
}

// returnsFailure reports whether a function has the one result *Failure.
func returnsFailure(f *ast.FuncDecl) bool {
	if f.Type.Results == nil || len(f.Type.Results.List) != 1 {
		return false
	}
	star, ok := f.Type.Results.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	id, ok := star.X.(*ast.Ident)
	return ok && id.Name == "Failure"
}

// calls are the constructors that the programs mention.
func (d diagPackage) calls(t *Tree) map[string]bool {
	called := map[string]bool{}
	for _, f := range t.inPrograms() {
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if name := ofDiag(n); d.constructors[name] != "" {
				called[name] = true
			}
			return true
		})
	}
	return called
}

// ofDiag is the name behind a "diag." that a piece of code begins with, empty if it does not.
func ofDiag(n ast.Node) string {
	if s, ok := n.(*ast.SelectorExpr); ok {
		if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "diag" {
			return s.Sel.Name
		}
	}
	return ""
}

// says are the fields of a Failure that a constructor fills in with care for each other.
var says = []string{"Code", "Ours", "Theirs", "Closest", "Differs", "Fix", "Cause"}

// byHand finds failures that are put together outside of their package, and ones that are changed there.
func byHand(t *Tree) []Violation {
	var all []Violation
	for _, f := range t.inPrograms() {
		if !slices.Contains(f.Imports(), t.Module+"/"+diagDir) {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if n.Type != nil && ofDiag(n.Type) == "Failure" {
					all = append(all, Violation{t.at(n), "puts a failure together: a constructor of " + diagDir + " names both sides and the fix"})
				}
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					if s, ok := e.(*ast.SelectorExpr); ok && slices.Contains(says, s.Sel.Name) && n.Tok != token.DEFINE {
						all = append(all, Violation{t.at(n), "changes " + s.Sel.Name + " of a failure: a constructor of " + diagDir + " of its own says it better"})
					}
				}
			}
			return true
		})
	}
	return all
}

// inPrograms are the files outside of the package of the failures that the programs in cmd/ are built of, by what they import.
func (t *Tree) inPrograms() []GoFile {
	files := map[string][]GoFile{}
	for _, f := range t.Go {
		if !f.Test() {
			files[f.Dir()] = append(files[f.Dir()], f)
		}
	}
	var reached []string
	for _, dir := range t.Packages() {
		if strings.HasPrefix(dir, "cmd/") {
			reached = append(reached, dir)
		}
	}
	var all []GoFile
	for i := 0; i < len(reached); i++ {
		if reached[i] == diagDir {
			continue
		}
		all = append(all, files[reached[i]]...)
		for _, f := range files[reached[i]] {
			for _, path := range f.Imports() {
				if dir, ok := strings.CutPrefix(path, t.Module+"/"); ok && !slices.Contains(reached, dir) {
					reached = append(reached, dir)
				}
			}
		}
	}
	return all
}
