package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	basn1 "golang.org/x/crypto/cryptobyte/asn1"

	"esplanade/ike/identity"
)

// maxSubtrees is the number of constraints on distinguished names that a CA may have.
const maxSubtrees = 128

// subtrees are the constraints of a CA that crypto/x509 doesn't have: those on distinguished names.
type subtrees struct {
	permitted, excluded []identity.Identity
	// other reports whether there are constraints on kinds of names that neither has.
	other bool
}

// The kinds of GeneralName (RFC 5280, section 4.2.1.6) by their tags: context-specific, and constructed for a Name, which
// is a CHOICE.
const (
	tagRFC822Name    basn1.Tag = 0x80 | 1
	tagDNSName       basn1.Tag = 0x80 | 2
	tagDirectoryName basn1.Tag = 0xa0 | 4
	tagURI           basn1.Tag = 0x80 | 6
	tagIPAddress     basn1.Tag = 0x80 | 7
)

// subtreesOf reads the name constraints of a certificate. ok is false if they are malformed, or have a minimum or a
// maximum: "the application MUST either process these fields or reject the certificate"
// (https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.10).
func subtreesOf(c *x509.Certificate) (s subtrees, ok bool) {
	in := cryptobyte.String(extension(c, oidNameConstraints))
	if in.Empty() {
		return s, true
	}
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, basn1.SEQUENCE) || !in.Empty() {
		return s, false
	}
	for i, into := range []*[]identity.Identity{&s.permitted, &s.excluded} {
		var list cryptobyte.String
		var there bool
		if !seq.ReadOptionalASN1(&list, &there, basn1.Tag(i).ContextSpecific().Constructed()) {
			return s, false
		}
		for !list.Empty() {
			var subtree, base cryptobyte.String
			var tag basn1.Tag
			if !list.ReadASN1(&subtree, basn1.SEQUENCE) || !subtree.ReadAnyASN1(&base, &tag) || !subtree.Empty() {
				return s, false
			}
			switch tag {
			case tagDirectoryName:
				dn, err := identity.FromWire(uint8(identity.DERASN1DN), base)
				if err != nil || len(*into) == maxSubtrees {
					return s, false
				}
				*into = append(*into, dn)
			case tagRFC822Name, tagDNSName, tagURI, tagIPAddress:
			default:
				s.other = true
			}
		}
	}
	return s, seq.Empty()
}

// understood is the certificate for crypto/x509: it would refuse one for constraints on distinguished names, which are
// judged here.
func understood(c *x509.Certificate) *x509.Certificate {
	i := slices.IndexFunc(c.UnhandledCriticalExtensions, func(o asn1.ObjectIdentifier) bool {
		return o.Equal(asn1.ObjectIdentifier{2, 5, 29, oidNameConstraints})
	})
	if i < 0 {
		return c
	}
	if s, ok := subtreesOf(c); !ok || s.other {
		return c
	}
	clone := *c
	clone.UnhandledCriticalExtensions = slices.Delete(slices.Clone(c.UnhandledCriticalExtensions), i, i+1)
	return &clone
}

// names judges the distinguished names in a chain, and the addresses in them, by the constraints of the CAs above.
func (j *judgement) names(chain []*x509.Certificate) *Refusal {
	for i, ca := range chain[1:] {
		if !hasExtension(ca, oidNameConstraints) {
			continue
		}
		refuse := func(c *x509.Certificate, place int, detail string) *Refusal {
			r := j.refuse(NameNotAllowed, c, roleAt(place, len(chain)), detail)
			r.CA = Subject(ca)
			return r
		}
		s, ok := subtreesOf(ca)
		if !ok {
			return refuse(chain[0], 0, "the constraints are malformed, or have a minimum or a maximum")
		}
		for k, c := range chain[:i+1] {
			// "Name constraints are not applied to self-issued certificates (unless the certificate is the final certificate in the
			// path)." https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.10
			if k > 0 && string(c.RawIssuer) == string(c.RawSubject) {
				continue
			}
			dns, ok := directoryNames(c)
			if !ok {
				return refuse(c, k, "a directoryName is malformed")
			}
			for _, dn := range dns {
				if !s.allow(dn) {
					return refuse(c, k, dn.String())
				}
			}
			for _, address := range addresses(c) {
				if !allowsAddress(ca, address) {
					return refuse(c, k, address)
				}
			}
		}
	}
	return nil
}

func (s subtrees) allow(dn identity.Identity) bool {
	within := func(base identity.Identity) bool { return dn.Within(base) }
	return !slices.ContainsFunc(s.excluded, within) && (len(s.permitted) == 0 || slices.ContainsFunc(s.permitted, within))
}

// directoryNames are the subject, unless it is empty, and the names of this kind in the subjectAltName.
func directoryNames(c *x509.Certificate) (all []identity.Identity, ok bool) {
	if len(c.Subject.Names) > 0 {
		all = append(all, subjectOf(c))
	}
	in := cryptobyte.String(extension(c, oidSubjectAltName))
	if in.Empty() {
		return all, true
	}
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, basn1.SEQUENCE) {
		return nil, false
	}
	for !seq.Empty() {
		var name cryptobyte.String
		var tag basn1.Tag
		if !seq.ReadAnyASN1(&name, &tag) {
			return nil, false
		}
		if tag != tagDirectoryName {
			continue
		}
		dn, err := identity.FromWire(uint8(identity.DERASN1DN), name)
		if err != nil {
			return nil, false
		}
		all = append(all, dn)
	}
	return all, true
}

// addresses are the e-mail addresses that constraints apply to: those of the subjectAltName, or "When constraints are
// imposed on the rfc822Name name form, but the certificate does not include a subject alternative name, the rfc822Name
// constraint MUST be applied to the attribute of type emailAddress in the subject distinguished name."
// https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.10
func addresses(c *x509.Certificate) []string {
	if hasExtension(c, oidSubjectAltName) {
		return c.EmailAddresses
	}
	var all []string
	for _, a := range c.Subject.Names {
		if a.Type.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}) {
			all = append(all, fmt.Sprint(a.Value))
		}
	}
	return all
}

// allowsAddress judges an address by the constraints of a CA. A mailbox is excluded whatever the case of its letters is,
// because identities are compared without regard to it (RFC 4945, section 3.1.3).
func allowsAddress(ca *x509.Certificate, address string) bool {
	excluded := func(base string) bool { return strings.EqualFold(address, base) || addressWithin(address, base) }
	permitted := func(base string) bool { return addressWithin(address, base) }
	return !slices.ContainsFunc(ca.ExcludedEmailAddresses, excluded) &&
		(len(ca.PermittedEmailAddresses) == 0 || slices.ContainsFunc(ca.PermittedEmailAddresses, permitted))
}

// addressWithin reports whether an address is in a subtree: that of a mailbox, of a host, or, with a period in front, of
// a domain.
func addressWithin(address, base string) bool {
	i := strings.LastIndexByte(address, '@')
	host := address[i+1:]
	switch at := strings.LastIndexByte(base, '@'); {
	case at >= 0:
		return i >= 0 && address[:i] == base[:at] && strings.EqualFold(host, base[at+1:])
	case strings.HasPrefix(base, "."):
		return len(host) > len(base) && strings.EqualFold(host[len(host)-len(base):], base)
	}
	return base == "" || strings.EqualFold(host, base)
}
