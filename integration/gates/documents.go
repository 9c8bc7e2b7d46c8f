package gates

import (
	"fmt"
	"go/ast"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

var (
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fence     = regexp.MustCompile("(?m)^ {0,3}```")
	inlineRaw = regexp.MustCompile("`[^`\n]*`")
	heading   = regexp.MustCompile(`(?m)^#{1,6} +(.*)$`)
	// A command as it is written at the start of a line of an example or of an inline quotation.
	command = regexp.MustCompile("(?m)(?:^|`)(?:    |\\$ )?(?:sudo )?esplanade ([a-z][a-z-]*)\\b")
	target  = regexp.MustCompile("(?m)(?:^|`)(?:    |\\$ )?make ([a-z][a-z-]*)\\b")
)

// CheckLinks wants every relative link of a Markdown file to lead to a file, and to a heading in it if it names one.
func CheckLinks(t *Tree) []Violation {
	var all []Violation
	for _, name := range t.markdown() {
		text, err := fs.ReadFile(t.FS, name)
		if err != nil {
			all = append(all, Violation{name, err.Error()})
			continue
		}
		for _, m := range link.FindAllStringSubmatch(prose(string(text)), -1) {
			to := m[1]
			if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			file, fragment, _ := strings.Cut(to, "#")
			at := name
			if file != "" {
				at = path.Join(path.Dir(name), file)
			}
			switch {
			case !t.Has(at):
				all = append(all, Violation{name, "the link " + to + " leads to nothing"})
			case fragment != "" && path.Ext(at) == ".md" && !t.hasHeading(at, fragment):
				all = append(all, Violation{name, "the link " + to + " names a heading that " + at + " hasn't"})
			}
		}
	}
	return all
}

func (t *Tree) markdown() []string {
	return slices.DeleteFunc(slices.Clone(t.Files), func(name string) bool { return path.Ext(name) != ".md" })
}

// prose is a Markdown text without what is quoted in it.
func prose(text string) string {
	parts := fence.Split(text, -1)
	var b strings.Builder
	for i := 0; i < len(parts); i += 2 { // every other part is between fences
		b.WriteString(inlineRaw.ReplaceAllString(parts[i], ""))
	}
	return b.String()
}

func (t *Tree) hasHeading(file, anchor string) bool {
	text, err := fs.ReadFile(t.FS, file)
	if err != nil {
		return false
	}
	for _, m := range heading.FindAllStringSubmatch(string(text), -1) {
		if slug(m[1]) == anchor {
			return true
		}
	}
	return false
}

// slug is the anchor that a heading gets: lower case, words joined by hyphens, no other punctuation.
func slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(title)) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}

// CheckCommands wants the commands that documents show to exist: subcommands of the binary, as its sources declare them,
// and targets of the Makefile.
func CheckCommands(t *Tree) []Violation {
	subcommands, targets := t.subcommands(), t.targets()
	var all []Violation
	for _, name := range t.markdown() {
		text, err := fs.ReadFile(t.FS, name)
		if err != nil {
			all = append(all, Violation{name, err.Error()})
			continue
		}
		for _, kind := range []struct {
			what  string
			shown *regexp.Regexp
			known []string
		}{{"esplanade", command, subcommands}, {"make", target, targets}} {
			for _, m := range kind.shown.FindAllStringSubmatch(string(text), -1) {
				if !slices.Contains(kind.known, m[1]) {
					all = append(all, Violation{name, fmt.Sprintf("shows %q; there is: %s", kind.what+" "+m[1], orNothing(kind.known))})
				}
			}
		}
	}
	return all
}

// subcommands are the first words of what cmd/esplanade has in fields named Use, with those that cobra adds.
func (t *Tree) subcommands() []string {
	known := []string{"help", "completion"}
	for _, f := range t.Go {
		if f.Dir() != "cmd/esplanade" || f.Test() {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Use" && literal(kv.Value) != "" {
				first, _, _ := strings.Cut(literal(kv.Value), " ")
				known = append(known, first)
			}
			return true
		})
	}
	slices.Sort(known)
	return slices.Compact(known)
}

