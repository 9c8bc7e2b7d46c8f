package config

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// MaxFileSize bounds a configuration file, in octets.
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
		return &Config{File: name}, Errors{{Position{name, 1, 1}, "the file is too large",
			fmt.Sprintf("at most %d octets are read", MaxFileSize)}}
	}
	text := strings.TrimPrefix(string(data), "\ufeff") // Windows' editors put it there
	var doc map[string]any
	if _, err := toml.Decode(text, &doc); err != nil {
		return &Config{File: name}, Errors{syntaxProblem(name, text, err)}
	}
	r := newReader(name, text)
	c := r.document(doc)
	c.Warnings = sortProblems(r.warns)
	return c, sortProblems(r.errs)
}

func newReader(name, text string) *reader {
	return &reader{file: name, where: newIndex(name, text), asked: map[string]map[string]bool{},
		later: map[string]map[string]bool{}}
}

// syntaxProblem gives the TOML package's error the form of all others.
func syntaxProblem(name, text string, err error) Problem {
	at := Position{name, 1, 1}
	what := strings.TrimPrefix(err.Error(), "toml: ")
	var pe toml.ParseError
	if errors.As(err, &pe) {
		what = strings.TrimSuffix(pe.Message, ".")
		if pe.Position.Line > 0 {
			at.Line = pe.Position.Line
		}
		start := min(max(pe.Position.Start, 0), len(text))
		lineStart := strings.LastIndexByte(text[:start], '\n') + 1
		// The offset may lie on the line end after the line that is meant, or before it.
		if strings.Count(text[:start], "\n")+1 == at.Line {
			at.Column = utf8.RuneCountInString(text[lineStart:start]) + 1
		}
		at.Line = min(at.Line, strings.Count(text, "\n")+1)
		at.Column = min(at.Column, utf8.RuneCountInString(lineOf(text, at.Line))+1)
	}
	// A message may quote the text that it is about, and a key without quotes is still a key.
	if line := lineOf(text, at.Line); strings.Contains(pe.LastKey, "secret") || strings.Contains(line, "secret") {
		what = "the value of a secret is not a string"
	}
	want := "write TOML: key = value, with strings in quotes, below a [table]"
	if strings.Contains(what, "already been defined") || strings.Contains(what, "already exists") {
		want = "write every key and every table once"
	}
	return Problem{at, oneLine(what), want}
}

// lineOf is the text of a line, which counts from 1.
func lineOf(text string, n int) string {
	for ; n > 1; n-- {
		_, text, _ = strings.Cut(text, "\n")
	}
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// document reads the whole document and then looks at what concerns several tables.
func (r *reader) document(doc map[string]any) *Config {
	t := r.top(doc)
	c := &Config{
		File:      r.file,
		Control:   readControl(t.sub("control")),
		Metrics:   readMetrics(t.sub("metrics")),
		Log:       readLog(t.sub("log")),
		TUN:       readTUN(t.sub("tun")),
		Dataplane: readDataplane(t.sub("dataplane")),
		IKE:       readIKE(t.sub("ike")),
		Debug:     readDebug(t.sub("debug")),
	}
	conns := t.sub("connections")
	for _, n := range conns.each() {
		c.Connections = append(c.Connections, readConnection(n, c))
	}
	c.Secrets = readSecrets(t.sub("secrets"), filepath.Dir(r.file))
	t.done()
	if !r.quiet {
		c.check(r)
	}
	return c
}
