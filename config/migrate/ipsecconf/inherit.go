package ipsecconf

import (
	"maps"
	"slices"

	"esplanade/config/tree"
)

// defaultName is the section that all others of its kind inherit from.
const defaultName = "%default"

// conn is a section with what it inherits.
type conn struct {
	name    string
	at      tree.Position
	comment comment
	values  map[string]*setting // by the canonical key
	order   []string
	taken   map[string]bool // the keys that something was made of
}

// get is a setting, nil if there is none; it counts as taken.
func (c *conn) get(key string) *setting {
	c.taken[key] = true
	return c.values[key]
}

// text is the value of a setting, "" if there is none.
func (c *conn) text(key string) string {
	if s := c.get(key); s != nil {
		return s.value
	}
	return ""
}

// where is the place of a setting, that of the section if there is none.
func (c *conn) where(key string) tree.Position {
	if s := c.values[key]; s != nil {
		return s.at
	}
	return c.at
}

// set adds a setting, unless the conn has the key. A setting without a value takes the key away from what comes after it.
func (c *conn) set(key string, s setting) {
	if _, ok := c.values[key]; ok {
		return
	}
	if s.value == "" {
		c.values[key] = nil
		return
	}
	c.values[key] = &s
	c.order = append(c.order, key)
}

func newConn(s *section) *conn {
	return &conn{name: s.name, at: s.at, comment: s.comment, values: map[string]*setting{}, taken: map[string]bool{}}
}

// assign adds a section's settings as strongSwan does: in the order of their names, each but the last of a name overwritten, and of names that stand
// for the same thing the last one counts, whichever section has it. seen are the names that the sections before had.
func (c *conn) assign(s *section, seen map[string]bool) {
	byName := map[string]setting{}
	for _, x := range s.settings {
		byName[x.key] = x
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		x := byName[name]
		if seen[name] {
			continue
		}
		seen[name] = true
		if x.value == "" {
			continue
		}
		key := strongSwanKey(name)
		if c.values[key] == nil {
			c.order = append(c.order, key)
		}
		c.values[key] = &x
	}
}

// inherited is strongSwan's way: a section's own settings, those of its also= from the last to the first, each with its own, and %default's.
// Of what comes in by several ways only the last place counts. problem notes an also= that leads nowhere or in a circle.
func (f *files) inherited(s *section, problem func(setting, string)) *conn {
	c := newConn(s)
	seen := map[string]bool{}
	for _, p := range f.line(s, nil, problem) {
		c.assign(p, seen)
	}
	if d := f.index[s.kind+" "+defaultName]; d != nil {
		c.assign(d, seen)
	}
	return c
}

// line is a section and those that it inherits from, the most important first. around are the sections that are being looked at.
func (f *files) line(s *section, around []*section, problem func(setting, string)) []*section {
	if known, ok := f.lines[s]; ok {
		return known
	}
	out := []*section{s}
	around = append(around, s)
	for _, a := range slices.Backward(s.also) {
		if a.value == "" || a.value == defaultName {
			continue
		}
		parent := f.index[s.kind+" "+a.value]
		switch {
		case parent == nil:
			problem(a, "there is no such section")
			continue
		case slices.Contains(around, parent):
			problem(a, "that leads back to where it began")
			continue
		}
		parent.used = true
		for _, p := range f.line(parent, around, problem) {
			if i := slices.Index(out, p); i >= 0 {
				out = slices.Delete(out, i, i+1)
			}
			out = append(out, p)
		}
	}
	f.lines[s] = out
	return out
}

// collected is libreswan's way: a section's own settings and those of its also=, of which none may contradict another, then %default's.
// problem notes what does, and an also= that leads nowhere.
func (f *files) collected(s *section, problem func(setting, string)) *conn {
	c := newConn(s)
	var been []*section
	var add func(*section)
	add = func(s *section) {
		if slices.Contains(been, s) || len(been) > maxAlso {
			return
		}
		been = append(been, s)
		for _, x := range s.settings {
			key := libreswanKey(x.key)
			if old, ok := c.values[key]; ok && old != nil && !appended(key) {
				if old.value != x.value {
					problem(x, "the section has another value already, "+old.at.FileLine()+", which is taken; libreswan 5 does not load it at all")
				}
				continue
			}
			if old := c.values[key]; old != nil { // a list that goes on
				both := *old
				both.value += " " + x.value
				c.values[key] = &both
				continue
			}
			c.set(key, x)
		}
		for _, a := range s.also {
			parent := f.index[s.kind+" "+a.value]
			if parent == nil {
				problem(a, "there is no such section")
				continue
			}
			parent.used = true
			add(parent)
		}
	}
	add(s)
	if d := f.index[s.kind+" "+defaultName]; d != nil {
		for _, x := range slices.Backward(d.settings) {
			c.set(libreswanKey(x.key), x)
		}
	}
	return c
}

// appended reports whether several values of a keyword of libreswan's are one list.
func appended(key string) bool {
	switch key {
	case "leftsubnets", "rightsubnets", "connalias", "modecfgdns":
		return true
	}
	return false
}
