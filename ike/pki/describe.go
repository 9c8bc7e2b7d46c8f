package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The bounds of texts about a certificate, in bytes and in names.
const (
	maxText  = 256
	maxNames = 8
)

// Describe is a certificate in one line for an operator: subject, names, serial number, issuer and dates. Whatever
// bytes the certificate has, the line is bounded and has no control characters.
func Describe(c *x509.Certificate) string {
	return fmt.Sprintf("%q for %s, serial number %s, issued by %q, valid from %s to %s", Subject(c), Names(c), Serial(c), Issuer(c),
		date(c.NotBefore), date(c.NotAfter))
}

// Subject is the subject as a configuration writes distinguished names, shortened if it is long.
func Subject(c *x509.Certificate) string {
	if len(c.Subject.Names) == 0 {
		return "(no subject)"
	}
	return clip(subjectOf(c).String())
}

// Issuer is the issuer as [Subject] is the subject.
func Issuer(c *x509.Certificate) string { return clip(issuerOf(c).String()) }

// Serial is the serial number in hexadecimal.
func Serial(c *x509.Certificate) string { return fmt.Sprintf("%x", c.SerialNumber) }

// Names are the identities that the certificate speaks for, in one line: the first names of the subjectAltName, and
// the subject if there is no such name.
func Names(c *x509.Certificate) string {
	if c == nil {
		return "nobody"
	}
	var all []string
	more := 0
	add := func(name string) {
		if len(all) == maxNames {
			more++
			return
		}
		all = append(all, fmt.Sprintf("%q", clip(name)))
	}
	for _, n := range c.DNSNames {
		add(n)
	}
	for _, n := range c.EmailAddresses {
		add(n)
	}
	for _, n := range c.IPAddresses {
		add(n.String())
	}
	if len(c.Subject.Names) > 0 {
		add(Subject(c))
	}
	switch {
	case len(all) == 0:
		return "nobody"
	case more > 0:
		return fmt.Sprintf("%s and %d more", strings.Join(all, ", "), more)
	}
	return strings.Join(all, ", ")
}

// keyPrint is the SHA-256 of a public key as `esplanade pki show` prints it: of its SubjectPublicKeyInfo.
func keyPrint(spki []byte) string {
	h := sha256.Sum256(spki)
	return strings.ReplaceAll(fmt.Sprintf("% X", h[:]), " ", ":")
}

// clip makes a text harmless: no control characters, nothing that changes the direction of writing, and not long.
func clip(s string) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= maxText {
			b.WriteString("…")
			break
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// apart is a duration as people say it: in its two largest units.
func apart(d time.Duration) string {
	const day = 24 * time.Hour
	unit := func(n time.Duration, name string) string {
		if n == 1 {
			return "1 " + name
		}
		return fmt.Sprintf("%d %ss", n, name)
	}
	switch {
	case d >= 2*day:
		return unit(d/day, "day")
	case d >= time.Hour:
		return unit(d/time.Hour, "hour") + " and " + unit(d%time.Hour/time.Minute, "minute")
	case d >= time.Minute:
		return unit(d/time.Minute, "minute")
	}
	return unit(d/time.Second, "second")
}
