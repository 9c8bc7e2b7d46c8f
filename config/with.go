package config

import (
	"slices"

	"esplanade/config/tree"
)

// With is the configuration of the file that c is made of, together with what was loaded apart from it. c is the configuration of a file, or
// itself a result of With, whose loaded things do not count any more. What both have stays that of the file, and is an error, which says
// where both are. What holds for a Config holds for the result; c is not changed.
func (c *Config) With(l *Loaded) (*Config, Errors) {
	file := c
	if c.file != nil {
		file = c.file
	}
	if l.Empty() {
		return file, nil
	}
	l = l.value()
	r := newReader(OriginVICI)
	out := *file
	out.file, out.loaded = file, l
	out.Connections, out.Pools, out.Authorities = slices.Clone(file.Connections), slices.Clone(file.Pools), slices.Clone(file.Authorities)
	for _, s := range l.connections.order {
		if o := file.Connection(s.Name); o != nil {
			r.clash("connection", s, o.Source)
			continue
		}
		out.Connections = append(out.Connections, readConnection(r.section("connections", s), &out))
	}
	out.check(r)
	out.Warnings = sortProblems(r.warns)
	return &out, sortProblems(r.errs)
}

// clash reports what both the file and the loaded have.
func (r *reader) clash(what string, s *Section, of Source) {
	r.errorf(s.At, "choose another name, or take it out of that file", "the configuration file has the %s %s already%s", what, quote(s.Name), inLine(of.Position()))
}

// section opens a section as if it stood below a table of the document.
func (r *reader) section(above string, s *Section) *table {
	path := []string{above, s.Name}
	return &table{reader: r, path: path, pattern: above + ".NAME", vals: s.Table,
		src: Source{name: tree.KeyName(path...), table: s.At, keys: map[string]Position{}}}
}

// Loaded is what c has in addition to its file; nil for nothing.
func (c *Config) Loaded() *Loaded { return c.loaded }
