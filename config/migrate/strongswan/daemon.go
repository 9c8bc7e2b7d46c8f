package strongswan

import (
	"errors"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"esplanade/config"
	"esplanade/config/migrate"
	"esplanade/config/swanctl"
	"esplanade/config/tree"
)

// daemon adds what strongswan.conf says of the daemon: [control], [ike], [log], [radius]. path is its name; "" is the one that strongSwan would
// read, and there need not be one then.
func (c *converter) daemon(path string) error {
	d, err := swanctl.ReadDaemon(path)
	if err != nil {
		return err
	}
	for _, w := range d.Warnings {
		why := w.What
		if w.Want != "" {
			why += "; " + w.Want
		}
		c.Leave(c.Root(), w.Position, filepath.Base(d.File), why)
	}
	for e := range d.Settings.All() {
		if t, ok := e.Value.Data.(*tree.Table); ok {
			if t.Len() == 0 {
				continue
			}
			e.Value.Data = c.typed(reflect.TypeFor[config.Config](), e.Name, t)
		}
		c.Root().Note(e.Comment.Above...)
		c.Root().Add(e.Name, e.At, e.Value.Data)
	}
	return nil
}

// typed gives the values of a table, which are texts, the types that they have in a file in TOML. of is the struct that has the table under a name.
func (c *converter) typed(of reflect.Type, name string, t *tree.Table) *tree.Table {
	field, ok := fieldOf(of, name)
	if ok && field.Kind() == reflect.Slice && field.Elem().Kind() == reflect.Pointer { // tables with names of their own
		out := tree.New("")
		for e := range t.All() {
			if sub, is := e.Value.Data.(*tree.Table); is {
				out.Add(e.Name, e.At, c.fill(field.Elem().Elem(), e.Name, sub))
			}
		}
		return out
	}
	if !ok || field.Kind() != reflect.Struct {
		return t
	}
	return c.fill(field, name, t)
}

// fill is typed for a table of a struct.
func (c *converter) fill(of reflect.Type, name string, t *tree.Table) *tree.Table {
	out := tree.New("")
	for e := range t.All() {
		text, isText := value(e)
		sub, isTable := e.Value.Data.(*tree.Table)
		field, known := fieldOf(of, e.Name)
		switch {
		case isTable:
			out.Add(e.Name, e.At, c.typed(of, e.Name, sub))
		case isText && e.Name == "secret":
			c.Secret(out, e, migrate.SecretText([]byte(text)), name, ".secret")
		case isText && known:
			out.Add(e.Name, e.At, typedValue(field, text))
		default:
			out.Add(e.Name, e.At, e.Value.Data)
		}
	}
	return out
}

// typedValue is a text as a field of that type has it in TOML; what is none of that type stays a text, for the check to say so.
func typedValue(of reflect.Type, text string) any {
	switch {
	case of == reflect.TypeFor[time.Duration]():
		return text
	case of.Kind() == reflect.Bool:
		if v, err := yes(text); err == nil {
			return v
		}
	case of.Kind() == reflect.Float64:
		if v, err := number(text); err == nil {
			return v
		}
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return v
		}
	case of.Kind() >= reflect.Int && of.Kind() <= reflect.Uint64 && !of.Implements(reflect.TypeFor[interface{ Words() []string }]()):
		if v, err := number(text); err == nil {
			return v
		}
		if v, err := strconv.ParseInt(text, 0, 64); err == nil { // a mark, as 0xdc
			return v
		}
	}
	return text
}

// fieldOf is the type of the field for a key.
func fieldOf(of reflect.Type, key string) (reflect.Type, bool) {
	if of.Kind() != reflect.Struct {
		return nil, false
	}
	for i := range of.NumField() {
		if f := of.Field(i); f.Tag.Get("key") == key {
			return f.Type, true
		}
	}
	return nil, false
}

// daemonFile is the strongswan.conf that belongs to a folder: the one that is named, or the host's own for the host's own folder.
func daemonFile(dir, named string) (path string, ok bool) {
	return named, named != "" || dir == Folder
}

// oneError is the first of several errors of a configuration, which have their places.
func oneError(err error) error {
	var list config.Errors
	if errors.As(err, &list) && len(list) > 0 {
		p := list[0]
		what := p.What
		if p.Want != "" {
			what += "; " + p.Want
		}
		return migrate.Fail(p.Position, strings.TrimSpace(what))
	}
	return err
}
