package config

import (
	"errors"
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

func parse(name string, data []byte) (*Config, Errors) {
	if len(data) > MaxFileSize {
		return &Config{File: name}, Errors{{Position{File: name, Line: 1, Column: 1}, "the file is too large",
			fmt.Sprintf("at most %d bytes are read", MaxFileSize)}}
	}
	text := strings.TrimPrefix(string(data), "\ufeff") // Windows' editors put it there
	root, err := tree.ParseTOML(name, text)
	if err != nil {
		return &Config{File: name}, Errors{syntaxProblem(name, text, err)}
	}
	r := newReader(name)
	c := r.document(root)
	c.Warnings = sortProblems(r.warns)
	return c, sortProblems(r.errs)
}

// syntaxProblem gives an error of syntax the form of all others.
func syntaxProblem(name, text string, err error) Problem {
	e := &tree.SyntaxError{At: Position{File: name, Line: 1, Column: 1}, What: err.Error()}
	errors.As(err, &e)
	// A message may quote the text that it is about, and a key without quotes is still a key. Nobody knows where a text of several
	// lines would have ended.
	what := e.What
	if strings.Contains(tree.KeyName(e.Key...), "secret") || strings.Contains(lineOf(text, e.At.Line), "secret") {
		what = "the value of a secret is not a string"
	} else if strings.Contains(text, "secret") {
		what = withoutCharacter(what)
	}
	want := "write TOML: key = value, with strings in quotes, below a [table]"
	if strings.Contains(what, "already") {
		want = "write every key and every table once"
	}
	return Problem{e.At, oneLine(what), want}
}

// withoutCharacter takes out of a message which character it is that should not be there: "U+0068 'h'".
func withoutCharacter(what string) string {
	before, after, ok := strings.Cut(what, " U+")
	if !ok {
		return what
	}
	if _, rest, ok := strings.Cut(after, "' "); ok {
		return before + " " + rest
	}
	return before
}

// lineOf is the text of a line, which counts from 1.
func lineOf(text string, n int) string {
	for ; n > 1; n-- {
		_, text, _ = strings.Cut(text, "\n")
	}
	line, _, _ := strings.Cut(text, "\n")
	return line
}
