package config

import (
	"fmt"
	"io"
	"strings"

	"esplanade/config/tree"
)

// MaxFileSize bounds a configuration file, in bytes.
const MaxFileSize = 1 << 20

// Load reads the file at path and everything that it names. The error is an [Errors] unless the file can't be read.
// Secret files with relative names are looked for beside it.
func Load(path string) (*Config, error) {
	c, errs, err := Diagnose(path)
	if err != nil {
		return nil, err
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return c, nil
}

// Diagnose is [Load] for those who want the warnings of a configuration with errors too: the [Config] always comes
// back, and is only fit for use when errs is empty. err says that the file can't be read.
func Diagnose(path string) (c *Config, errs Errors, err error) {
	f, info, err := OpenRegular(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, nil, err
	}
	c, errs = parse(path, data)
	c.warnReadable(path, f, info)
	return c, errs, nil
}

// Parse reads a configuration from memory. name stands for the file in positions, and secret files with relative names
// are looked for beside it. The error is an [Errors].
func Parse(name string, data []byte) (*Config, error) {
	c, errs := parse(name, data)
	if len(errs) > 0 {
		return nil, errs
	}
	return c, nil
}

func parse(name string, data []byte) (*Config, Errors) { return parseOver(name, data, nil) }

// parseOver reads a configuration with settings below it.
func parseOver(name string, data []byte, base *tree.Table) (*Config, Errors) {
	if len(data) > MaxFileSize {
		return &Config{File: name}, Errors{{Position{File: name, Line: 1, Column: 1}, "the file is too large",
			fmt.Sprintf("at most %d bytes are read", MaxFileSize)}}
	}
	text := strings.TrimPrefix(string(data), "\ufeff") // Windows' editors put it there
	root, err := tree.ParseTOML(name, text)
	if err != nil {
		return &Config{File: name}, syntaxProblems(name, text, err)
	}
	if base != nil {
		root = over(root, base)
	}
	r := newReader(name)
	r.folder = base != nil
	c := r.document(root)
	c.Warnings = sortProblems(r.warns)
	return c, sortProblems(r.errs)
}
