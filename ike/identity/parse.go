package identity

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseError says what is wrong with the text of an identity and what would be right.
type ParseError struct {
	Text   string // as given
	Reason string // what is wrong
	Want   string // what would be right
}

// Error is one line: the text, the reason, and what would be right.
func (e *ParseError) Error() string {
	return fmt.Sprintf("identity %q: %s; %s", e.Text, e.Reason, e.Want)
}

// maxText is the longest text looked at: twice MaxLen, for hexadecimal, and a prefix.
const maxText = 2*MaxLen + 32

// Parse reads an identity as swanctl.conf writes it. The form decides the type:
//
//	%any, %any6, *, 0.0.0.0, ::         no identity in particular
//	203.0.113.1, 2001:db8::1            ID_IPV4_ADDR, ID_IPV6_ADDR
//	203.0.113.0/24, 203.0.113.1-203.0.113.9   a pattern for such
//	C=CH, O=example, CN=gw              ID_DER_ASN1_DN, in the certificate's order; also /C=CH/O=example/CN=gw
//	user@example.org                    ID_RFC822_ADDR
//	gw.example.org, @gw.example.org     ID_FQDN; the @ is for names that look like something else
//	@@user@host                         ID_RFC822_ADDR
//	@#0a0b                              ID_KEY_ID, in hexadecimal
//	keyid:text, fqdn:text, …            that type, with the text as it is; the prefixes are ipv4, ipv6, rfc822, email,
//	                                    userfqdn, fqdn, dns, asn1dn, asn1gn, keyid and {number}
//	keyid:#0a0b                         that type, in hexadecimal
//
// A leading * in a name or an address is a wildcard, as is a whole value of a distinguished name; see
// [Identity.Matches].
//
// Where swanctl takes text that is nothing else as a key id or a name, silently, Parse reports an error and says how to
// write it: "C=CH, XY=1" is no distinguished name, 10.0.0.1/33 no domain. The error is a *ParseError.
func Parse(text string) (Identity, error) {
	bad := func(reason, want string) (Identity, error) {
		t := text
		if len(t) > 200 {
			t = t[:200] + "…"
		}
		return Identity{}, &ParseError{Text: t, Reason: reason, Want: want}
	}
	if len(text) > maxText {
		return bad("it is too long", fmt.Sprintf("at most %d octets are accepted", MaxLen))
	}
	s := trim(text)
	switch s {
	case "":
		return bad("it is empty", "write %any for no identity in particular")
	case "%any", "%any6", "*", "0.0.0.0", "::", "0::0":
		return Identity{}, nil
	case "%null":
		return Identity{Type: Null}, nil
	}
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Zone() != "" {
			return bad("it has a zone", "leave out the part from %")
		}
		return FromAddr(a), nil
	}
	if id, reason, want, ok := parseAddrPattern(s); ok {
		if reason != "" {
			return bad(reason, want)
		}
		return id, nil
	}
	if prefix, rest, ok := strings.Cut(s, ":"); ok {
		if t, ok, err := typePrefix(prefix); err != nil {
			return bad(err.Error(), "write a number from 1 to 255")
		} else if ok {
			id, reason, want := explicit(t, rest)
			if reason != "" {
				return bad(reason, want)
			}
			return id, nil
		}
	}
	if rest, ok := strings.CutPrefix(s, "@"); ok {
		return parseAt(rest, bad)
	}
	if strings.Contains(s, "=") && (looksLikeDN(s) || !strings.Contains(s, "@")) {
		der, err := parseDNText(s)
		if err != nil {
			return bad("as a distinguished name: "+err.Error(), "or write keyid: before it for a key id")
		}
		if len(der) > MaxLen {
			return bad("it is too long", fmt.Sprintf("at most %d octets are accepted", MaxLen))
		}
		return Identity{Type: DERASN1DN, Data: der}, nil
	}
	if strings.Contains(s, "@") {
		return parseName(RFC822Addr, s, bad)
	}
	if strings.Contains(s, ":") {
		return bad("it is neither an IPv6 address nor a known type and value", "write keyid: before it for a key id; the "+
			"types are fqdn, email, keyid, asn1dn, asn1gn, ipv4 and ipv6")
	}
	return parseName(FQDN, s, bad)
}

// trim drops white space around the text, but not a space that a \ before it makes part of a value.
func trim(text string) string {
	text = strings.TrimLeft(text, " \t\r\n")
	s := strings.TrimRight(text, " \t\r\n")
	escapes := len(s) - len(strings.TrimRight(s, "\\"))
	if escapes%2 == 1 && len(s) < len(text) {
		s = text[:len(s)+1]
	}
	return s
}

// parseAt reads what follows an @.
func parseAt(rest string, bad func(reason, want string) (Identity, error)) (Identity, error) {
	if digits, ok := strings.CutPrefix(rest, "#"); ok {
		b, reason, want := unhex(digits)
		if reason != "" {
			return bad(reason, want)
		}
		return Identity{Type: KeyID, Data: b}, nil
	}
	if user, ok := strings.CutPrefix(rest, "@"); ok {
		return parseName(RFC822Addr, user, bad)
	}
	return parseName(FQDN, rest, bad)
}

// parseName reads a domain name or an e-mail address, both taken literally but for a wildcard at the beginning.
func parseName(t Type, s string, bad func(reason, want string) (Identity, error)) (Identity, error) {
	if reason, want := checkName(t, s); reason != "" {
		return bad(reason, want)
	}
	return Identity{Type: t, Data: []byte(s)}, nil
}

