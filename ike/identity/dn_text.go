package identity

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// attributeName is an attribute of distinguished names with the keywords for it; the first is printed.
type attributeName struct {
	oid   string
	names []string
}

// attributeNames are the keywords of swanctl.conf. Two of them are not LDAP's: SN is a serial number and S a surname.
// The attributes are those of X.520 (2.5.4), RFC 4519 (0.9.2342.19200300.100.1) and PKCS #9 (1.2.840.113549.1.9).
func attributeNames() []attributeName {
	return []attributeName{
		{"2.5.4.3", []string{"CN", "commonName"}},
		{"2.5.4.4", []string{"S", "surname"}},
		{"2.5.4.5", []string{"serialNumber", "SN"}},
		{"2.5.4.6", []string{"C", "countryName"}},
		{"2.5.4.7", []string{"L", "localityName"}},
		{"2.5.4.8", []string{"ST", "stateOrProvinceName"}},
		{"2.5.4.9", []string{"street", "streetAddress"}},
		{"2.5.4.10", []string{"O", "organizationName"}},
		{"2.5.4.11", []string{"OU", "organizationalUnitName"}},
		{"2.5.4.12", []string{"T", "title"}},
		{"2.5.4.13", []string{"D", "description"}},
		{"2.5.4.17", []string{"postalCode"}},
		{"2.5.4.41", []string{"N", "name"}},
		{"2.5.4.42", []string{"G", "givenName"}},
		{"2.5.4.43", []string{"I", "initials"}},
		{"2.5.4.44", []string{"generationQualifier"}},
		{"2.5.4.45", []string{"ID", "x500UniqueIdentifier"}},
		{"2.5.4.46", []string{"dnQualifier"}},
		{"2.5.4.65", []string{"pseudonym"}},
		{"2.5.4.97", []string{"organizationIdentifier"}},
		{oidUID, []string{"UID", "userId"}},
		{oidDC, []string{"DC", "domainComponent"}},
		{oidEmail, []string{"E", "emailAddress", "email"}},
		{"1.2.840.113549.1.9.2", []string{"UN", "unstructuredName"}},
		{"1.2.840.113549.1.9.8", []string{"UA", "unstructuredAddress"}},
		{"2.16.840.1.113730.3.1.3", []string{"EN", "employeeNumber"}},
	}
}

// The attributes that need IA5String or are named elsewhere.
const (
	oidUID   = "0.9.2342.19200300.100.1.1"
	oidDC    = "0.9.2342.19200300.100.1.25"
	oidEmail = "1.2.840.113549.1.9.1"
)

// attributeOID finds the object identifier, in dots, for a keyword in any case or an object identifier.
func attributeOID(name string) (string, bool) {
	for _, a := range attributeNames() {
		for _, n := range a.names {
			if strings.EqualFold(n, name) {
				return a.oid, true
			}
		}
	}
	if len(name) > 4 && strings.EqualFold(name[:4], "OID.") {
		name = name[4:]
	}
	if _, err := encodeOID(name); err != nil {
		return "", false
	}
	return name, true
}

func keyword(oid string) string {
	for _, a := range attributeNames() {
		if a.oid == oid {
			return a.names[0]
		}
	}
	return oid
}

// encodeOID gives the contents of an OBJECT IDENTIFIER.
func encodeOID(text string) ([]byte, error) {
	bad := fmt.Errorf("%q is not an object identifier", text)
	if len(text) > 4*maxOID {
		return nil, bad
	}
	parts := strings.Split(text, ".")
	if len(parts) < 2 {
		return nil, bad
	}
	var arcs []uint64
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 56)
		if err != nil || len(p) > 1 && p[0] == '0' {
			return nil, bad
		}
		arcs = append(arcs, n)
	}
	if arcs[0] > 2 || arcs[0] < 2 && arcs[1] > 39 {
		return nil, bad
	}
	var out []byte
	for i, n := range arcs[1:] {
		if i == 0 {
			n += 40 * arcs[0]
		}
		var b []byte
		for first := true; first || n > 0; first = false {
			c := byte(n & 0x7f)
			if !first {
				c |= 0x80
			}
			b = append([]byte{c}, b...)
			n >>= 7
		}
		out = append(out, b...)
	}
	if len(out) > maxOID {
		return nil, bad
	}
	return out, nil
}

// looksLikeDN reports whether the text begins as a distinguished name does: with a keyword that is one, and "=".
func looksLikeDN(text string) bool {
	name, _, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "/"), "=")
	if !ok {
		return false
	}
	_, ok = attributeOID(strings.TrimSpace(name))
	return ok
}