var makeTarget = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)

func (t *Tree) targets() []string {
	text, err := fs.ReadFile(t.FS, "Makefile")
	if err != nil {
		return nil
	}
	var known []string
	for _, m := range makeTarget.FindAllStringSubmatch(string(text), -1) {
		known = append(known, m[1])
	}
	return known
}

// CheckMakefile wants every target to be explained in "make help" and to be declared phony.
func CheckMakefile(t *Tree) []Violation {
	text, err := fs.ReadFile(t.FS, "Makefile")
	if err != nil {
		return []Violation{{"Makefile", err.Error()}}
	}
	var all []Violation
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		m := makeTarget.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		where := fmt.Sprintf("Makefile:%d", i+1)
		if !strings.Contains(line, " ## ") {
			all = append(all, Violation{where, "target " + m[1] + " isn't explained: " + m[1] + ": ## what it does"})
		}
		if i == 0 || lines[i-1] != ".PHONY: "+m[1] {
			all = append(all, Violation{where, "target " + m[1] + " has no line .PHONY before it"})
		}
	}
	return all
}

// CheckTop wants the given top level, and nothing else.
func CheckTop(t *Tree, allowed []string) []Violation {
	var all []Violation
	seen := map[string]bool{}
	for _, name := range t.Files {
		first, _, _ := strings.Cut(name, "/")
		if !seen[first] && !slices.Contains(allowed, first) {
			all = append(all, Violation{first, "isn't part of the tree of the README"})
		}
		seen[first] = true
	}
	return all
}

// Operations is the document that has what operators see: failure codes (see [CheckFailures]), metrics, reasons of drops, exit codes.
const Operations = "docs/operations.md"

// CheckOperations wants every metric, reason of a drop and exit code that the sources have in the document for operators.
func CheckOperations(t *Tree) []Violation {
	text, err := fs.ReadFile(t.FS, Operations)
	if err != nil {
		return []Violation{{Operations, err.Error()}}
	}
	var all []Violation
	want := func(where, what, name string) {
		if !strings.Contains(string(text), "`"+name+"`") {
			all = append(all, Violation{Operations, fmt.Sprintf("has no row for the %s `%s` of %s", what, name, where)})
		}
	}
	for _, f := range t.Go {
		if f.Test() {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec: // const exitFailed = 1
				if name := n.Names[0].Name; f.Dir() == "cmd/esplanade" && exitCode.MatchString(name) && len(n.Values) == 1 {
					if v, ok := n.Values[0].(*ast.BasicLit); ok && !strings.Contains(string(text), "\n| "+v.Value+" | ") {
						all = append(all, Violation{Operations, fmt.Sprintf("has no row for the exit code %s, %s of %s", v.Value, name, t.at(n))})
					}
				}
			case *ast.KeyValueExpr: // DropInICV: "icv"
				if key, ok := n.Key.(*ast.Ident); ok && f.Dir() == "dataplane" && strings.HasPrefix(key.Name, "Drop") && literal(n.Value) != "" {
					want(t.at(n), "reason", literal(n.Value))
				}
			case *ast.CallExpr: // d("connection_up", …)
				if fn, ok := n.Fun.(*ast.Ident); ok && f.Path == "cmd/esplanade/metrics.go" && fn.Name == "d" && len(n.Args) > 0 {
					want(t.at(n), "metric", "ipsec_"+literal(n.Args[0]))
				}
			}
			return true
		})
	}
	return all
}

// exitCode are the names of the binary's exit codes.
var exitCode = regexp.MustCompile(`^exit[A-Z]`)

// literal is the value of a string literal, or nothing.
func literal(e ast.Expr) string {
	if b, ok := e.(*ast.BasicLit); ok {
		if s, err := strconv.Unquote(b.Value); err == nil {
			return s
		}
	}
	return ""
}
