package config

import (
	"io"

	"esplanade/config/tree"
)

// LoadOver is [Load] for a file that has other settings below it, which were written elsewhere: what the file says counts, key by key. path may be
// "", for those settings alone; name stands for the configuration as a whole then.
func LoadOver(path, name string, base *tree.Table) (*Config, error) {
	data := []byte(nil)
	if path != "" {
		name = path
		f, _, err := OpenRegular(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if data, err = io.ReadAll(io.LimitReader(f, MaxFileSize+1)); err != nil {
			return nil, err
		}
	}
	c, errs := parseOver(name, data, base)
	if len(errs) > 0 {
		return nil, errs
	}
	return c, nil
}

// over is a table with the entries of both, in which those of t count; so it is with tables that both have.
func over(t, base *tree.Table) *tree.Table {
	out := t.Over(base)
	for e := range t.All() {
		sub, ok := e.Value.Data.(*tree.Table)
		below, _ := base.Get(e.Name)
		if b, is := below.Value.Data.(*tree.Table); ok && is {
			out.AddAt(e.Name, e.At, e.Value.At, over(sub, b))
		}
	}
	return out
}
