package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Setting is a key with the value that it has, written or not.
type Setting struct {
	// Table is the table's name: "connections.office", "" for keys of none.
	Table string
	// Key and Value are as they would be written. A secret is never shown.
	Key, Value string
	// From says where the value comes from: "gw.toml:14"; "gw.toml:4 (preset)" for what another key brings; "inferred"; "default".
	From string
}

// Settings are all keys of all tables that there are, in the order of the documentation: what is written, what follows from it, and the
// defaults.
func (c *Config) Settings() []Setting {
	x := &explainer{}
	x.table(reflect.ValueOf(c).Elem(), Source{})
	return x.out
}

type explainer struct {
	out []Setting
	// brings are the keys of a connection that bring others, by the lines that they are in.
	brings map[string]string
}

// table lists the keys of a table, and then those of the tables below it.
func (x *explainer) table(v reflect.Value, s Source) {
	if n, ok := v.Addr().Interface().(*Connection); ok {
		x.brings = map[string]string{}
		for _, key := range []string{"preset", "pools"} {
			if n.Has(key) {
				x.brings[n.At(key).FileLine()] = key
			}
		}
	}
	var below []reflect.Value
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, how := f.Tag.Get("key"), f.Tag.Get("reload") // a table that only a restart changes has no effects of its keys
		switch {
		case key == "" || key == "-" || !f.IsExported():
		case how == "tables" && f.Type.Kind() == reflect.Struct:
			below = append(below, v.Field(i)) // [secrets], which has only kinds
		case how == "tables" || how == "rounds":
			for j := range v.Field(i).Len() {
				below = append(below, reflect.Indirect(v.Field(i).Index(j)))
			}
		case isTable(f.Type):
			below = append(below, v.Field(i))
		case f.Tag.Get("only") != "" && !strings.Contains(s.name, "."+f.Tag.Get("only")):
		default:
			x.out = append(x.out, Setting{Table: s.name, Key: key, Value: written(v.Field(i)), From: x.from(s, f, v.Field(i))})
		}
	}
	for _, b := range below {
		source := Source{}
		if isTable(b.Type()) {
			source = b.FieldByName("Source").Interface().(Source)
		}
		if h, ok := b.Addr().Interface().(*Child); ok && source.name == "connections."+h.Connection {
			source.name += ".children." + h.Name // it stands in the table of the connection, and has other times
		}
		x.table(b, source)
	}
}

// isTable reports whether a field is a table.
func isTable(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	f, ok := t.FieldByName("Source")
	return ok && f.Type == reflect.TypeFor[Source]()
}

// from says where the value of a key comes from.
func (x *explainer) from(s Source, f reflect.StructField, v reflect.Value) string {
	key, def := f.Tag.Get("key"), f.Tag.Get("default")
	switch at := s.At(key); {
	case s.below[key] && x.brings[at.FileLine()] != "":
		return at.FileLine() + " (" + x.brings[at.FileLine()] + ")"
	case s.Has(key):
		return at.FileLine()
	case (key == "auth" || key == "id") && !v.IsZero(), def != "" && v.Kind() == reflect.String && v.String() != def:
		return "inferred"
	}
	return "default"
}

// written is a value as it would be written.
func written(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Secret:
		if x.Len() == 0 {
			return "none"
		}
		return redacted
	case time.Duration:
		return quote(short(x))
	case fmt.Stringer:
		if s := x.String(); !v.IsZero() || s != "invalid IP" && s != "invalid Prefix" && s != "" {
			return quote(s)
		}
		return "none"
	}
	switch v.Kind() {
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, written(v.Index(i)))
		}
		if len(parts) == 0 {
			return "none"
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.String:
		if v.Len() == 0 {
			return "none"
		}
		return quote(v.String())
	default:
		return fmt.Sprint(v.Interface())
	}
}
