package ipsecconf

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// What may be read, so that a file that includes itself or a folder of everything ends.
const (
	maxFiles         = 256
	maxIncludeDepth  = 16
	maxSections      = 10_000
	maxSettings      = 1_000 // of one section
	maxAlso          = 64    // of one section
	maxSyntaxErrors  = 20
	maxConnChildren  = 256 // pairs of one conn's subnets
	maxSecretEntries = 10_000
)

// setting is KEY=VALUE, and where it stands.
type setting struct {
	key, value string
	at         tree.Position
	comment    *comment // shared by all that inherit the setting; it is written once
}

// section is one of ipsec.conf.
type section struct {
	kind, name string
	at         tree.Position
	comment    comment
	settings   []setting
	also       []setting
	used       bool // by an also=
}

// files reads files and what they include.
type files struct {
	dialect  Dialect
	options  migrate.Options
	sections []*section
	index    map[string]*section // by kind and name
	current  *section
	lines    map[*section][]*section // what each inherits from, as far as it was asked for
	count    int
	errs     []error
	repeated []*section // libreswan: conns whose name another one has
}

// load reads a file; at is where it is included, and depth how many files around it are.
func (f *files) load(name string, at tree.Position, depth int) {
	if f.count++; f.count > maxFiles || depth > maxIncludeDepth {
		f.fail(at, fmt.Sprintf("includes more than %d files, or %d deep", maxFiles, maxIncludeDepth))
		return
	}
	text, err := f.options.Read(name)
	if err != nil {
		f.fail(at, err.Error())
		return
	}
	if f.dialect == Auto {
		f.dialect = Detect(text)
	}
	s := newScanner(f.dialect, name, text)
	for len(f.errs) < maxSyntaxErrors {
		st, ok, err := s.next()
		if !ok {
			return
		}
		if err != nil {
			f.errs = append(f.errs, err)
			continue
		}
		f.take(st, depth)
	}
}

func (f *files) fail(at tree.Position, what string) {
	if len(f.errs) < maxSyntaxErrors {
		f.errs = append(f.errs, &SyntaxError{at, what})
	}
}

// take adds a statement to what there is.
func (f *files) take(st statement, depth int) {
	switch st.kind {
	case includeStatement:
		pattern := st.word
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(filepath.Dir(st.at.File), pattern)
		}
		names, err := f.options.Files.Glob(pattern)
		if err != nil {
			f.fail(st.at, err.Error())
			return
		}
		if len(names) == 0 && !strings.ContainsAny(pattern, "*?[") {
			f.fail(st.at, "there is no file "+pattern)
		}
		for _, name := range names {
			if len(f.errs) == maxSyntaxErrors {
				return
			}
			f.load(name, st.at, depth+1)
		}
	case sectionStatement:
		f.open(st)
	case settingStatement:
		if f.current == nil {
			f.fail(st.at, "a setting before the first section")
			return
		}
		s := setting{st.word, st.value, st.at, &st.comment}
		if f.dialect == Libreswan { // its keywords have no case, and old ones have an underscore for the hyphen
			s.key = strings.ReplaceAll(strings.ToLower(s.key), "_", "-")
		}
		list := &f.current.settings
		limit := maxSettings
		if s.key == "also" {
			list, limit = &f.current.also, maxAlso
		}
		if len(*list) == limit {
			f.fail(st.at, fmt.Sprintf("the section has more than %d settings, or %d also=", maxSettings, maxAlso))
			return
		}
		*list = append(*list, s)
	}
}

// open begins a section, or goes on with the one of that name.
func (f *files) open(st statement) {
	id := st.word + " " + st.value
	old := f.index[id]
	if old != nil && (f.dialect != Libreswan || st.word == "config" || st.value == defaultName) {
		f.current = old
		old.comment.above = append(old.comment.above, st.comment.above...)
		return
	}
	if len(f.sections) == maxSections {
		f.fail(st.at, fmt.Sprintf("more than %d sections", maxSections))
		return
	}
	f.current = &section{kind: st.word, name: st.value, at: st.at, comment: st.comment}
	if old != nil {
		f.repeated = append(f.repeated, f.current)
		return
	}
	f.index[id] = f.current
	f.sections = append(f.sections, f.current)
}

// err is everything that is wrong.
func (f *files) err() error { return errors.Join(f.errs...) }
