package files

import (
	"bytes"
	"encoding/pem"
	"strings"
)

// block is one block of PEM.
type block struct {
	*pem.Block
	kind Kind
	line int // where it begins, from 1
}

// maxBlocks bounds the blocks of a file.
const maxBlocks = 4096

// pemBlocks cuts a file into its blocks. Text around them is passed over, as it is by every program that reads PEM: it is what
// openssl x509 -text writes, or a comment. A block that is not whole is an error: encoding/pem would pass over it without a word, and
// half of a chain would be taken for all of it.
func pemBlocks(data []byte) (blocks []block, err *Error) {
	const begin, end = "-----BEGIN ", "-----END "
	rest, line := data, 1
	for len(rest) > 0 {
		text, after := cutLine(rest)
		label, ok := bytes.CutPrefix(text, []byte(begin))
		if !ok {
			if bytes.HasPrefix(text, []byte(end)) {
				return blocks, malformed("has an END line without its BEGIN line (line %d)", line).with("fetch or write it again")
			}
			rest = after
			line++
			continue
		}
		name, ok := bytes.CutSuffix(bytes.TrimRight(label, " \t\r"), []byte("-----"))
		if !ok {
			return blocks, malformed("has a BEGIN line that does not end with ----- (line %d)", line)
		}
		body, next, lines, whole := untilEnd(after, string(name))
		if !whole {
			return blocks, malformed("has a block %s that does not end (line %d)", printable(string(name)), line).with("write it again: it looks as if a part were missing")
		}
		if len(blocks) == maxBlocks {
			return blocks, &Error{Reason: TooLarge, What: "has too many blocks of PEM"}
		}
		// Spaces at the ends of lines, which people's mail programs leave, are none of encoding/pem's business.
		b, _ := pem.Decode(normalised(text, body, name))
		if b == nil {
			return blocks, malformed("has a block %s that is not Base64 (line %d)", printable(string(name)), line).with("fetch or write it again")
		}
		blocks = append(blocks, block{Block: b, kind: kindOfBlock(string(name), strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED")), line: line})
		rest = next
		line += lines + 1
	}
	return blocks, nil
}

// normalised is a block without white space around its lines.
func normalised(begin, body, name []byte) []byte {
	var out bytes.Buffer
	out.Write(bytes.TrimSpace(begin))
	out.WriteByte('\n')
	for l := range bytes.Lines(body) {
		out.Write(bytes.TrimRight(l, " \t\r\n"))
		out.WriteByte('\n')
	}
	out.WriteString("-----END ")
	out.Write(name)
	out.WriteString("-----\n")
	return out.Bytes()
}

// untilEnd is what stands before the END line, what comes after it, and how many lines that were, the END line included.
func untilEnd(data []byte, name string) (body, rest []byte, lines int, ok bool) {
	at := 0
	for at < len(data) {
		text, after := cutLine(data[at:])
		lines++
		if bytes.HasPrefix(text, []byte("-----BEGIN ")) {
			return nil, nil, lines, false
		}
		if bytes.Equal(bytes.TrimRight(text, " \t\r"), []byte("-----END "+name+"-----")) {
			return data[:at], after, lines, true
		}
		at = len(data) - len(after)
	}
	return nil, nil, lines, false
}

// cutLine is the first line, without white space before it and its end, and what follows.
func cutLine(data []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(data, []byte("\n"))
	line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	return bytes.TrimLeft(line, " \t"), rest
}

// printable is a label for a message.
func printable(s string) string {
	const most = 40
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}
