package strongswan

import (
	"fmt"
	"slices"
	"strings"

	"esplanade/config/tree"
	"esplanade/ike/wire"
)

// children converts the section children. A connection that has lost all of its children would be of no use.
func (c *converter) children(into *tree.Table, e tree.Entry, from, connection *tree.Table) *failure {
	called, clients := written(connection, "remote_addrs"), written(connection, "pools")
	t := tree.New(e.At.File)
	into.Note(e.Comment.Above...)
	var last *failure
	kept := 0
	for s := range from.All() {
		sub, ok := s.Value.Data.(*tree.Table)
		if !ok {
			c.Leave(t, s.At, show(s), "there is no such key in children")
			continue
		}
		one := func(into, from *tree.Table) *failure {
			f := c.child(into, from, connection, called && !clients)
			if clients {
				missing(into, from, "local_ts", "dynamic")
				missing(into, from, "rekey_time", "1h", "life_time")
			}
			if f != nil {
				last = &failure{f.at, strings.TrimSpace(s.Name + " { " + f.what + " }"), f.why}
			}
			return f
		}
		if c.section(t, s, c.name(t, s, "children"), sub, one) {
			kept++
		}
	}
	t.Note(from.Foot()...)
	if kept == 0 && last != nil {
		return last
	}
	if kept > 0 || len(t.Foot()) > 0 {
		c.set(into, e, t)
	}
	return nil
}

// child converts a section of children. calls says that the connection has somebody to call, so that we would bring the tunnel up by ourselves.
func (c *converter) child(into, from, connection *tree.Table, calls bool) *failure {
	if e, ok := from.Get("mode"); ok {
		if text, _ := value(e); text != "" && !strings.EqualFold(text, "tunnel") {
			return &failure{e.At, show(e), otherMode(text)}
		}
	}
	if e, ok := from.Get("ah_proposals"); ok {
		return &failure{e.At, show(e), "there is no AH here"}
	}
	if f := routed(from, connection); f != nil {
		return f
	}
	if f := narrowed(from); f != nil {
		return f
	}
	if _, ok := from.Get("updown"); ok {
		c.Note("a script in updown is run as the user of hooks.user, for hooks.timeout at most; see docs/hooks.md for the variables that it has")
	}
	pattern := "connections.NAME.children.NAME"
	if !calls {
		pattern = "" // it is down by itself
	}
	return c.keys(into, from, pattern, childKeys(), func(e tree.Entry) (bool, *failure) {
		switch e.Name {
		case "mode":
			into.Note(e.Comment.Above...)
			return true, nil
		case "esp_proposals":
			return true, c.proposals(into, e, wire.ProtocolESP)
		case "dpd_action", "close_action":
			skip := atLeast(from, e)
			if skip {
				into.Note(e.Comment.Above...)
			}
			return skip, nil
		}
		return false, nil
	})
}

// written reports whether a section has a key with a value.
func written(section *tree.Table, name string) bool {
	e, _ := section.Get(name)
	text, _ := value(e)
	return text != ""
}

// missing adds a key that is not written in a section, unless one of the others is.
func missing(into, section *tree.Table, name, value string, others ...string) {
	if !slices.ContainsFunc(append(others, name), func(k string) bool { return written(section, k) }) {
		into.Add(name, tree.Position{}, value)
	}
}

// atLeast reports whether start_action of a child brings about already what another action asks for: then that has no effect here.
func atLeast(child *tree.Table, action tree.Entry) bool {
	rank := func(e tree.Entry) int {
		text, _ := value(e)
		k, _ := find(childKeys(), e.Name)
		word, err := k.read(text)
		if err != nil {
			return -1
		}
		return slices.Index([]string{"none", "trap", "start"}, word.(string))
	}
	n := rank(action)
	if start, ok := child.Get("start_action"); ok && n >= 0 {
		return n <= rank(start)
	}
	return n == 0
}

// proposals converts a list of proposals. What is not there here is left out, as long as something is left.
func (c *converter) proposals(into *tree.Table, e tree.Entry, protocol wire.ProtocolID) *failure {
	text, ok := value(e)
	if !ok || text == "" {
		return nil
	}
	into.Note(e.Comment.Above...)
	good, bad := proposalsOf(protocol, text)
	if len(good) == 0 {
		why := "there is no proposal in it"
		if len(bad) > 0 {
			why = strings.Join(bad, "; ")
		}
		return &failure{e.At, e.Name, why}
	}
	for _, b := range bad {
		what, why, _ := strings.Cut(b, ": ")
		c.Leave(into, e.At, fmt.Sprintf("%s of %s", what, e.Name), why)
	}
	c.set(into, e, tree.Strings(good))
	return nil
}
