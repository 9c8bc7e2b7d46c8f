package swanctl

import (
	"fmt"
	"slices"
	"strings"

	"esplanade/config/tree"
)

// resolver makes tables of sections, with what they inherit.
//
// A table is made of a list of sections: the one itself, what it refers to, and what that refers to, depth first, each once. What is in an earlier
// one counts. A subsection is made of the list of those that have its name, each with its own references.
type resolver struct {
	root     *section
	warnings []*Error
	// warned are the references that there is a warning of already.
	warned map[tree.Position]bool
	// templates are the sections at the top of what is inherited from.
	templates map[string]bool
	// following are the sections whose references are being followed.
	following map[*section]bool
	// entries and steps are what it has cost so far.
	entries, steps, maxSteps int
}

// newResolver makes one for what has so many keys and sections.
func newResolver(root *section, entries int, warnings []*Error) *resolver {
	return &resolver{root: root, warnings: warnings, maxSteps: maxSteps + stepsPerEntry*entries, warned: map[tree.Position]bool{}, templates: map[string]bool{}, following: map[*section]bool{}}
}

// table makes the table of a list of sections.
func (r *resolver) table(list []*section, depth int) (*tree.Table, *Error) {
	at := list[0].at
	if depth > maxDepth {
		return nil, wrong(at, fmt.Sprintf("with what is inherited sections are nested more than %d deep; does this one inherit from one that contains it?", maxDepth))
	}
	table := tree.New(at.File)
	if err := r.keys(table, list); err != nil {
		return nil, err
	}
	done := map[string]bool{}
	for _, s := range list {
		for _, sub := range s.sections.list {
			if done[sub.name] {
				continue
			}
			done[sub.name] = true
			if e, ok := table.Get(sub.name); ok {
				return nil, wrong(at, fmt.Sprintf("of what this section inherits, %v is a key and %v a section, with one name", e.At, sub.at))
			}
			subs, err := r.named(list, sub.name)
			if err != nil {
				return nil, err
			}
			if err := r.count(sub.at); err != nil {
				return nil, err
			}
			t, err := r.table(subs, depth+1)
			if err != nil {
				return nil, err
			}
			table.Note(subs[0].comment.Above...)
			table.Add(sub.name, subs[0].at, t)
			table.Beside(sub.name, subs[0].comment.Beside)
		}
	}
	table.Note(list[0].foot...)
	return table, nil
}

// keys adds the keys of a list of sections that have a value.
func (r *resolver) keys(table *tree.Table, list []*section) *Error {
	seen := map[string]bool{}
	for _, s := range list {
		for _, k := range s.keys.list {
			if seen[k.name] {
				continue
			}
			seen[k.name] = true
			table.Note(k.comment.Above...)
			if k.value == nil {
				continue
			}
			if err := r.count(k.at); err != nil {
				return err
			}
			table.AddAt(k.name, k.at, k.valueAt, tree.Text(*k.value))
			table.Beside(k.name, k.comment.Beside)
		}
	}
	return nil
}

// count notes an entry.
func (r *resolver) count(at tree.Position) *Error {
	if r.entries++; r.entries > maxEntries {
		return wrong(at, fmt.Sprintf("with what is inherited there are more than %d keys and sections", maxEntries))
	}
	return nil
}

// named are the sections of a name in a list of sections, each followed by what it refers to.
func (r *resolver) named(list []*section, name string) ([]*section, *Error) {
	var all []*section
	for _, s := range list {
		if sub, ok := s.sections.get(name); ok {
			var err *Error
			if all, err = r.add(all, sub); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// add appends a section and what it refers to, unless it is there.
func (r *resolver) add(list []*section, s *section) ([]*section, *Error) {
	if slices.Contains(list, s) {
		return list, nil
	}
	if r.steps++; r.steps > r.maxSteps || len(r.following) > maxReferences {
		return nil, tooMuch(s)
	}
	list = append(list, s)
	if r.following[s] { // in a round, each counts once
		return list, nil
	}
	r.following[s] = true
	defer delete(r.following, s)
	for _, ref := range s.refs {
		found, err := r.find(ref)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if !slices.Contains(list, f) {
				list = append(list, f)
			}
		}
		if len(list) > maxReferences {
			return nil, tooMuch(s)
		}
	}
	return list, nil
}

func tooMuch(s *section) *Error {
	return wrong(s.at, "what is inherited here is too much: sections inherit from others that inherit from others, over and over")
}

// find are the sections that a reference stands for: none if there is no such, with a warning.
func (r *resolver) find(ref reference) ([]*section, *Error) {
	list := []*section{r.root}
	r.templates[ref.path[0]] = true
	for _, name := range ref.path {
		var err *Error
		if list, err = r.named(list, name); err != nil {
			return nil, err
		}
	}
	if len(list) == 0 && !r.warned[ref.at] {
		r.warned[ref.at] = true
		r.warnings = append(r.warnings, wrong(ref.at, "there is no section "+strings.Join(ref.path, ".")+", so nothing is inherited from it"))
	}
	return list, nil
}
