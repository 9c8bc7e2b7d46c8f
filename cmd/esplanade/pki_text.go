package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"esplanade/ike/pki"
	"esplanade/ike/pki/ca"
	"esplanade/ike/pki/revocation"
)

// The bounds of what is shown of a certificate, which anybody may have written.
const (
	maxShown = 400 // of a name, in characters
	maxItems = 100 // names, and lines of a revocation list
)

// shower prints certificates and keys.
type shower struct {
	w   io.Writer
	now time.Time
}

func (s *shower) line(label, text string) { fmt.Fprintf(s.w, "%-20s%s\n", label, text) }

// printable makes a text harmless that anybody may have written: what is no printable character is written as an escape, and a long text
// ends after n characters.
func printable(text string, n int) string {
	var b strings.Builder
	for i, count := 0, 0; i < len(text); count++ {
		if count == n {
			b.WriteString("…")
			break
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "\\x%02x", text[i])
		case !unicode.IsPrint(r) || r == '\\':
			fmt.Fprintf(&b, "\\u{%x}", r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// some are the first of many, each made harmless.
func some(list []string) string {
	var out []string
	for i, x := range list {
		if i == maxItems {
			out = append(out, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		out = append(out, printable(x, maxShown))
	}
	return strings.Join(out, ", ")
}

func (s *shower) certificates(list []*x509.Certificate) {
	for i, c := range list {
		if i > 0 {
			fmt.Fprintln(s.w)
		}
		s.certificate(c)
	}
}

// certificate prints a certificate.
func (s *shower) certificate(c *x509.Certificate) {
	what := "certificate"
	if c.IsCA {
		what = "CA certificate"
	}
	s.line(what, subjectText(printable(c.Subject.String(), maxShown)))
	if issuer := printable(c.Issuer.String(), maxShown); string(c.RawIssuer) == string(c.RawSubject) {
		s.line("issuer", "itself")
	} else {
		s.line("issuer", issuer)
	}
	s.names("DNS names", c.DNSNames)
	s.names("IP addresses", texts(c.IPAddresses, net.IP.String))
	s.names("e-mail addresses", c.EmailAddresses)
	var uris []string
	for _, u := range c.URIs {
		uris = append(uris, u.String())
	}
	s.names("URIs", uris)
	s.line("serial number", fmt.Sprintf("%x", c.SerialNumber))
	s.line("valid", validText(c.NotBefore, c.NotAfter, s.now))
	if key, err := pki.PublicKey(c); err == nil {
		s.line("key", keyName(key))
	} else {
		s.line("key", keyName(c.PublicKey)+", which is refused: "+printable(err.Error(), maxShown))
	}
	s.line("signed with", c.SignatureAlgorithm.String())
	s.extensions(c)
	s.line("SHA-256", fingerprint(sha256.Sum256(c.Raw)))
	s.line("SHA-1", shortFingerprint(sha1.Sum(c.Raw)))
	s.line("key, SHA-256", fingerprint(sha256.Sum256(c.RawSubjectPublicKeyInfo)))
	if !c.IsCA {
		s.clients(c)
	}
}

// clients says what native clients make of it.
func (s *shower) clients(c *x509.Certificate) {
	fmt.Fprintln(s.w, "as a gateway's, if its CA is trusted there:")
	for _, v := range ca.Clients(c, s.now) {
		if len(v.Refuses) == 0 {
			fmt.Fprintf(s.w, "  %-22s accepts it\n", v.Client)
			continue
		}
		fmt.Fprintf(s.w, "  %-22s refuses it: %s\n", v.Client, strings.Join(v.Refuses, "; "))
	}
}

func (s *shower) names(label string, list []string) {
	if len(list) > 0 {
		s.line(label, some(list))
	}
}

func subjectText(text string) string {
	if text == "" {
		return "(no subject)"
	}
	return text
}

func texts[T any](list []T, text func(T) string) (out []string) {
	for _, x := range list {
		out = append(out, text(x))
	}
	return out
}

// validText is a time of validity, and where now is in it.
func validText(from, until, now time.Time) string {
	text := from.UTC().Format(time.DateTime) + " to " + until.UTC().Format(time.DateTime) + " UTC, "
	switch {
	case now.Before(from):
		return text + "NOT YET: in " + plural(int(from.Sub(now)/ca.Day)+1, "day")
	case now.After(until):
		return text + "ENDED " + plural(int(now.Sub(until)/ca.Day), "day") + " ago"
	}
	return text + plural(int(until.Sub(now)/ca.Day), "day") + " left"
}

// extensions prints the extensions, those that are not known as well.
func (s *shower) extensions(c *x509.Certificate) {
	if c.KeyUsage != 0 {
		s.line("key usage", keyUsages(c.KeyUsage))
	}
	if list := extendedUsages(c); len(list) > 0 {
		s.line("extended key usage", strings.Join(list, ", "))
	}
	if c.BasicConstraintsValid {
		text := "no CA"
		if c.IsCA {
			text = "CA, any number of CAs below it"
			if c.MaxPathLen > 0 || c.MaxPathLenZero {
				text = fmt.Sprintf("CA, %s below it", plural(c.MaxPathLen, "CA"))
			}
		}
		s.line("basic constraints", text)
	}
	for _, x := range []struct {
		label           string
		dns, mail, uris []string
		ips             []*net.IPNet
	}{
		{"permitted names", c.PermittedDNSDomains, c.PermittedEmailAddresses, c.PermittedURIDomains, c.PermittedIPRanges},
		{"excluded names", c.ExcludedDNSDomains, c.ExcludedEmailAddresses, c.ExcludedURIDomains, c.ExcludedIPRanges},
	} {
		s.names(x.label, slices.Concat(x.dns, x.mail, x.uris, texts(x.ips, (*net.IPNet).String)))
	}
	s.names("policies", texts(c.Policies, x509.OID.String))
	s.names("revocation lists", c.CRLDistributionPoints)
	s.names("OCSP", c.OCSPServer)
	s.names("issuer's certificate", c.IssuingCertificateURL)
	if len(c.SubjectKeyId) > 0 {
		s.line("key identifier", printable(hex.EncodeToString(c.SubjectKeyId), maxShown))
	}
	if len(c.AuthorityKeyId) > 0 {
		s.line("issuer's key", printable(hex.EncodeToString(c.AuthorityKeyId), maxShown))
	}
	var others []string
	for _, e := range c.Extensions {
		if !isShown(e.Id) {
			text := fmt.Sprintf("%s (%d bytes)", e.Id, len(e.Value))
			if e.Critical {
				text = fmt.Sprintf("%s (%d bytes, CRITICAL)", e.Id, len(e.Value))
			}
			others = append(others, text)
		}
	}
	s.names("other extensions", others)
}

// isShown reports whether an extension is one of those that are shown by name: RFC 5280 section 4.2.
func isShown(id asn1.ObjectIdentifier) bool {
	for _, n := range []int{14, 15, 17, 19, 30, 31, 32, 35, 37} {
		if id.Equal(asn1.ObjectIdentifier{2, 5, 29, n}) {
			return true
		}
	}
	return id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}) // authorityInfoAccess
}

// keyUsages are the names of RFC 5280 section 4.2.1.3.
func keyUsages(u x509.KeyUsage) string {
	var out []string
	for i, name := range []string{"digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"} {
		if u&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

// extendedUsages are the extended usages by name, and those without one by number.
func extendedUsages(c *x509.Certificate) (out []string) {
	known := map[x509.ExtKeyUsage]string{
		x509.ExtKeyUsageAny: "any", x509.ExtKeyUsageServerAuth: "serverAuth", x509.ExtKeyUsageClientAuth: "clientAuth", x509.ExtKeyUsageCodeSigning: "codeSigning",
		x509.ExtKeyUsageEmailProtection: "emailProtection", x509.ExtKeyUsageTimeStamping: "timeStamping", x509.ExtKeyUsageOCSPSigning: "OCSPSigning",
		x509.ExtKeyUsageIPSECEndSystem: "ipsecEndSystem", x509.ExtKeyUsageIPSECTunnel: "ipsecTunnel", x509.ExtKeyUsageIPSECUser: "ipsecUser",
	}
	for _, u := range c.ExtKeyUsage {
		name, ok := known[u]
		if !ok {
			name = fmt.Sprintf("usage %d", u)
		}
		out = append(out, name)
	}
	for _, oid := range c.UnknownExtKeyUsage {
		switch text := oid.String(); text {
		case "1.3.6.1.5.5.7.3.17":
			out = append(out, "ipsecIKE")
		case "1.3.6.1.5.5.8.2.2":
			out = append(out, "ikeIntermediate")
		default:
			out = append(out, text)
		}
	}
	if len(out) > maxItems {
		out = append(out[:maxItems], fmt.Sprintf("and %d more", len(out)-maxItems))
	}
	return out
}

// crl prints a revocation list.
func (s *shower) crl(l *x509.RevocationList) {
	s.line("revocation list", "of "+subjectText(printable(l.Issuer.String(), maxShown)))
	if l.Number != nil {
		s.line("number", printable(l.Number.String(), maxShown))
	}
	if l.NextUpdate.IsZero() {
		s.line("valid", "from "+l.ThisUpdate.UTC().Format(time.DateTime)+" UTC, without an end")
	} else {
		s.line("valid", validText(l.ThisUpdate, l.NextUpdate, s.now))
	}
	s.line("signed with", l.SignatureAlgorithm.String())
	s.line("revoked", plural(len(l.RevokedCertificateEntries), "certificate"))
	for i, r := range l.RevokedCertificateEntries {
		if i == maxItems {
			fmt.Fprintf(s.w, "  and %d more\n", len(l.RevokedCertificateEntries)-i)
			break
		}
		fmt.Fprintf(s.w, "  %x  %s  %s\n", r.SerialNumber, r.RevocationTime.UTC().Format(time.DateTime), revocation.Reason(r.ReasonCode))
	}
}

// key prints the fingerprint of a public key.
func (s *shower) key(k crypto.PublicKey) {
	if spki, err := x509.MarshalPKIXPublicKey(k); err == nil {
		s.line("key, SHA-256", fingerprint(sha256.Sum256(spki)))
	}
}

// keyName is the kind of a public key.
func keyName(k crypto.PublicKey) string {
	switch k := k.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA of %d bits, exponent %d", k.N.BitLen(), k.E)
	case *ecdsa.PublicKey:
		return "ECDSA on " + k.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case nil:
		return "of a kind that is not known"
	}
	return strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", k), "*"), ".PublicKey") // ed448.PublicKey
}

// fingerprint is a hash as other programs show it.
func fingerprint(h [sha256.Size]byte) string { return colons(h[:]) }

func shortFingerprint(h [sha1.Size]byte) string { return colons(h[:]) }

func colons(h []byte) string {
	var b strings.Builder
	for i, x := range h {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", x)
	}
	return b.String()
}
