package export

import (
	"crypto/sha1"
	"crypto/x509"
	"fmt"
	"strings"

	"esplanade/ike/identity"
)

// userID is the identity of a user that has no other one.
func userID(user string) (identity.Identity, error) {
	id, err := identity.Parse(user)
	if err == nil && id.Concrete() {
		return id, nil
	}
	if id, err = identity.Parse("keyid:" + user); err != nil {
		return id, fmt.Errorf("the user %q is no identity: %w", user, err)
	}
	return id, nil
}

// subjectOf is the identity that a certificate gives whoever has written none: its subject.
func subjectOf(c *x509.Certificate) identity.Identity {
	id, err := identity.FromWire(uint8(identity.DERASN1DN), c.RawSubject)
	if err != nil {
		return identity.Identity{}
	}
	return id
}

// nameOf is the identity of a user with a certificate: the user's name if the certificate has it, else the first name that it has, else its
// subject. Clients such as Apple's send a name and no subject.
func nameOf(c *x509.Certificate, user string) identity.Identity {
	var names []string
	for _, list := range [][]string{c.EmailAddresses, c.DNSNames} {
		for _, n := range list {
			if n == user {
				names = append([]string{n}, names...)
			} else {
				names = append(names, n)
			}
		}
	}
	for _, n := range names {
		if id, err := identity.Parse(n); err == nil && id.Concrete() {
			return id
		}
	}
	return subjectOf(c)
}

// fileName is a name of a file that holds something of somebody, in letters that every system has in names of files.
func fileName(who, what string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-', r == '_', r == '@':
			return r
		}
		return '_'
	}, who)
	return strings.TrimLeft(clean, ".-") + what
}

// who names whom the profile is for, for names of files.
func (p *Profile) who() string {
	if p.User != "" {
		return p.User
	}
	return p.Name
}

// caFile, certFile and keyFile are what files are called in formats that name them.
func (p *Profile) caFile() string   { return fileName(p.Name, "-ca.crt") }
func (p *Profile) certFile() string { return fileName(p.who(), ".crt") }
func (p *Profile) keyFile() string  { return fileName(p.who(), ".key") }

// uuidSpace is the namespace of the UUIDs: that of DNS names, https://www.rfc-editor.org/rfc/rfc9562#section-6.6
const uuidSpace = "\x6b\xa7\xb8\x10\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8"

// uuid is the UUID, version 5, of a part of the profile. It depends on the gateway, the connection and the user only, so that a profile that is
// written again takes the place of the one before. https://www.rfc-editor.org/rfc/rfc9562#section-5.5
func (p *Profile) uuid(part string) string {
	h := sha1.New()
	fmt.Fprintf(h, "%s%s/%s/%s/%s", uuidSpace, p.GatewayID, p.Name, p.User, part)
	b := h.Sum(nil)[:16]
	b[6] = b[6]&0x0f | 0x50
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// title is what people read as the name of the profile.
func (p *Profile) title() string {
	if p.User == "" {
		return p.Name
	}
	return p.Name + " (" + p.User + ")"
}