// parseDNText reads a distinguished name as swanctl does: attributes in the order of the certificate, separated by
// commas, or by slashes if the text begins with one. Values may be in double quotes, and \ takes the meaning from the
// next character or gives an octet in hexadecimal (RFC 4514, section 3); #hex is the DER of a value. A + joins two
// attributes of one part only if another attribute follows, because addresses such as bob+vpn@example.org have one too.
func parseDNText(text string) ([]byte, error) {
	rest := trim(text)
	sep := byte(',')
	if after, ok := strings.CutPrefix(rest, "/"); ok {
		rest, sep = after, '/'
	}
	var rdns []rdn
	join := false
	for {
		rest = trim(rest)
		if rest == "" {
			break // a separator at the end is harmless
		}
		name, after, ok := strings.Cut(rest, "=")
		name = strings.TrimSpace(name)
		if !ok {
			return nil, fmt.Errorf("%q has no value; write attribute=value", name)
		}
		oid, ok := attributeOID(name)
		if !ok {
			return nil, fmt.Errorf("%q is not an attribute of distinguished names; write one such as CN, O, OU, C or an "+
				"object identifier in dots", name)
		}
		var v value
		var err error
		v, rest, err = readValue(after, sep)
		if err != nil {
			return nil, fmt.Errorf("the value of %s: %w", name, err)
		}
		a, err := v.attribute(oid)
		if err != nil {
			return nil, fmt.Errorf("the value of %s: %w", name, err)
		}
		if join {
			rdns[len(rdns)-1] = append(rdns[len(rdns)-1], a)
		} else {
			rdns = append(rdns, rdn{a})
		}
		join = v.joined
	}
	if len(rdns) == 0 || len(rdns) > maxRDNs {
		return nil, errDN
	}
	for _, r := range rdns {
		// DER wants the elements of a SET OF in ascending order of their encodings (X.690, section 11.6).
		if err := sortRDN(r); err != nil {
			return nil, err
		}
	}
	return appendDN(rdns)
}

func sortRDN(r rdn) error {
	enc := make([][]byte, len(r))
	for i := range r {
		b, err := appendDN([]rdn{{r[i]}})
		if err != nil {
			return err
		}
		enc[i] = b
	}
	for i := range r {
		for j := i; j > 0 && bytes.Compare(enc[j], enc[j-1]) < 0; j-- {
			enc[j], enc[j-1] = enc[j-1], enc[j]
			r[j], r[j-1] = r[j-1], r[j]
		}
	}
	return nil
}

// value is the text of an attribute's value after quotes and escapes are gone.
type value struct {
	text   []byte
	der    bool // text is the hexadecimal DER after #
	joined bool // followed by + and another attribute
}

// readValue reads up to the separator and returns what comes after it.
func readValue(in string, sep byte) (v value, rest string, err error) {
	in = strings.TrimLeft(in, " \t")
	if after, ok := strings.CutPrefix(in, "#"); ok {
		v.der, in = true, after
	}
	keep := 0 // the length of v.text up to which trailing spaces were quoted or escaped
	quoted := false
	i := 0
	for ; i < len(in); i++ {
		c := in[i]
		switch {
		case c == '\\' && !v.der:
			n, octet, err := readEscape(in[i:])
			if err != nil {
				return v, "", err
			}
			v.text = append(v.text, octet)
			keep = len(v.text)
			i += n - 1
			continue
		case c == '"' && !v.der:
			quoted = !quoted
			keep = len(v.text)
			continue
		case quoted:
		case c == sep:
			return v.trim(keep), in[i+1:], nil
		case c == '+' && looksLikeDN(in[i+1:]):
			v.joined = true
			return v.trim(keep), in[i+1:], nil
		}
		v.text = append(v.text, c)
		if quoted {
			keep = len(v.text)
		}
	}
	if quoted {
		return v, "", fmt.Errorf("the closing quote is missing")
	}
	return v.trim(keep), "", nil
}

// trim drops the spaces at the end that were neither quoted nor escaped.
func (v value) trim(keep int) value {
	for len(v.text) > keep && (v.text[len(v.text)-1] == ' ' || v.text[len(v.text)-1] == '\t') {
		v.text = v.text[:len(v.text)-1]
	}
	return v
}

// readEscape reads \c or \hh and returns how long it is and the octet it stands for.
func readEscape(in string) (n int, octet byte, err error) {
	if len(in) >= 3 {
		if b, err := hex.DecodeString(in[1:3]); err == nil {
			return 3, b[0], nil
		}
	}
	if len(in) < 2 {
		return 0, 0, fmt.Errorf("there is nothing after the last \\")
	}
	return 2, in[1], nil
}

// attribute chooses the string type: IA5String where the standard says so, PrintableString where the text allows it,
// and UTF8String otherwise (RFC 5280, section 4.1.2.4).
func (v value) attribute(oid string) (attribute, error) {
	contents, err := encodeOID(oid)
	if err != nil {
		return attribute{}, err
	}
	a := attribute{oid: contents, value: v.text}
	if v.der {
		der, err := hex.DecodeString(string(v.text))
		if err != nil {
			return a, fmt.Errorf("%q is not hexadecimal", v.text)
		}
		in := cryptobyte.String(der)
		var val cryptobyte.String
		if !in.ReadAnyASN1(&val, &a.tag) || !in.Empty() {
			return a, fmt.Errorf("#%s is not the DER of a value", v.text)
		}
		a.value = val
		return a, nil
	}
	switch {
	case !utf8.Valid(v.text):
		return a, fmt.Errorf("it is not UTF-8")
	case (oid == oidEmail || oid == oidDC) && isASCII(v.text):
		a.tag = asn1.IA5String
	case isPrintableString(v.text):
		a.tag = asn1.PrintableString
	default:
		a.tag = asn1.UTF8String
	}
	return a, nil
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// isPrintableString reports whether X.680's PrintableString can hold the text. "*" is not of it but is written so in
// patterns, and certificates with wildcards use it.
func isPrintableString(b []byte) bool {
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte(" '()+,-./:=?*", c) >= 0:
		default:
			return false
		}
	}
	return true
}
