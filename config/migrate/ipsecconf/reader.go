package ipsecconf

import (
	"errors"
	"io/fs"
	"path/filepath"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// Options are what Read needs to know.
type Options struct {
	migrate.Options
	// Dialect is whose ipsec.conf it is.
	Dialect Dialect
	// Secrets is the name of the file with secrets; "" is ipsec.secrets beside the file.
	Secrets string
	// Dir is where the folder ipsec.d is; "" is the directory of the file.
	Dir string
}

// reader is what the readers of both dialects have.
type reader struct {
	*migrate.Draft
	dialect   Dialect
	files     *files
	here      []string
	dir       string
	undecided []string // conns of which nothing tells which side is this host
	emit      *emitter
}

// Read makes our configuration of an ipsec.conf. An error is one of the file's: see [SyntaxError]; there is no result then.
func Read(name string, o Options) (*migrate.Result, error) {
	f := &files{dialect: o.Dialect, options: o.Options, index: map[string]*section{}, lines: map[*section][]*section{}}
	f.load(name, tree.Position{File: name}, 0)
	if err := f.err(); err != nil {
		return nil, err
	}
	d := migrate.NewDraft(name, o.Options)
	r := &reader{Draft: d, dialect: f.dialect, files: f, here: o.Here, dir: o.Dir}
	if r.dir == "" {
		r.dir = filepath.ToSlash(filepath.Dir(name))
	}
	r.emit = &emitter{Draft: d, seen: map[left]bool{}, names: map[string]bool{}, wanted: map[string]string{}}
	if o.Dialect == Auto {
		d.Note("%s is read as one of %s, by its keywords", name, f.dialect)
	}
	secrets, err := r.secrets(name, o.Secrets)
	if err != nil {
		return nil, err
	}
	if s := f.index["config setup"]; s != nil { // what the file begins with, usually
		if lines := trimmed(s.comment.above); len(lines) > 0 {
			d.Root().Note(append(lines, "")...)
		}
	}
	list, failed := r.conns()
	r.emit.connections(list, failed)
	r.noteSides()
	r.emit.writePools()
	if r.dialect == StrongSwan {
		r.folders()
	}
	r.writeSecrets(secrets, list)
	return d.Result(), nil
}

// conns makes connections of all conns that the source would load.
func (r *reader) conns() (list []*made, failed []left) {
	problem := func(s setting, why string) { failed = append(failed, left{s.at, show(&s), why}) }
	var make func(*conn) (*made, *failure)
	inherit := r.files.inherited
	if r.dialect == Libreswan {
		l := r.libreswan(problem)
		make, inherit = l.conn, r.files.collected
	} else {
		make = r.strongSwan(problem).conn
	}
	var sections []*conn
	var from []*section
	for _, s := range r.files.sections {
		if s.kind == "conn" && s.name != defaultName {
			sections = append(sections, inherit(s, problem))
			from = append(from, s)
		}
	}
	for i, c := range sections {
		if why := notLoaded(r.dialect, c, from[i]); why != "" {
			if why != partOfOthers {
				failed = append(failed, left{c.at, "conn " + shorten(c.name), why})
			}
			continue
		}
		m, f := make(c)
		if f != nil {
			what := "conn " + shorten(c.name)
			if f.what != "" {
				what += " (" + f.what + ")"
			}
			failed = append(failed, left{f.at, what, f.why})
			continue
		}
		list = append(list, m)
	}
	for _, s := range r.files.repeated {
		failed = append(failed, left{s.at, "conn " + shorten(s.name), "there is one of that name already"})
	}
	return list, failed
}

// partOfOthers is said of conns that are there for others to inherit from.
const partOfOthers = "it is a part of others"

// notLoaded says why the source does not load a conn at all; "" if it does.
func notLoaded(d Dialect, c *conn, s *section) string {
	auto := c.values["auto"]
	if auto != nil && auto.value != "ignore" {
		return ""
	}
	if s.used {
		return partOfOthers
	}
	if auto == nil {
		return "it has no auto=, so that " + d.String() + " does not load it"
	}
	return "with auto=ignore " + d.String() + " does not load it"
}

// guess remembers a conn of which nothing tells which side is this host.
func (r *reader) guess(c *conn, s sides) {
	if s.guessed {
		r.undecided = append(r.undecided, c.name)
	}
}

// noteSides says what was taken for this host where nothing tells.
func (r *reader) noteSides() {
	switch n := len(r.undecided); n {
	case 0:
	case 1:
		r.Note("conn %s: both sides have an address, and left is taken for this host; --here ADDRESS says otherwise", r.undecided[0])
	default:
		r.Note("conn %s and %d more: both sides have an address, and left is taken for this host; --here ADDRESS says otherwise", r.undecided[0], n-1)
	}
}

// optional reads a file that may be missing.
func (r *reader) optional(name string) (text string, found bool, err error) {
	text, err = r.Draft.Read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return text, err == nil, err
}
