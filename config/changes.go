package config

import (
	"fmt"
	"reflect"
	"slices"
)

// What a reload does with a key stands beside its field, in a tag, so that it goes where the field goes:
//
//	DPDDelay time.Duration `key:"dpd_delay" reload:"live"`
//
// `key` is the key's name in a file; "-" marks a field that is no key. `reload` is the [Effect], or
//
//	keys    the field is a table, whose keys say it themselves
//	tables  the field is tables with names: the reload compares them one by one
//	rounds  the field is tables in an order: as many, and one by one as keys
//
// `only:"remote"` is a field of [Auth] that [connections.NAME.local] does not have.
//
// A test holds every field of every table to have both.

// Effect says what a reload does when a key has changed.
type Effect uint8

// The effects, from the least to the most.
const (
	// Live: the SAs stay. The new value counts from the next rekeying or timer on.
	Live Effect = iota + 1
	// Reestablish: the SAs of the connection or of the child are deleted and made again.
	Reestablish
	// Restart: the new value waits until the daemon is started again.
	Restart
)

func effects() []enum[Effect] {
	return []enum[Effect]{{"live", Live}, {"reestablish", Reestablish}, {"restart", Restart}}
}

// String is the word of the tag.
func (e Effect) String() string { return nameOf(effects(), e) }

// Change is a key that has another value.
type Change struct {
	// Key is its name in the table: "dpd_delay". A key of a table within the table comes with that table's: "remote.id".
	Key string
	// Effect is what a reload does about it.
	Effect Effect
}

// Changes lists the keys in which two tables differ, in the order of the struct. Tables with names below them (the connections, the
// secrets, the children of a connection) and positions in a file do not count. A table of which no key can change while
// the daemon runs is one change by its own name, such as "tun".
func Changes[T Config | Connection | Child](old, fresh *T) []Change {
	return changes(nil, "", reflect.ValueOf(old).Elem(), reflect.ValueOf(fresh).Elem())
}

func changes(out []Change, prefix string, old, fresh reflect.Value) []Change {
	for i := range old.NumField() {
		key, how := tags(old.Type().Field(i))
		switch effect, ok := valueOf(effects(), how); {
		case how == "keys":
			out = changes(out, prefix+key+".", old.Field(i), fresh.Field(i))
		case how == "rounds":
			out = roundChanges(out, prefix+key, old.Field(i), fresh.Field(i))
		case ok && !same(old.Field(i), fresh.Field(i)):
			out = append(out, Change{prefix + key, effect})
		}
	}
	return out
}

// roundChanges compares tables in their order.
func roundChanges(out []Change, key string, old, fresh reflect.Value) []Change {
	if old.Len() != fresh.Len() {
		return append(out, Change{key + "…", Reestablish})
	}
	for i := range old.Len() {
		out = changes(out, fmt.Sprintf("%s%d.", key, i+2), old.Index(i), fresh.Index(i))
	}
	return out
}

// tags are the key of a field and what a reload does with it; both are empty for a field that is no key.
func tags(f reflect.StructField) (key, reload string) {
	key, reload = f.Tag.Get("key"), f.Tag.Get("reload")
	if _, ok := valueOf(effects(), reload); ok || reload == "keys" || reload == "tables" || reload == "rounds" {
		return key, reload
	}
	if key == "-" && reload == "" || f.Type == reflect.TypeFor[Source]() {
		return "", ""
	}
	panic(fmt.Sprintf("BUG: the field %s of a table does not say what a reload does with it", f.Name))
}

// same compares two values; in a table the position does not count.
func same(a, b reflect.Value) bool {
	if a.Kind() != reflect.Struct {
		return reflect.DeepEqual(a.Interface(), b.Interface())
	}
	if _, table := a.Type().FieldByName("Source"); !table {
		return reflect.DeepEqual(a.Interface(), b.Interface())
	}
	for i := range a.NumField() {
		if f := a.Type().Field(i); f.IsExported() && f.Type != reflect.TypeFor[Source]() && !same(a.Field(i), b.Field(i)) {
			return false
		}
	}
	return true
}

// UntilRestart is c as a daemon that was started with old can have it: with the values of old where a change waits for a restart, and
// with connections that go on calling from the ports that there are.
func (c *Config) UntilRestart(old *Config) *Config {
	out := *c
	keep(reflect.ValueOf(&out).Elem(), reflect.ValueOf(old).Elem())
	if out.IKE.Port == c.IKE.Port && out.IKE.PortNATT == c.IKE.PortNATT {
		return &out // all of them call from there already
	}
	moved := func(n *Connection) *Connection {
		port := out.IKE.Port
		if n.LocalPort == c.IKE.PortNATT {
			port = out.IKE.PortNATT
		}
		if port == n.LocalPort {
			return n
		}
		m := *n
		m.LocalPort = port
		return &m
	}
	out.Connections = slices.Clone(c.Connections)
	for i, n := range c.Connections {
		out.Connections[i] = moved(n)
	}
	out.parts = renewed(c.parts, func(p *part) *part {
		m := *p
		m.conn = moved(p.conn)
		return &m
	})
	return &out
}

func keep(to, from reflect.Value) {
	for i := range to.NumField() {
		switch _, how := tags(to.Type().Field(i)); how {
		case "keys":
			keep(to.Field(i), from.Field(i))
		case Restart.String():
			to.Field(i).Set(from.Field(i))
		}
	}
}

// With picks the keys of changes that have an effect.
func With(list []Change, effect Effect) []string {
	var keys []string
	for _, c := range list {
		if c.Effect == effect {
			keys = append(keys, c.Key)
		}
	}
	return keys
}
