package ca

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names are the names that a certificate has in its subjectAltName.
type Names struct {
	DNS, Emails []string
	IPs         []netip.Addr
}

// The longest names. maxDNS is RFC 1035's; a common name is as long as X.520's ub-common-name.
const (
	maxDNS        = 253
	maxLabel      = 63
	maxCommonName = 64
)

// Add adds a name, of the kind that its text has: an IP address, an e-mail address, or a DNS name. The error says what is wrong.
func (n *Names) Add(text string) error {
	if a, err := netip.ParseAddr(text); err == nil {
		if a.Zone() != "" {
			return fmt.Errorf("%q has a zone, which no certificate can have; leave out what begins with %%", text)
		}
		n.IPs = append(n.IPs, a.Unmap())
		return nil
	}
	if user, domain, ok := strings.Cut(text, "@"); ok {
		if user == "" || strings.ContainsFunc(user, func(r rune) bool { return r <= ' ' || r > '~' }) || !isDNS(domain) {
			return fmt.Errorf("%q is no e-mail address", text)
		}
		n.Emails = append(n.Emails, text)
		return nil
	}
	if !isDNS(strings.TrimPrefix(text, "*.")) {
		return fmt.Errorf("%q is no DNS name, no IP address and no e-mail address; a DNS name has letters, digits, \"-\" and dots", text)
	}
	n.DNS = append(n.DNS, text)
	return nil
}

// Empty reports whether there is no name.
func (n Names) Empty() bool { return len(n.DNS)+len(n.Emails)+len(n.IPs) == 0 }

// isDNS reports whether a text is a DNS name. An underscore is let through, as resolvers do.
func isDNS(text string) bool {
	if text == "" || len(text) > maxDNS {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
				return false
			}
		}
	}
	return true
}

// checkCommonName refuses a common name that nobody could read or write. The error says what is wrong.
func checkCommonName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fmt.Errorf("a name is needed")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("the name %q has characters that cannot be printed", name)
	case utf8.RuneCountInString(name) > maxCommonName:
		return fmt.Errorf("the name %q has %d characters; the common name of a certificate has at most %d", name, utf8.RuneCountInString(name), maxCommonName)
	}
	return nil
}
