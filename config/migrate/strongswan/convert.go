package strongswan

import (
	"strconv"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
	"esplanade/ike/wire"
)

// converter makes our tables of sections.
type converter struct {
	*migrate.Draft
	// dir is the folder of swanctl, "" for a file alone.
	dir string
	// named are the certificates and public keys that connections name: see [converter.file].
	named map[string]bool
	// templates are the sections at the top that others inherit from.
	templates map[string]bool
}

// failure is why a child or a connection is left out as a whole.
type failure struct {
	at        tree.Position
	what, why string
}

// document converts all there is below the top of swanctl.conf.
func (c *converter) document(root *tree.Table) {
	for e := range root.All() {
		e.Comment.Above = withoutTemplate(e.Comment.Above)
		t, ok := e.Value.Data.(*tree.Table)
		if !ok {
			c.Leave(c.Root(), e.At, show(e), "there is no key outside of sections")
			continue
		}
		switch e.Name {
		case "connections":
			c.sections(e, t, "connections", c.connection)
		case "pools":
			c.sections(e, t, "pools", c.pool)
		case "authorities":
			c.sections(e, t, "authorities", c.authority)
		case "secrets":
			c.secrets(e, t)
		default:
			if c.templates[e.Name] {
				continue // what it says is where it is inherited
			}
			c.Leave(c.Root(), e.At, e.Name+" { … }", "swanctl.conf has no such section, and neither has this gateway")
		}
	}
	c.Root().Note(withoutTemplate(root.Foot())...)
}

// sections converts the sections below one, each to the table of its name.
func (c *converter) sections(e tree.Entry, from *tree.Table, above string, one func(into, from *tree.Table) *failure) {
	root := c.Root()
	root.Note(e.Comment.Above...)
	if from.Len() == 0 {
		root.Note(from.Foot()...)
		return
	}
	into := root.AddSection(above)
	if e.Comment.Beside != "" {
		into.Note(e.Comment.Beside)
	}
	for s := range from.All() {
		sub, ok := s.Value.Data.(*tree.Table)
		if !ok {
			c.Leave(into, s.At, show(s), "there is no such key in "+above)
			continue
		}
		c.section(into, s, c.name(into, s, above), sub, one)
	}
	into.Note(from.Foot()...)
}

// section converts a section to a table, or leaves it out.
func (c *converter) section(into *tree.Table, e tree.Entry, name string, from *tree.Table, one func(into, from *tree.Table) *failure) bool {
	into.Note(e.Comment.Above...)
	mark := c.Mark()
	t := tree.New(e.At.File)
	if f := one(t, from); f != nil {
		c.Undo(mark)
		what := e.Name + " { … }"
		if f.what != "" {
			what = e.Name + " { … " + f.what + " … }"
		}
		c.Leave(into, f.at, what, f.why)
		into.Note("")
		return false
	}
	t.Note(from.Foot()...)
	t.Settle()
	into.Add(name, e.At, t)
	if e.Comment.Beside != "" {
		into.Beside(name, e.Comment.Beside)
	}
	return true
}

// name is the name of a section here, where a few characters can't be part of it.
func (c *converter) name(into *tree.Table, e tree.Entry, above string) string {
	name := migrate.TableName(e.Name)
	for i := 2; ; i++ {
		if _, taken := into.Get(name); !taken {
			break
		}
		name = migrate.TableName(e.Name) + "-" + strconv.Itoa(i)
	}
	if name != e.Name {
		c.Note("%s.%q is called %q here, since names can't have all characters", above, e.Name, name)
	}
	return name
}

// special converts keys that are not converted like others; handled says that it was one.
type special func(e tree.Entry) (handled bool, f *failure)

// keys converts the keys of a section. Those that other handles are not looked at.
func (c *converter) keys(into, from *tree.Table, pattern string, keys []key, other special) *failure {
	for e := range from.All() {
		if other != nil {
			if handled, f := other(e); f != nil {
				return f
			} else if handled {
				continue
			}
		}
		text, ok := value(e)
		if !ok {
			c.Leave(into, e.At, e.Name+" { … }", "there is no such section here")
			continue
		}
		k, known := find(keys, e.Name)
		switch {
		case !known:
			c.Leave(into, e.At, show(e), "swanctl.conf has no such key in this section")
		case text == "" || k.harmless(text):
			into.Note(e.Comment.Above...)
		case k.read == nil:
			into.Note(e.Comment.Above...)
			c.Leave(into, e.At, show(e), k.why)
		default:
			into.Note(e.Comment.Above...)
			v, err := k.read(text)
			if err != nil && k.needed {
				return &failure{e.At, show(e), err.Error()}
			}
			if err != nil {
				c.Leave(into, e.At, show(e), err.Error())
				continue
			}
			c.set(into, e, v)
		}
	}
	for _, k := range keys {
		if _, ok := into.Get(k.name); ok {
			continue
		}
		if v := k.absent(pattern); v != nil {
			into.Add(k.name, tree.Position{}, v)
		}
	}
	return nil
}

