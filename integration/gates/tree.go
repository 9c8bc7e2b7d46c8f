package gates

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Violation is one place where a rule is broken.
type Violation struct {
	Where string // file or file:line, from the root of the tree
	What  string
}

func (v Violation) String() string { return v.Where + ": " + v.What }

// GoFile is a parsed Go file.
type GoFile struct {
	Path   string // from the root of the tree
	Source []byte
	AST    *ast.File
}

// Dir is the directory of the file's package.
func (f GoFile) Dir() string { return path.Dir(f.Path) }

// Test reports whether the file is built for tests only.
func (f GoFile) Test() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Imports are the import paths of the file.
func (f GoFile) Imports() []string {
	var all []string
	for _, spec := range f.AST.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// Tree is a repository: its Go files, and all of its files by name.
type Tree struct {
	FS     fs.FS
	Fset   *token.FileSet
	Go     []GoFile
	Files  []string
	Module string // path of the module in go.mod
}

// ignored are directories that hold no part of the repository, or nothing that the rules are about.
func ignored(name string) bool {
	return name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") && name != "." && name != ".ci"
}

// Read reads a repository.
func Read(fsys fs.FS) (*Tree, error) {
	t := &Tree{FS: fsys, Fset: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && ignored(d.Name()):
			return fs.SkipDir
		case d.IsDir() || d.Name() == ".git": // a file in a second work tree
			return nil
		}
		t.Files = append(t.Files, name)
		if path.Ext(name) != ".go" {
			return nil
		}
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(t.Fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		t.Go = append(t.Go, GoFile{Path: name, Source: src, AST: file})
		return nil
	})
	if err != nil {
		return nil, err
	}
	mod, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mod)) {
		if p, ok := strings.CutPrefix(line, "module "); ok {
			t.Module = strings.TrimSpace(p)
		}
	}
	if t.Module == "" {
		return nil, errors.New("go.mod: no line that names the module")
	}
	return t, nil
}

// Packages are the directories with Go files that aren't tests, in order.
func (t *Tree) Packages() []string {
	var dirs []string
	for _, f := range t.Go {
		if !f.Test() && !slices.Contains(dirs, f.Dir()) {
			dirs = append(dirs, f.Dir())
		}
	}
	slices.Sort(dirs)
	return dirs
}

// Has reports whether there is a file or directory of that name.
func (t *Tree) Has(name string) bool {
	_, err := fs.Stat(t.FS, name)
	return err == nil
}

func (t *Tree) at(n ast.Node) string {
	p := t.Fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// Root finds the directory of go.mod, from the working directory upwards.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod in this directory nor above it")
		}
		dir = up
	}
}

// within reports whether dir is one of the patterns: a directory, or "a/..." for a and everything below it.
func within(dir string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if base, ok := strings.CutSuffix(p, "/..."); ok {
			return dir == base || strings.HasPrefix(dir, base+"/")
		}
		return dir == p
	})
}
