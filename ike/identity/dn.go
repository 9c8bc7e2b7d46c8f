package identity

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

var (
	errPattern = errors.New("malformed address pattern")
	errDN      = errors.New("malformed distinguished name")
)

// maxRDNs bounds the parts of a distinguished name, and maxOID the octets of an attribute's object identifier.
const (
	maxRDNs = 64
	maxOID  = 64
)

// attribute is an AttributeTypeAndValue of X.501: the contents of the OBJECT IDENTIFIER, and the tag and contents of
// the value.
type attribute struct {
	oid   []byte
	tag   asn1.Tag
	value []byte
}

// rdn is a RelativeDistinguishedName: one attribute, seldom several.
type rdn []attribute

// parseDN reads the DER of a Name: SEQUENCE OF SET OF SEQUENCE { OBJECT IDENTIFIER, ANY }. The result aliases der.
func parseDN(der []byte) ([]rdn, error) {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() {
		return nil, errDN
	}
	var out []rdn
	for !seq.Empty() {
		var set cryptobyte.String
		if len(out) == maxRDNs || !seq.ReadASN1(&set, asn1.SET) || set.Empty() {
			return nil, errDN
		}
		var r rdn
		for !set.Empty() {
			var pair, oid, value cryptobyte.String
			var tag asn1.Tag
			if len(r) == maxRDNs || !set.ReadASN1(&pair, asn1.SEQUENCE) || !pair.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) ||
				!pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
				return nil, errDN
			}
			if _, ok := dotted(oid); !ok {
				return nil, errDN
			}
			r = append(r, attribute{oid: oid, tag: tag, value: value})
		}
		out = append(out, r)
	}
	return out, nil
}

// appendDN is the inverse of parseDN.
func appendDN(rdns []rdn) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, r := range rdns {
			b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
				for _, a := range r {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(a.oid) })
						b.AddASN1(a.tag, func(b *cryptobyte.Builder) { b.AddBytes(a.value) })
					})
				}
			})
		}
	})
	return b.Bytes()
}

// wildcard reports whether the value is "*", which in a pattern stands for every value.
func (a attribute) wildcard() bool { return a.isString() && bytes.Equal(a.value, []byte("*")) }

// isString reports whether the value is one of the string types that names use, whose contents are ASCII or UTF-8 (or,
// for T61String, what is in practice Latin-1).
func (a attribute) isString() bool {
	switch a.tag {
	case asn1.UTF8String, asn1.PrintableString, asn1.T61String, asn1.IA5String:
		return true
	}
	return false
}

// equal compares values by caseIgnoreMatch, which RFC 5280, section 7.1, asks for, as far as it concerns ASCII: without
// regard to case, and to spaces at the ends and to how many there are between words. Values of different string types
// are compared too, because two programs seldom choose the same one for the same text.
func (a attribute) equal(o attribute) bool {
	if !bytes.Equal(a.oid, o.oid) {
		return false
	}
	if a.isString() && o.isString() {
		return equalFold(compressed(a.value), compressed(o.value))
	}
	return a.tag == o.tag && bytes.Equal(a.value, o.value)
}

// compressed handles insignificant spaces: there is one between words, and none at the ends.
func compressed(text []byte) []byte {
	if !bytes.HasPrefix(text, []byte(" ")) && !bytes.HasSuffix(text, []byte(" ")) && !bytes.Contains(text, []byte("  ")) {
		return text
	}
	words := bytes.FieldsFunc(text, func(r rune) bool { return r == ' ' })
	return bytes.Join(words, []byte(" "))
}

func equalDN(a, b []rdn) bool { return len(a) == len(b) && withinDN(a, b) }

// withinDN reports whether a is b, or begins with it.
func withinDN(a, b []rdn) bool {
	if len(a) < len(b) {
		return false
	}
	for i := range b {
		if !a[i].equal(b[i]) {
			return false
		}
	}
	return true
}

// equal reports whether each attribute has its match: DER sorts those of a part by their octets, which can differ where
// the values do not.
func (r rdn) equal(o rdn) bool {
	if len(r) != len(o) {
		return false
	}
	rest := slices.Clone(o)
	for _, a := range r {
		i := slices.IndexFunc(rest, a.equal)
		if i < 0 {
			return false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return true
}

// Within reports whether a distinguished name is in the subtree of another: "DN1 contains at least as many RDNs as DN2,
// and DN1 and DN2 are a match when trailing RDNs in DN1 are ignored"
// (https://www.rfc-editor.org/rfc/rfc5280#section-7.1).
func (id Identity) Within(base Identity) bool {
	if id.Type != DERASN1DN || base.Type != DERASN1DN {
		return false
	}
	a, errA := parseDN(id.Data)
	b, errB := parseDN(base.Data)
	return errA == nil && errB == nil && withinDN(a, b)
}

// dotted prints the contents of an OBJECT IDENTIFIER, and reports whether they are well-formed.
func dotted(oid []byte) (string, bool) {
	if len(oid) > maxOID {
		return "", false
	}
	var arcs []uint64
	var n uint64
	fresh := true // at the beginning of an arc
	for _, c := range oid {
		if fresh && c == 0x80 || n > 1<<56 {
			return "", false // not minimal, or absurd
		}
		n = n<<7 | uint64(c&0x7f)
		fresh = c&0x80 == 0
		if fresh {
			arcs = append(arcs, n)
			n = 0
		}
	}
	if len(arcs) == 0 || !fresh {
		return "", false
	}
	first := min(arcs[0]/40, 2)
	s := fmt.Sprintf("%d.%d", first, arcs[0]-40*first)
	for _, a := range arcs[1:] {
		s += fmt.Sprintf(".%d", a)
	}
	return s, true
}