// set adds a key with the comment that was beside it.
func (c *converter) set(into *tree.Table, e tree.Entry, data any) {
	into.Add(e.Name, e.At, data)
	if e.Comment.Beside != "" {
		into.Beside(e.Name, e.Comment.Beside)
	}
}

// value is the text of a key.
func value(e tree.Entry) (string, bool) {
	switch x := e.Value.Data.(type) {
	case tree.Text:
		return string(x), true
	case string:
		return x, true
	}
	return "", false
}

// maxShown is how much of a value a message shows, in bytes.
const maxShown = 80

// show is a key as it is written.
func show(e tree.Entry) string {
	text, ok := value(e)
	if !ok {
		return e.Name + " { … }"
	}
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	if !printable(text) {
		text = strconv.Quote(text)
	}
	return e.Name + " = " + text
}

// connection converts a section of connections.
func (c *converter) connection(into, from *tree.Table) *failure {
	if v, ok := from.Get("version"); ok {
		if text, _ := value(v); text != "" && text != "0" && text != "2" {
			return &failure{v.At, show(v), "there is only IKEv2 here"}
		}
	}
	other := func(e tree.Entry) (bool, *failure) {
		switch _, is := e.Value.Data.(*tree.Table); {
		case is:
			return true, nil
		case e.Name == "version":
			into.Note(e.Comment.Above...)
			return true, nil
		case e.Name == "proposals":
			return true, c.proposals(into, e, wire.ProtocolIKE)
		}
		return false, nil
	}
	if f := c.keys(into, from, "connections.NAME", connectionKeys(), other); f != nil {
		return f
	}
	if written(from, "pools") {
		// With pools a connection is one for clients here, which has other defaults.
		missing(into, from, "send_cert", "ifasked")
		missing(into, from, "rekey_time", "4h", "reauth_time")
	}
	into.Settle()
	return c.belowConnection(into, from)
}

// belowConnection converts the sections of a connection.
func (c *converter) belowConnection(into, from *tree.Table) *failure {
	// Without a section strongSwan takes certificates.
	for _, side := range []string{"local", "remote"} {
		if !has(from, side) {
			into.AddSection(side).Add("auth", tree.Position{}, "pubkey")
		}
	}
	for e := range from.All() {
		t, ok := e.Value.Data.(*tree.Table)
		side := sideOf(e.Name)
		switch {
		case !ok:
		case side != "":
			a := tree.New(e.At.File)
			into.Note(e.Comment.Above...)
			if f := c.side(a, t, side); f != nil {
				f.what = e.Name + " { " + f.what + " }"
				return f
			}
			a.Note(t.Foot()...)
			a.Settle()
			c.set(into, e, a)
		case e.Name == "children":
			if f := c.children(into, e, t, from); f != nil {
				return f
			}
		default:
			c.Leave(into, e.At, e.Name+" { … }", "swanctl.conf has no such section in a connection")
		}
	}
	return nil
}

// has reports whether a connection has a section of a side.
func has(connection *tree.Table, side string) bool {
	for e := range connection.All() {
		if _, is := e.Value.Data.(*tree.Table); is && sideOf(e.Name) == side {
			return true
		}
	}
	return false
}

// sideOf is the side that a section such as local-2 is for; "" for none.
func sideOf(name string) string {
	for _, side := range []string{"local", "remote"} {
		if strings.HasPrefix(name, side) {
			return side
		}
	}
	return ""
}

// pool converts a section of pools.
func (c *converter) pool(into, from *tree.Table) *failure {
	return c.keys(into, from, "pools.NAME", poolKeys(), func(e tree.Entry) (bool, *failure) {
		if strings.Trim(e.Name, "0123456789") != "" {
			return false, nil
		}
		into.Note(e.Comment.Above...)
		c.Leave(into, e.At, show(e), "clients are given no attributes by number")
		return true, nil
	})
}

// fragmentation reads swanctl's four words, as [config.FromSwanctl] does.
func fragmentation(text string) (any, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "accept", "force": // the peer is told that fragments are taken in any case
		return true, nil
	}
	return yes(text)
}
