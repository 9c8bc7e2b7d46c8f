package config

import (
	"slices"

	"esplanade/config/tree"
	"esplanade/ike/wire"
)

// With is the configuration of the file that c is made of, together with what was loaded apart from it. c is the configuration of a file, or
// itself a result of With, whose loaded things do not count any more. What both have stays that of the file, and is an error, which says
// where both are. What holds for a Config holds for the result, but that a loaded connection may lack what is loaded later: its key, its
// certificate, its pool. c is not changed.
//
// A result of With is the cheapest to begin with: what it has in common with l is not looked at again, so that one connection more costs what
// that connection does, and a copy of some lists of pointers. The warnings of the result are those of what is new in l.
func (c *Config) With(l *Loaded) (*Config, Errors) {
	file := c
	if c.file != nil {
		file = c.file
	}
	if l.Empty() {
		return file, nil
	}
	m := &merge{reader: newReader(OriginVICI), file: file, old: c, out: new(Config)}
	m.swanctl = true
	if c.file != nil {
		m.defaults = c.defaults
	}
	*m.out = *file
	m.out.file, m.out.loaded = file, l
	m.pools()
	m.secrets()
	m.credentials()
	m.connections()
	m.users()
	m.sets()
	m.defaultProposals(wire.ProtocolIKE)
	m.defaultProposals(wire.ProtocolESP)
	m.out.defaults = m.defaults
	m.out.Warnings = sortProblems(m.warns)
	return m.out, sortProblems(m.errs)
}

// Loaded is what c has in addition to its file; nil for nothing.
func (c *Config) Loaded() *Loaded { return c.loaded }

// OfFile is the configuration of the file that c is made of: itself, if it has nothing in addition.
func (c *Config) OfFile() *Config {
	if c.file != nil {
		return c.file
	}
	return c
}

// Differences are the names of the connections that are not the same in c as in another configuration, sorted. all says that nothing is:
// the files are others.
func (c *Config) Differences(o *Config) (names []string, all bool) {
	if c.OfFile() != o.OfFile() {
		return nil, true
	}
	fresh, gone := c.parts.since(o.parts)
	for _, p := range fresh {
		if o, ok := o.parts.find(p.id()); !ok || o.conn != p.conn { // else only what it is proved with is another
			names = append(names, p.id())
		}
	}
	for _, p := range gone {
		if o, ok := c.parts.find(p.id()); ok && o.conn == p.conn {
			continue
		}
		names = append(names, p.id())
	}
	slices.Sort(names)
	return slices.Compact(names), false
}

// merge makes one configuration of a file and of what was loaded.
type merge struct {
	*reader
	file, old, out *Config
	// again: what the loaded connections came to before counts no more, since keys, certificates or authorities have changed.
	again bool
	// fresh are the connections that are new, or another than before.
	fresh []*part
}

// was is what had been loaded before.
func (m *merge) was() *Loaded { return m.old.loaded.value() }

// now is what is loaded.
func (m *merge) now() *Loaded { return m.out.loaded }

// clash reports what both the file and the loaded have.
func (m *merge) clash(what string, s *Section, of Source) {
	m.errorf(s.At, "choose another name, or take it out of that file", "the configuration file has the %s %s already%s", what, quote(s.Name), inLine(of.Position()))
}

// section opens a section as if it stood below a table of the document.
func (m *merge) section(above string, s *Section, vals *tree.Table) *table {
	path := []string{above, s.Name}
	return &table{reader: m.reader, path: path, pattern: above + ".NAME", vals: vals,
		src: Source{name: tree.KeyName(path...), table: s.At, keys: map[string]Position{}}}
}

// sameList reports whether two rolls are one and the same.
func sameList[T entry[T]](a, b roll[T]) bool {
	return len(a.order) == len(b.order) && (len(a.order) == 0 || &a.order[0] == &b.order[0])
}
