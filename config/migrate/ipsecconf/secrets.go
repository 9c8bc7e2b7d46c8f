package ipsecconf

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"esplanade/config/tree"
)

// secretEntry is an entry of ipsec.secrets.
type secretEntry struct {
	at tree.Position
	// ids are the identities in front of the colon, kind is "PSK" and the like, and args what is behind it.
	ids  []string
	kind string
	args []secretWord
}

// secretWord is a word of ipsec.secrets.
type secretWord struct {
	text   string
	quoted bool
}

// secretsReader reads ipsec.secrets and what it includes.
type secretsReader struct {
	*reader
	count   int
	entries []secretEntry
}

// secrets reads the secrets: a file that was named, or the one beside ipsec.conf, if there is one.
func (r *reader) secrets(conf, name string) ([]secretEntry, error) {
	s := &secretsReader{reader: r}
	named := name != ""
	if !named {
		name = filepath.Join(filepath.Dir(conf), "ipsec.secrets")
	}
	if err := s.load(name, tree.Position{File: conf}, 0, !named); err != nil {
		return nil, err
	}
	return s.entries, nil
}

// load reads a file. missing says that it may be.
func (s *secretsReader) load(name string, at tree.Position, depth int, missing bool) error {
	if s.count++; s.count > maxFiles || depth > maxIncludeDepth {
		return &SyntaxError{at, fmt.Sprintf("includes more than %d files, or %d deep", maxFiles, maxIncludeDepth)}
	}
	text, found, err := s.optional(name)
	switch {
	case err != nil:
		return &SyntaxError{at, err.Error()}
	case !found && missing:
		s.Note("there is no %s: the secrets are to be added", name)
		return nil
	case !found:
		return &SyntaxError{at, "there is no file " + name}
	}
	for _, l := range s.lines(name, text) {
		if err := s.line(l, depth); err != nil {
			return err
		}
	}
	return nil
}

// secretLine is an entry, with the lines that it goes on over.
type secretLine struct {
	at   tree.Position
	text string
}

// lines splits a file into entries. Those of libreswan's go on in lines that are indented.
func (s *secretsReader) lines(name, text string) (out []secretLine) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		body := strings.TrimLeft(line, " \t")
		if body == "" || body[0] == '#' {
			continue
		}
		if s.dialect == Libreswan && body != line && len(out) > 0 {
			out[len(out)-1].text += " " + body
			continue
		}
		column := utf8.RuneCountInString(line[:len(line)-len(body)]) + 1
		out = append(out, secretLine{tree.Position{File: name, Line: number, Column: column}, body})
	}
	return out
}

// line reads an entry. What is wrong with it is said without anything of it.
func (s *secretsReader) line(l secretLine, depth int) error {
	list, err := secretWords(l.text)
	if err != "" {
		return &SyntaxError{l.at, err}
	}
	if len(list) == 2 && list[0].text == "include" && !list[0].quoted {
		pattern := list[1].text
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(filepath.Dir(l.at.File), pattern)
		}
		names, err := s.Files.Glob(pattern)
		if err != nil {
			return &SyntaxError{l.at, err.Error()}
		}
		for _, name := range names {
			if err := s.load(name, l.at, depth+1, false); err != nil {
				return err
			}
		}
		return nil
	}
	e := secretEntry{at: l.at}
	for i, w := range list {
		if w.text == ":" && !w.quoted {
			if len(list) < i+2 {
				return &SyntaxError{l.at, "nothing stands behind the colon"}
			}
			e.kind, e.args = strings.ToUpper(list[i+1].text), list[i+2:]
			break
		}
		e.ids = append(e.ids, w.text)
	}
	if e.kind == "" {
		return &SyntaxError{l.at, "an entry is IDENTITIES : KIND SECRET, with a colon between spaces"}
	}
	if len(s.entries) == maxSecretEntries {
		return &SyntaxError{l.at, fmt.Sprintf("more than %d entries", maxSecretEntries)}
	}
	s.entries = append(s.entries, e)
	return nil
}

// secretWords splits an entry into words. Quotes of both kinds hold what they enclose together; there are no escapes.
func secretWords(text string) (out []secretWord, problem string) {
	for {
		text = strings.TrimLeft(text, " \t")
		switch {
		case text == "" || text[0] == '#':
			return out, ""
		case text[0] == '"' || text[0] == '\'':
			end := strings.IndexByte(text[1:], text[0])
			if end < 0 {
				return nil, "a quote that is not closed"
			}
			out = append(out, secretWord{text[1 : 1+end], true})
			text = text[end+2:]
		case strings.HasPrefix(text, ":") && (len(text) == 1 || text[1] == ' ' || text[1] == '\t'):
			out = append(out, secretWord{":", false})
			text = text[1:]
		default:
			end := strings.IndexAny(text, " \t")
			if end < 0 {
				end = len(text)
			}
			word := text[:end]
			text = text[end:]
			// "name: PSK": old files have no space before the colon.
			if bare, ok := strings.CutSuffix(word, ":"); ok && !strings.Contains(bare, ":") {
				out = append(out, secretWord{bare, false}, secretWord{":", false})
				continue
			}
			out = append(out, secretWord{word, false})
		}
	}
}

// octets is a secret: what is in quotes as it is, and otherwise with the prefixes for hexadecimal, Base64 and text.
func (w secretWord) octets() (b []byte, ok bool) {
	if w.quoted || len(w.text) < 3 {
		return []byte(w.text), w.text != ""
	}
	var err error
	switch strings.ToLower(w.text[:2]) {
	case "0x":
		b, err = hex.DecodeString(strings.NewReplacer("_", "", ":", "").Replace(w.text[2:]))
	case "0s":
		b, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.ReplaceAll(w.text[2:], "_", ""), "="))
	default:
		b = []byte(w.text)
	}
	return b, err == nil && len(b) > 0
}
