package identity

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
)

// formatDN prints a distinguished name such that parseDNText gives an equal one, and false where it can't. The octets can
// differ: most certificates have UTF8String where the text would give a PrintableString.
func formatDN(der []byte) (string, bool) {
	rdns, err := parseDN(der)
	if err != nil || len(rdns) == 0 {
		return "", false
	}
	var out strings.Builder
	for i, r := range rdns {
		if i > 0 {
			out.WriteString(", ")
		}
		for j, a := range r {
			if j > 0 {
				out.WriteString(" + ")
			}
			oid, ok := dotted(a.oid)
			if !ok {
				return "", false
			}
			out.WriteString(keyword(oid))
			out.WriteByte('=')
			text, err := a.format(oid)
			if err != nil {
				return "", false
			}
			out.WriteString(text)
		}
	}
	back, err := parseDNText(out.String())
	if err != nil {
		return "", false
	}
	again, err := parseDN(back)
	return out.String(), err == nil && equalDN(again, rdns)
}

// format prints a value: as text when parseDNText makes an equal one of it, otherwise as #hex.
func (a attribute) format(oid string) (string, error) {
	if a.isString() && isPrintableText(a.value) {
		if same, err := (value{text: a.value}).attribute(oid); err == nil && same.equal(a) {
			return escape(a.value), nil
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(a.tag, func(b *cryptobyte.Builder) { b.AddBytes(a.value) })
	der, err := b.Bytes()
	return "#" + hex.EncodeToString(der), err
}

// escape puts a \ before what would otherwise end or change a value (RFC 4514, section 2.4).
func escape(v []byte) string {
	var out strings.Builder
	for i, c := range v {
		edge := c == ' ' && (i == 0 || i == len(v)-1) || c == '#' && i == 0
		if edge || strings.IndexByte(`,+"\;<>`, c) >= 0 {
			out.WriteByte('\\')
		}
		out.WriteByte(c)
	}
	return out.String()
}

// isPrintableText reports whether a log line can show the octets as they are.
func isPrintableText(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, r := range string(b) {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
