package swanctl

import (
	"fmt"
	"strings"

	"esplanade/config/tree"
)

// Document is what a file and those that it includes say.
type Document struct {
	// Root has what is outside of sections, and the sections. Every value is a [tree.Text]; what sections inherit is in them, with the
	// place where it is written.
	Root *tree.Table
	// Files are those that were read, in their order; one that is included twice is there twice.
	Files []string
	// Templates are the names of the sections of Root of which others inherit something.
	Templates map[string]bool
	// Warnings are patterns that match nothing and references to nothing.
	Warnings []*Error
}

// Parse reads a file with what it includes. An error is an [*Error], and the first: what follows it is not read. That the file itself can't be read is
// the error of the source.
func Parse(name string, from Source) (*Document, error) {
	p := &parser{lexer: lexer{from: from}, root: &section{at: tree.Position{File: name, Line: 1, Column: 1}}}
	if err := p.open(name, tree.Position{File: name}); err != nil && err.cause != nil {
		return nil, err.cause
	} else if err != nil {
		return nil, err
	}
	if err := p.statements(p.root, 0); err != nil {
		return nil, err
	}
	r := newResolver(p.root, p.entries, p.warnings)
	root, err := r.table([]*section{p.root}, 0)
	if err != nil {
		return nil, err
	}
	return &Document{root, p.files, r.templates, r.warnings}, nil
}

// parser makes sections of tokens.
type parser struct {
	lexer
	root    *section
	entries int
	above   []string      // comments and empty lines that belong to what comes next
	last    *tree.Comment // of the key or section that comments beside it belong to
}

// statements takes what is in a section, with the bracket at its end unless it is the whole.
func (p *parser) statements(s *section, depth int) *Error {
	for {
		t, err := p.token()
		switch {
		case err != nil:
			return err
		case t.kind == tokenName:
			if err := p.statement(s, t, depth); err != nil {
				return err
			}
		case t.kind == tokenEnd && depth > 0:
			return wrong(s.at, "this section is never closed; put a } at its end")
		case t.kind == tokenEnd || t.text == "}" && depth > 0:
			s.foot, p.last = append(s.foot, p.takeAbove()...), nil
			return nil
		default:
			return wrong(t.at, unexpected(t.text))
		}
	}
}

// unexpected says what a sign means that stands where a name or the end of the section must be.
func unexpected(sign string) string {
	switch sign {
	case "}":
		return "this } closes nothing; take it away, or look for the { that is missing above"
	case `"`:
		return `the names of sections and keys are written without quotes`
	case "=", ":", "{":
		return "there is no name in front of " + sign
	}
	return "a name can't begin with " + sign + "; what has spaces or signs is a value, and goes behind name ="
}

// statement takes what follows a name: `= value`, `{ … }` or `: references { … }`.
func (p *parser) statement(s *section, name token, depth int) *Error {
	if p.entries++; p.entries > maxEntries {
		return wrong(name.at, fmt.Sprintf("there are more than %d keys and sections", maxEntries))
	}
	comment := tree.Comment{Above: p.takeAbove()}
	t, err := p.sign()
	if err != nil {
		return err
	}
	switch t.text {
	case "=":
		return p.keyValue(s, name, comment)
	case ":":
		refs, err := p.references()
		if err != nil {
			return err
		}
		return p.section(s, name, comment, refs, depth)
	case "{":
		return p.section(s, name, comment, nil, depth)
	case ".":
		return wrong(t.at, "a name can't have a dot; write sections one in the other, as in a { b = c }")
	}
	return wrong(t.at, "behind a name there must be =, { or :; if it is part of a value, that goes on one line or is in quotes")
}

// keyValue takes the value of a key.
func (p *parser) keyValue(s *section, name token, comment tree.Comment) *Error {
	if old, ok := s.sections.get(name.text); ok {
		return wrong(name.at, fmt.Sprintf("this key has the name of the section at %v", old.at))
	}
	k := &key{name: name.text, at: name.at, comment: comment}
	var err *Error
	if k.value, k.valueAt, err = p.top().value(); err != nil {
		return err
	}
	s.keys.set(k.name, k)
	p.last = &k.comment
	return nil
}

// section takes what is in the brackets of a section.
func (p *parser) section(s *section, name token, comment tree.Comment, refs []reference, depth int) *Error {
	if depth >= maxDepth {
		return wrong(name.at, fmt.Sprintf("sections are nested more than %d deep; is a } missing above?", maxDepth))
	}
	if old, ok := s.keys.get(name.text); ok {
		return wrong(name.at, fmt.Sprintf("this section has the name of the key at %v", old.at))
	}
	sub, ok := s.sections.get(name.text)
	if !ok {
		sub = &section{name: name.text, at: name.at}
		s.sections.set(sub.name, sub)
	}
	sub.comment.Above = append(sub.comment.Above, comment.Above...)
	sub.refs = append(sub.refs, refs...)
	p.last = &sub.comment
	return p.statements(sub, depth+1)
}

// references takes the paths behind a colon, and the bracket behind them.
func (p *parser) references() ([]reference, *Error) {
	var refs []reference
	for {
		ref, err := p.reference()
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
		t, err := p.sign()
		switch {
		case err != nil:
			return nil, err
		case t.text == "{":
			return refs, nil
		case t.text != ",":
			return nil, wrong(t.at, "behind : there are the paths of sections, with a comma between them, and then {")
		}
	}
}

// reference takes a path, whose names have dots between them and nothing else.
func (p *parser) reference() (reference, *Error) {
	t, err := p.token()
	if err != nil {
		return reference{}, err
	}
	if t.kind != tokenName {
		return reference{}, wrong(t.at, "the path of a section is missing here: section, or section.subsection")
	}
	ref := reference{[]string{t.text}, t.at}
	for {
		text := p.top()
		if c, _ := text.peek(); c != '.' {
			return ref, nil
		}
		text.next()
		name := text.while(isName)
		if name == "" {
			return reference{}, wrong(text.at(), "there is no name behind the dot")
		}
		ref.path = append(ref.path, name)
	}
}

// sign takes a token that must be a sign.
func (p *parser) sign() (token, *Error) {
	t, err := p.token()
	if err == nil && t.kind == tokenEnd {
		err = wrong(t.at, "the file ends behind a name")
	}
	return t, err
}

// token takes a token that is no comment. Comments come to the entry that they are beside, or that follows them.
func (p *parser) token() (token, *Error) {
	for {
		t, err := p.next()
		switch {
		case err != nil:
			return t, err
		case t.kind == tokenComment && t.beside && p.last != nil && p.last.Beside == "":
			p.last.Beside = strings.TrimSpace(t.text)
		case t.kind == tokenComment:
			p.above = append(p.above, t.text)
		case t.kind == tokenEmpty:
			if len(p.above) > 0 && p.above[len(p.above)-1] != "" {
				p.above = append(p.above, "")
			}
		default:
			return t, nil
		}
	}
}

// takeAbove are the comments that belong to what comes next.
func (p *parser) takeAbove() []string {
	above := p.above
	p.above = nil
	return above
}
