package ipsecconf

import (
	"fmt"
	"slices"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// emitter writes what was made of all conns into the draft.
type emitter struct {
	*migrate.Draft
	seen  map[left]bool // what was noted: a setting of %default is not carried over once
	pools []namedTable
	names map[string]bool // of connections
	// wanted are the children that come up without a command, by their selectors: of two with the same ones only one can.
	wanted map[string]string
}

// leave notes in a table that something is not carried over, unless that was said before.
func (e *emitter) leave(t *tree.Table, list ...left) {
	for _, l := range list {
		if !e.seen[l] {
			e.seen[l] = true
			e.Leave(t, l.at, l.what, l.why)
		}
	}
}

// connections writes connections. Conns whose IKE part is the same are children of one, as they are in the source.
func (e *emitter) connections(list []*made, failed []left) {
	if len(list) == 0 && len(failed) == 0 {
		return
	}
	into := e.Root().AddSection("connections")
	groups := map[string][]*made{}
	var order []string
	for _, m := range list {
		id := m.fingerprint()
		if len(groups[id]) == 0 {
			order = append(order, id)
		}
		groups[id] = append(groups[id], m)
	}
	for _, id := range order {
		e.connection(into, groups[id])
	}
	e.leave(into, failed...)
}

// fingerprint is the same for conns with the same IKE part, and only for them.
func (m *made) fingerprint() string {
	var b strings.Builder
	print := func(t *tree.Table) {
		for entry := range t.All() {
			fmt.Fprintf(&b, "%s=%#v;", entry.Name, plain(entry.Value.Data))
		}
	}
	print(m.ike)
	for _, s := range m.sides {
		b.WriteString(s.name + ":")
		print(s.Table)
	}
	for _, p := range m.pools {
		b.WriteString("pool:")
		print(p.Table)
	}
	return b.String()
}

// plain is a value without places.
func plain(data any) any {
	list, ok := data.(tree.List)
	if !ok {
		return data
	}
	var out []any
	for _, v := range list {
		out = append(out, v.Data)
	}
	return out
}

// connection writes one with the children of all conns of a group.
func (e *emitter) connection(into *tree.Table, group []*made) {
	first := group[0]
	into.Note(trimmed(first.conn.comment.above)...)
	t := first.ike
	if len(first.pools) > 0 {
		var names []string
		for _, p := range first.pools {
			names = append(names, e.pool(p))
		}
		first.put(t, "pools", first.poolKey, tree.Strings(names))
	}
	t.Note(first.unplaced()...)
	e.leave(t, first.ikeLeft...)
	for _, m := range group[1:] {
		e.leave(t, m.ikeLeft...)
	}
	for _, m := range group {
		if m.nothingToProtect {
			e.leave(t, m.childLeft...)
		}
	}
	t.Settle()
	for _, s := range first.sides {
		t.Add(s.name, s.at, s.Table)
	}
	name := e.name(first.conn.name)
	into.Add(name, first.conn.at, t)
	if first.conn.comment.beside != "" {
		into.Beside(name, first.conn.comment.beside)
	}
	children := tree.New(first.conn.at.File)
	for i, m := range group {
		if i > 0 {
			children.Note(trimmed(m.conn.comment.above)...)
		}
		for j, c := range m.children {
			if j == 0 {
				c.Note(m.unplaced()...)
				e.leave(c.Table, m.childLeft...)
				c.Settle()
			}
			e.standBy(m, c)
			children.Add(unique(children, migrate.TableName(c.name)), m.conn.at, c.Table)
		}
	}
	if children.Len() > 0 {
		t.Add("children", first.conn.at, children)
	}
}

// standBy leaves a child down that has the selectors of another one, as those of two ways to one network have: strongSwan and libreswan bring both
// up, and the kernel uses one.
func (e *emitter) standBy(m *made, c namedTable) {
	here, _ := c.Get("local_ts")
	there, ok := c.Get("remote_ts")
	start, _ := c.Get("start_action")
	id := fmt.Sprintf("%#v %#v", plain(here.Value.Data), plain(there.Value.Data))
	if !ok || start.Value.Data == "none" || strings.Contains(id, "dynamic") {
		return
	}
	other, taken := e.wanted[id]
	if !taken {
		e.wanted[id] = c.name
		return
	}
	if s := m.conn.values["auto"]; s != nil {
		c.Add("start_action", s.at, "none")
		e.leave(c.Table, left{s.at, show(s), "conn " + shorten(other) + " has the same networks, and one of the two can have them: this one is down until a command or the peer brings it up"})
	}
}

// name is the name of a connection. Those of conns have no characters that ours can't have, but for a few.
func (e *emitter) name(conn string) string {
	name := migrate.TableName(conn)
	for i := 2; e.names[name]; i++ {
		name = fmt.Sprintf("%s-%d", migrate.TableName(conn), i)
	}
	e.names[name] = true
	if name != conn {
		e.Note("conn %q is called %q here, since names can't have all characters", conn, name)
	}
	return name
}

// unique is a name that a table does not have yet.
func unique(t *tree.Table, name string) string {
	try := name
	for i := 2; ; i++ {
		if _, taken := t.Get(try); !taken {
			return try
		}
		try = fmt.Sprintf("%s-%d", name, i)
	}
}

// pool gives a pool its name: that of one that is just the same, if there is one.
func (e *emitter) pool(p namedTable) string {
	for _, o := range e.pools {
		if o.Table.Equal(p.Table) {
			return o.name
		}
	}
	base := migrate.TableName(p.name)
	name := base
	for i := 2; slices.ContainsFunc(e.pools, func(o namedTable) bool { return o.name == name }); i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	e.pools = append(e.pools, namedTable{name, p.at, p.Table})
	return name
}

// writePools writes the pools.
func (e *emitter) writePools() {
	if len(e.pools) == 0 {
		return
	}
	into := e.Root().AddSection("pools")
	for _, p := range e.pools {
		into.Add(p.name, p.at, p.Table)
	}
}
