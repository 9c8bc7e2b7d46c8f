package iked

import (
	"slices"
	"strconv"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// policy is an ikev2 statement.
type policy struct {
	name    string
	at      tree.Position
	comment tree.Comment
	// words are keywords that stand alone, such as active.
	words map[string]token
	flows []flow
	protocols,
	local, peer []token
	ike, child []transforms
	// values are what follows other keywords, such as srcid.
	values map[string]token
	bytes  token
	// config and request are options for clients, with their values.
	config, request []option
}

// flow is `from … to …`.
type flow struct {
	at       tree.Position
	from, to []host
}

// host is what stands behind from or to, with the port.
type host struct {
	token
	port string
	nat  bool // there is an address in brackets, for NAT
}

// transforms are those of one ikesa or childsa: the kind ("enc") and the name of each.
type transforms []option

type option struct {
	at          tree.Position
	name, value string
}

// statement is a line.
type statement struct {
	words   []token
	comment tree.Comment
}

// statements splits tokens into lines, with the comments that belong to them. What is left at the end is above nothing.
func statements(tokens []token) (out []statement, foot []string) {
	var s statement
	empty := true // the line, so far
	for _, t := range tokens {
		was := empty
		empty = t.kind == tokenNewline
		switch {
		case t.kind == tokenComment && len(s.words) > 0:
			s.comment.Beside = strings.TrimSpace(s.comment.Beside + " " + t.text)
		case t.kind == tokenComment:
			s.comment.Above = append(s.comment.Above, t.text)
		case t.kind == tokenNewline && len(s.words) == 0 && !was: // that of a comment
		case t.kind != tokenNewline:
			s.words = append(s.words, t)
		case len(s.words) > 0:
			out = append(out, s)
			s = statement{}
		case len(s.comment.Above) == 0 || s.comment.Above[len(s.comment.Above)-1] != "":
			s.comment.Above = append(s.comment.Above, "")
		}
	}
	return out, s.comment.Above
}

// cursor walks along the words of a statement.
type cursor struct {
	words []token
	i     int
	at    tree.Position // of the last one
}

// peek is the next word, or the end, which has no kind.
func (c *cursor) peek() token {
	if c.i < len(c.words) {
		return c.words[c.i]
	}
	return token{}
}

// is reports whether the next word is this one, not in quotes.
func (c *cursor) is(text string) bool {
	t := c.peek()
	return t.kind != 0 && !t.quoted && t.text == text
}

// take is the next word.
func (c *cursor) take() token {
	t := c.peek()
	if t.kind != 0 {
		c.i++
		c.at = t.at
	}
	return t
}

// accept takes the next word if it is this one.
func (c *cursor) accept(text string) bool {
	ok := c.is(text)
	if ok {
		c.take()
	}
	return ok
}

// value takes the word that must follow a keyword.
func (c *cursor) value(of string) (token, *migrate.Error) {
	t := c.take()
	if t.kind != tokenWord {
		return t, migrate.Fail(c.at, "behind "+of+" there must be a value")
	}
	return t, nil
}

// list takes a word, or several in braces.
func (c *cursor) list(of string) ([]token, *migrate.Error) {
	if !c.accept("{") {
		t, err := c.value(of)
		return []token{t}, err
	}
	var out []token
	for !c.accept("}") {
		if c.accept(",") {
			continue
		}
		t := c.take()
		if t.kind != tokenWord {
			return nil, migrate.Fail(c.at, "the list behind "+of+" has something in it that is no word, or is not closed")
		}
		out = append(out, t)
	}
	return out, nil
}

// words that stand alone in an ikev2 statement, and those that a value follows.
func alone() []string {
	return []string{"default", "passive", "active", "skip", "quick", "ipcomp", "tunnel", "transport", "esp", "ah", "inet", "inet6", "rfc7427", "rsa", "ecdsa256", "ecdsa384", "ecdsa521",
		"natt", "set_peer"}
}

func followed() []string {
	return []string{"srcid", "dstid", "ikelifetime", "lifetime", "psk", "eap", "iface", "tag", "tap", "rdomain"}
}

// parsePolicy reads what follows ikev2.
func parsePolicy(s statement) (*policy, *migrate.Error) {
	p := &policy{at: s.words[0].at, comment: s.comment, words: map[string]token{}, values: map[string]token{}}
	c := &cursor{words: s.words, i: 1, at: s.words[0].at}
	if t := c.peek(); t.kind == tokenWord && (t.quoted || !isKeyword(t.text)) {
		p.name = c.take().text
	}
	for c.peek().kind != 0 {
		if err := p.option(c); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// isKeyword reports whether a word begins an option.
func isKeyword(s string) bool {
	return slices.Contains(alone(), s) || slices.Contains(followed(), s) || slices.Contains([]string{"from", "to", "local", "peer", "proto", "ikesa", "childsa", "config", "request"}, s)
}

// option reads one option of an ikev2 statement.
func (p *policy) option(c *cursor) (err *migrate.Error) {
	t := c.take()
	switch {
	case t.kind == tokenSign && t.text == ",":
	case t.quoted || t.kind != tokenWord:
		return migrate.Fail(t.at, "there must be a keyword of an ikev2 statement here, such as from, peer or psk")
	case slices.Contains(alone(), t.text):
		p.words[t.text] = t
	case slices.Contains(followed(), t.text):
		v, err := c.value(t.text)
		if err != nil {
			return err
		}
		p.values[t.text] = v
		if t.text == "lifetime" && c.accept("bytes") {
			p.bytes, err = c.value("bytes")
			return err
		}
	case t.text == "proto":
		p.protocols, err = c.list("proto")
	case t.text == "local":
		p.local, err = c.list("local")
	case t.text == "peer":
		p.peer, err = c.list("peer")
	case t.text == "from" || t.text == "to":
		return p.flow(c, t)
	case t.text == "ikesa":
		var x transforms
		x, err = parseTransforms(c)
		p.ike = append(p.ike, x)
	case t.text == "childsa":
		var x transforms
		x, err = parseTransforms(c)
		p.child = append(p.child, x)
	case t.text == "config" || t.text == "request":
		name, err := c.value(t.text)
		if err != nil {
			return err
		}
		value, err := c.value(name.text)
		if err != nil {
			return err
		}
		list := &p.config
		if t.text == "request" {
			list = &p.request
		}
		*list = append(*list, option{name.at, name.text, value.text})
	default:
		return migrate.Fail(t.at, "iked.conf has no such keyword in an ikev2 statement")
	}
	return err
}

// flow reads `from … to …` or `to … from …`.
func (p *policy) flow(c *cursor, first token) *migrate.Error {
	f := flow{at: first.at}
	a, err := hosts(c, first.text)
	if err != nil {
		return err
	}
	other := map[string]string{"from": "to", "to": "from"}[first.text]
	if !c.accept(other) {
		return migrate.Fail(first.at, "a from needs a to, and a to a from")
	}
	b, err := hosts(c, other)
	if err != nil {
		return err
	}
	if f.from, f.to = a, b; first.text == "to" {
		f.from, f.to = b, a
	}
	p.flows = append(p.flows, f)
	return nil
}

// hosts reads addresses, with the port and what stands in brackets.
func hosts(c *cursor, of string) (out []host, err *migrate.Error) {
	list, err := c.list(of)
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		out = append(out, host{token: t})
	}
	for {
		switch {
		case c.accept("("):
			if _, err := c.value("("); err != nil {
				return nil, err
			}
			if !c.accept(")") {
				return nil, migrate.Fail(c.at, "a bracket is not closed")
			}
			for i := range out {
				out[i].nat = true
			}
		case c.accept("port"):
			t, err := c.value("port")
			if err != nil {
				return nil, err
			}
			for i := range out {
				out[i].port = t.text
			}
		default:
			return out, nil
		}
	}
}

// parseTransforms reads what follows ikesa or childsa.
func parseTransforms(c *cursor) (out transforms, err *migrate.Error) {
	for {
		t := c.peek()
		switch {
		case t.kind == tokenWord && !t.quoted && slices.Contains([]string{"auth", "enc", "prf", "group"}, t.text):
			c.take()
			v, err := c.value(t.text)
			if err != nil {
				return nil, err
			}
			out = append(out, option{v.at, t.text, v.text})
		case c.is("esn") || c.is("noesn"):
			out = append(out, option{t.at, "esn", c.take().text})
		default:
			return out, nil
		}
	}
}

// seconds is a time of iked.conf: a number of seconds, or of what the letter behind it says.
func seconds(t token) (int64, *migrate.Error) {
	unit := map[string]int64{"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
	digits := strings.TrimRight(t.text, "smhd")
	n, err := strconv.ParseInt(digits, 10, 32)
	u := unit[t.text[len(digits):]]
	if err != nil || n < 0 || u == 0 {
		return 0, migrate.Fail(t.at, "that is no time; write a number of seconds, or one with m or h behind it")
	}
	return n * u, nil
}

// octets is a number of bytes, with k, m or g behind it for multiples of 1024.
func octets(t token) (int64, *migrate.Error) {
	low := strings.ToLower(t.text)
	digits := strings.TrimRight(low, "kmg")
	shift, known := map[string]uint{"": 0, "k": 10, "m": 20, "g": 30}[low[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !known || n < 0 || n > 1<<62>>shift {
		return 0, migrate.Fail(t.at, "that is no number of bytes; write a number, or one with K, M or G behind it")
	}
	return n << shift, nil
}
