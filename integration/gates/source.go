package gates

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"path"
	"slices"
	"strings"
)

// MaxLines is the size of a Go file at which it has more than one concern. Most should have less than 400.
const MaxLines = 500

// vague are package names that say nothing about what is in a package.
var vague = []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "base", "types", "interfaces"}

// CheckFormat wants every Go file as gofmt writes it.
func CheckFormat(t *Tree) []Violation {
	var all []Violation
	for _, f := range t.Go {
		want, err := format.Source(f.Source)
		if err != nil {
			all = append(all, Violation{f.Path, err.Error()})
		} else if !bytes.Equal(want, f.Source) {
			all = append(all, Violation{f.Path, "isn't formatted: gofmt -w " + f.Path})
		}
	}
	return all
}

// CheckSize wants Go files of at most limit lines.
func CheckSize(t *Tree, limit int) []Violation {
	var all []Violation
	for _, f := range t.Go {
		if n := bytes.Count(f.Source, []byte("\n")); n > limit {
			all = append(all, Violation{f.Path, fmt.Sprintf("has %d lines, the limit is %d: give a concern of it a file of its own", n, limit)})
		}
	}
	return all
}

// CheckPackages wants packages with a name that says something and a comment that says what they are for. The comment
// is in one file; where there is a doc.go, it is there.
func CheckPackages(t *Tree) []Violation {
	var all []Violation
	for _, dir := range t.Packages() {
		var documented []string
		hasDoc := false
		for _, f := range t.Go {
			if f.Dir() != dir || f.Test() {
				continue
			}
			hasDoc = hasDoc || path.Base(f.Path) == "doc.go"
			if name := f.AST.Name.Name; slices.Contains(vague, name) {
				all = append(all, Violation{f.Path, "package " + name + ": the name doesn't say what is in it"})
			}
			if f.AST.Doc != nil {
				documented = append(documented, f.Path)
				if want := opening(f.AST.Name.Name, dir); !strings.HasPrefix(f.AST.Doc.Text(), want) {
					all = append(all, Violation{f.Path, "the package comment doesn't begin with " + want})
				}
			}
		}
		switch {
		case len(documented) == 0:
			all = append(all, Violation{dir, "no file has a package comment"})
		case len(documented) > 1:
			all = append(all, Violation{dir, "has several package comments: " + strings.Join(documented, ", ")})
		case hasDoc && path.Base(documented[0]) != "doc.go":
			all = append(all, Violation{documented[0], "the package comment belongs in doc.go"})
		}
	}
	return all
}

func opening(name, dir string) string {
	if name == "main" {
		return "Command " + path.Base(dir) + " "
	}
	return "Package " + name + " "
}

// pure are the packages that know no clock, socket, file, goroutine or lock: time is a parameter of theirs, and what
// they do depends on their input alone.
var pure = []string{"ike/gateway", "ike/sa", "ike/wire", "ike/proposal", "ike/selector", "ike/identity", "ike/suite", "ike/ticket", "ike/diag",
	"ike/pki", "ike/pki/files", "ike/pki/revocation", "ike/credential", "ike/aaa", "ike/radius", "ike/eap", "ike/eap/guess"}

// closable are those of them whose values may be closed, or asked, by another goroutine than the one that uses them, for which they have a lock.
var closable = []string{"ike/eap", "ike/eap/guess"}

// impure are the packages of the standard library that would bring these in.
// log/slog is none of them as long as it is there for values that don't show secrets, nor syscall for its error numbers.
var impure = []string{"net", "net/http", "os", "os/exec", "log", "context", "sync", "sync/atomic", "math/rand", "math/rand/v2"}

// seedless are the sources of randomness that nobody can seed; the packages of pure that are seedable have none of them.
var (
	seedable = []string{"ike/gateway"}
	seedless = []string{"crypto/rand", "hash/maphash"}
)

// ofTheClock are the functions of package time that read or wait for the real one.
var ofTheClock = []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Sleep", "Tick"}

// ofTheLog are the functions of log/slog that write to the program's log.
var ofTheLog = []string{"Debug", "Info", "Warn", "Error", "Log", "LogAttrs", "Default", "With"}

// CheckPure holds the protocol's packages to being without input and output.
func CheckPure(t *Tree, dirs []string) []Violation {
	var all []Violation
	for _, f := range t.Go {
		if f.Test() || !within(f.Dir(), dirs) {
			continue
		}
		for _, imported := range f.Imports() {
			if slices.Contains(impure, imported) && !(imported == "sync" && within(f.Dir(), closable)) {
				all = append(all, Violation{f.Path, "imports " + imported + "; " + f.Dir() + " has no input and output of its own"})
			}
			if slices.Contains(seedless, imported) && within(f.Dir(), seedable) {
				all = append(all, Violation{f.Path, "imports " + imported + "; in " + f.Dir() + " a seed decides everything"})
			}
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				all = append(all, Violation{t.at(n), "starts a goroutine; " + f.Dir() + " is owned by its caller's"})
			case *ast.ChanType:
				all = append(all, Violation{t.at(n), "has a channel; nothing waits in " + f.Dir()})
			case *ast.SelectorExpr:
				if ofPackage(n, "time") && slices.Contains(ofTheClock, n.Sel.Name) {
					all = append(all, Violation{t.at(n), "time." + n.Sel.Name + "; in " + f.Dir() + " time is a parameter"})
				}
				if ofPackage(n, "slog") && slices.Contains(ofTheLog, n.Sel.Name) {
					all = append(all, Violation{t.at(n), "slog." + n.Sel.Name + "; " + f.Dir() + " says what happens in its results"})
				}
			}
			return true
		})
	}
	return all
}

func ofPackage(s *ast.SelectorExpr, name string) bool {
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == name
}

// CheckInit wants no init functions: what happens at the start of the program is to be read in main.
func CheckInit(t *Tree) []Violation {
	var all []Violation
	for _, f := range t.Go {
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				all = append(all, Violation{t.at(fn), "an init function"})
			}
		}
	}
	return all
}

// CheckExported wants a comment on everything that other packages can see.
func CheckExported(t *Tree) []Violation {
	var all []Violation
	for _, f := range t.Go {
		if f.Test() || f.AST.Name.Name == "main" {
			continue
		}
		for _, d := range f.AST.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil {
					all = append(all, Violation{t.at(d), d.Name.Name + " has no comment"})
				}
			case *ast.GenDecl:
				all = append(all, t.undocumented(d)...)
			}
		}
	}
	return all
}

// undocumented looks at types, constants and variables. A comment on a group is one on everything in it.
func (t *Tree) undocumented(d *ast.GenDecl) []Violation {
	var all []Violation
	if d.Doc != nil {
		return nil
	}
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil && s.Comment == nil {
				all = append(all, Violation{t.at(s), "type " + s.Name.Name + " has no comment"})
			}
		case *ast.ValueSpec:
			if s.Names[0].IsExported() && s.Doc == nil && s.Comment == nil {
				all = append(all, Violation{t.at(s), s.Names[0].Name + " has no comment"})
			}
		}
	}
	return all
}

// selfEvident are methods whose meaning is their interface's.
var selfEvident = []string{"String", "Error", "Unwrap", "Is", "Len", "Less", "Swap", "MarshalText", "UnmarshalText", "LogValue", "Format", "GoString"}

// exportedReceiver reports whether a function is a method that other packages can call by name, or no method.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	if slices.Contains(selfEvident, d.Name.Name) {
		return false
	}
	of := d.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if index, ok := of.(*ast.IndexExpr); ok {
		of = index.X
	}
	name, ok := of.(*ast.Ident)
	return ok && name.IsExported()
}