func checkName(t Type, s string) (reason, want string) {
	switch {
	case s == "":
		return "there is nothing after the prefix", "write the name"
	case len(s) > MaxLen:
		return "it is too long", fmt.Sprintf("at most %d octets are accepted", MaxLen)
	// "All characters in the ID_FQDN are ASCII; for an internationalized domain name, the syntax is as defined in
	// [IDNA], for example "xn--…"" https://www.rfc-editor.org/rfc/rfc7296#section-3.5
	case t == FQDN && !isASCII([]byte(s)):
		return "a domain name has ASCII characters only", "write it in its xn-- form, or keyid: before it for a key id"
	case !utf8.ValidString(s):
		return "it is not UTF-8", "write keyid:# and the octets in hexadecimal"
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return "it has a space or a control character in it", "write keyid: before it for a key id"
	case strings.Contains(s[1:], "*"):
		return "a wildcard is possible at the beginning only", "write as in *.example.org or *@example.org"
	}
	return "", ""
}

// parseAddrPattern reads a prefix or a range of addresses. ok says that the text is meant as one, right or wrong.
func parseAddrPattern(s string) (id Identity, reason, want string, ok bool) {
	if addr, _, isPrefix := strings.Cut(s, "/"); isPrefix {
		if _, err := netip.ParseAddr(addr); err != nil {
			return Identity{}, "", "", false
		}
		p, err := netip.ParsePrefix(s)
		if err != nil || p.Addr().Is4In6() {
			return Identity{}, "it is not a prefix", "write as in 203.0.113.0/24", true
		}
		p = p.Masked()
		mask := make([]byte, p.Addr().BitLen()/8)
		for i := range p.Bits() {
			mask[i/8] |= 0x80 >> (i % 8)
		}
		t := IPv6Subnet
		if p.Addr().Is4() {
			t = IPv4Subnet
		}
		return Identity{Type: t, Data: append(p.Addr().AsSlice(), mask...)}, "", "", true
	}
	from, to, isRange := strings.Cut(s, "-")
	if !isRange {
		return Identity{}, "", "", false
	}
	a, errA := netip.ParseAddr(strings.TrimSpace(from))
	b, errB := netip.ParseAddr(strings.TrimSpace(to))
	if errA != nil || errB != nil {
		return Identity{}, "", "", false
	}
	if a.BitLen() != b.BitLen() || b.Less(a) || a.Is4In6() || b.Is4In6() || a.Zone() != "" || b.Zone() != "" {
		return Identity{}, "it is not a range of addresses", "write as in 203.0.113.1-203.0.113.9", true
	}
	t := IPv6Range
	if a.Is4() {
		t = IPv4Range
	}
	return Identity{Type: t, Data: append(a.AsSlice(), b.AsSlice()...)}, "", "", true
}

// typePrefix is the type that a prefix of the form type:value names. ok is false for what is no such prefix.
func typePrefix(prefix string) (t Type, ok bool, err error) {
	switch strings.ToLower(prefix) {
	case "ipv4":
		return IPv4Addr, true, nil
	case "ipv6":
		return IPv6Addr, true, nil
	case "rfc822", "email", "userfqdn":
		return RFC822Addr, true, nil
	case "fqdn", "dns":
		return FQDN, true, nil
	case "asn1dn":
		return DERASN1DN, true, nil
	case "asn1gn":
		return DERASN1GN, true, nil
	case "keyid":
		return KeyID, true, nil
	}
	if inner, ok := strings.CutPrefix(prefix, "{"); ok {
		inner, ok = strings.CutSuffix(inner, "}")
		n, err := strconv.ParseUint(inner, 0, 8)
		if !ok || err != nil || n == 0 {
			return 0, false, fmt.Errorf("%s is not an identity type", prefix)
		}
		return Type(n), true, nil
	}
	return 0, false, nil
}

// explicit reads the value behind a type's prefix.
func explicit(t Type, text string) (id Identity, reason, want string) {
	id.Type = t
	if digits, ok := strings.CutPrefix(text, "#"); ok {
		if id.Data, reason, want = unhex(digits); reason != "" {
			return Identity{}, reason, want
		}
	} else {
		switch t {
		case IPv4Addr, IPv6Addr:
			return Identity{}, "behind this prefix the address is in hexadecimal",
				fmt.Sprintf("write %s without the prefix", text)
		case DERASN1DN:
			der, err := parseDNText(text)
			if err != nil {
				return Identity{}, "as a distinguished name: " + err.Error(), "write as in C=CH, O=example, CN=gw"
			}
			id.Data = der
		case FQDN, RFC822Addr:
			if strings.HasPrefix(text, "^") && strings.HasSuffix(text, "$") {
				return Identity{}, "regular expressions are not supported by this version", "write as in *.example.org"
			}
			if reason, want = checkName(t, text); reason != "" {
				return Identity{}, reason, want
			}
			id.Data = []byte(text)
		default:
			id.Data = []byte(text)
		}
	}
	if len(id.Data) > MaxLen {
		return Identity{}, "it is too long", fmt.Sprintf("at most %d octets are accepted", MaxLen)
	}
	if err := id.check(); err != nil {
		return Identity{}, err.Error(), "check the value"
	}
	return id, "", ""
}

func unhex(digits string) (b []byte, reason, want string) {
	b, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if err != nil || len(b) == 0 {
		return nil, "what follows # is not hexadecimal", "write two digits for each octet, as in #0a0b0c"
	}
	if len(b) > MaxLen {
		return nil, "it is too long", fmt.Sprintf("at most %d octets are accepted", MaxLen)
	}
	return b, "", ""
}
