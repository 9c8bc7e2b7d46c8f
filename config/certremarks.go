package config

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/files"
)

// endsSoon is how long before the end of a certificate there is a warning.
const endsSoon = 30 * day

// certRole is what a certificate is for.
type certRole uint8

const (
	ownRole    certRole = iota // this gateway proves itself with it
	pinnedRole                 // the peer must have it
	caRole                     // a CA that is accepted
	responderRole
)

// certUse is a certificate that the configuration uses, with where it is named.
type certUse struct {
	named
	path string
	role certRole
	conn *Connection // nil for one of [credentials]
	cert *x509.Certificate
	// chain is what is sent with it, itself first.
	chain []*x509.Certificate
	// known are the CAs that are known here.
	known []*x509.Certificate
}

// listUse is a revocation list.
type listUse struct {
	named
	path string
	list *x509.RevocationList
	cas  []*x509.Certificate // that are known here
}

// remarks are what is to be said of certificates at a time.
type remarks struct {
	now  time.Time
	list []Problem
}

// CertificateRemarks says what is wrong, or will soon be, with the certificates and revocation lists that the configuration uses: what
// has expired, is for another identity, is too weak, or leads to no root. None of it keeps a connection from being tried: it is for
// people to read, and is different tomorrow.
func (c *Config) CertificateRemarks(now time.Time) []Problem {
	r := &remarks{now: now}
	seen := map[string]bool{} // a CA of several connections is spoken of once
	for _, u := range c.uses {
		key := fmt.Sprintf("%s %d %x", u.at, u.role, u.cert.Raw)
		if !seen[key] {
			seen[key] = true
			r.use(u)
		}
	}
	for _, u := range c.lists {
		r.revocationList(u)
	}
	for _, n := range c.Connections {
		r.policies(c, n)
		r.unknowable(c, n)
	}
	r.sameIdentity(c)
	return sortProblems(r.list)
}

func (r *remarks) add(at Position, want, format string, args ...any) {
	r.list = append(r.list, Problem{at, oneLine(fmt.Sprintf(format, args...)), oneLine(want)})
}

// say adds a remark about a certificate.
func (r *remarks) say(u certUse, c *x509.Certificate, want, format string, args ...any) {
	r.add(u.at, want, "%s: %s: the certificate %s %s", u.key, quote(u.path), quote(pki.Subject(c)), fmt.Sprintf(format, args...))
}

// use says what is to be said of one certificate.
func (r *remarks) use(u certUse) {
	for i, c := range append([]*x509.Certificate{u.cert}, u.chain[min(1, len(u.chain)):]...) {
		r.dates(u, c)
		if i > 0 || u.role == ownRole {
			r.signature(u, c)
		}
	}
	if u.role == caRole {
		r.authority(u)
		return
	}
	r.usage(u)
	switch {
	case u.role == responderRole:
	case u.role == ownRole:
		r.ownIdentity(u)
		r.end(u)
	case u.conn.Remote.ID.Concrete() && !pki.Binds(u.cert, u.conn.Remote.ID):
		r.say(u, u.cert, `write id = `+quote(firstName(u.cert, u.conn.Remote.ID))+` into [`+u.conn.Remote.name+`]`, "is not for the remote id %s; it is for %s",
			quote(u.conn.Remote.ID.String()), pki.Names(u.cert))
	}
}

// dates says when a certificate is valid, if that is not now or not for long.
func (r *remarks) dates(u certUse, c *x509.Certificate) {
	switch left := c.NotAfter.Sub(r.now); {
	case r.now.Before(c.NotBefore):
		r.say(u, c, "correct the clock of this host, or wait", "is not valid before %s; the clock here says %s", stamp(c.NotBefore), stamp(r.now))
	case left < 0:
		r.say(u, c, renew(u.role), "expired at %s; the clock here says %s", stamp(c.NotAfter), stamp(r.now))
	case left < endsSoon && c.NotAfter.Sub(c.NotBefore) > 2*endsSoon:
		r.say(u, c, renew(u.role), "expires at %s, in %s", stamp(c.NotAfter), days(left))
	case left < c.NotAfter.Sub(c.NotBefore)/5 && left < endsSoon:
		// One that is valid for days only is renewed by a program, which has failed by then.
		r.say(u, c, renew(u.role)+", or see why that has not been done", "expires at %s, in %s", stamp(c.NotAfter), days(left))
	}
}

func renew(role certRole) string {
	if role == ownRole {
		return "renew it; the file is read again when it has changed"
	}
	return "ask its owner for a new one"
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// days is how long something lasts, for people.
func days(d time.Duration) string {
	switch n := int(d / day); {
	case n > 1:
		return fmt.Sprintf("%d days", n)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d/time.Hour))
	}
	return fmt.Sprintf("%d minutes", int(d/time.Minute))
}

// signature says that a certificate is signed with what no peer should accept. That on a root nobody looks at.
func (r *remarks) signature(u certUse, c *x509.Certificate) {
	weak := []x509.SignatureAlgorithm{x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1}
	if slices.Contains(weak, c.SignatureAlgorithm) && !selfIssued(c) {
		r.say(u, c, "have it issued again with SHA-256", "is signed with %s, which peers refuse", c.SignatureAlgorithm)
	}
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

// authority says why nothing that a CA has issued will be accepted.
func (r *remarks) authority(u certUse) {
	_, err := pki.PublicKey(u.cert)
	switch {
	case !u.cert.IsCA && u.cert.BasicConstraintsValid, !u.cert.IsCA && u.cert.Version >= 3:
		r.say(u, u.cert, "name that of the CA which has issued it; a peer's own goes into certs of [connections.NAME.remote]", "is not that of a CA: it is accepted for itself only")
	case u.cert.KeyUsage != 0 && u.cert.KeyUsage&x509.KeyUsageCertSign == 0:
		r.say(u, u.cert, "have it issued again with keyCertSign", "is that of a CA whose key may not sign certificates")
	case errors.Is(err, pki.ErrWeakKey):
		r.say(u, u.cert, "use a CA with RSA of 2048 bits or more, or with ECDSA", "has a weak key: %v", err)
	case err != nil:
		r.say(u, u.cert, "use a CA with RSA or ECDSA", "has a key that is not accepted: %v", err)
	}
}

// usage says that the key of an end may not sign, which peers hold against it.
func (r *remarks) usage(u certUse) {
	const may = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if u.cert.KeyUsage != 0 && u.cert.KeyUsage&may == 0 {
		r.say(u, u.cert, "have it issued again with digitalSignature", "is for a key that may not sign: its key usage has neither digitalSignature nor nonRepudiation")
	}
	if _, err := pki.PublicKey(u.cert); err != nil && u.role != ownRole { // for an own one that is an error already
		r.say(u, u.cert, "use a certificate with another key", "has a key that is not accepted: %v", err)
	}
	if len(u.cert.UnhandledCriticalExtensions) > 0 {
		r.say(u, u.cert, "have it issued again without", "has a critical extension that nobody knows: %s", u.cert.UnhandledCriticalExtensions[0])
	}
}

// ownIdentity says that a certificate is not for the identity that this side shows.
func (r *remarks) ownIdentity(u certUse) {
	id := u.conn.Local.ID
	if id.Any() || pki.Binds(u.cert, id) {
		return
	}
	want := "have it issued again with that name in its subjectAltName"
	if name := firstName(u.cert, id); name != "" {
		want = "write id = " + quote(name) + ", or " + want
	}
	r.add(u.conn.Local.At("id"), want, "%s is %s, and the certificate of %s is not for it, so that peers refuse it: it is for %s", u.conn.Local.name+".id", quote(id.String()),
		quote(u.path), pki.Names(u.cert))
}

// firstName is an identity that a certificate is for, as it is written; "" if there is none. It is the subject for whoever has meant one,
// since the other side then has one as well.
func firstName(c *x509.Certificate, meant identity.Identity) string {
	if id := subjectOf(c); meant.Type == identity.DERASN1DN && id.Type == identity.DERASN1DN {
		return id.String()
	}
	for _, list := range [][]string{c.DNSNames, c.EmailAddresses} {
		for _, name := range list {
			if id, err := identity.Parse(name); err == nil && pki.Binds(c, id) {
				return name
			}
		}
	}
	if id := subjectOf(c); !id.Any() {
		return id.String()
	}
	return ""
}

// end says where the chain ends that is sent, if its next CA is not known here. The peer may have it: it must.
func (r *remarks) end(u certUse) {
	last := u.chain[len(u.chain)-1]
	issued := func(ca *x509.Certificate) bool { return signedBy(last, ca) }
	if selfIssued(last) || slices.ContainsFunc(u.known, issued) || slices.ContainsFunc(rootsBeside(u.path), issued) {
		return
	}
	what := fmt.Sprintf("was issued by %s, which is not here", quote(pki.Issuer(last)))
	if slices.ContainsFunc(u.known, func(ca *x509.Certificate) bool { return bytes.Equal(ca.RawSubject, last.RawIssuer) }) {
		what = fmt.Sprintf("names %s as its issuer, whose certificate here has another key", quote(pki.Issuer(last)))
	}
	r.say(u, last, "put the certificate of that CA behind it in the same file, or into x509 of [credentials]; leave it out if every peer has it",
		"%s: a peer that does not have that CA's certificate finds no chain", what)
}

// rootFile is where `esplanade pki` has the root CA of the certificates beside it.
const rootFile = "ca.crt"

// rootsBeside are the roots in the file of that name beside a certificate. Whoever peers are to find a chain to is told by that, though nothing here trusts it.
func rootsBeside(path string) []*x509.Certificate {
	f, err := os.Open(filepath.Join(filepath.Dir(path), rootFile))
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRootFile))
	if err != nil {
		return nil
	}
	list, err := files.Certificates(data)
	if err != nil {
		return nil // it is no file of ours
	}
	return slices.DeleteFunc(list, func(c *x509.Certificate) bool { return !selfIssued(c) })
}

// maxRootFile is how much of such a file is read, in bytes.
const maxRootFile = 64 << 10

// signedBy reports whether a CA has signed a certificate. That it has used an algorithm for it that nobody accepts any more is another
// matter.
func signedBy(c, ca *x509.Certificate) bool {
	if !bytes.Equal(ca.RawSubject, c.RawIssuer) {
		return false
	}
	err := c.CheckSignatureFrom(ca)
	var insecure x509.InsecureAlgorithmError
	return err == nil || errors.As(err, &insecure)
}

// revocationList says that a list is out of date, or of a CA that is not known.
func (r *remarks) revocationList(u listUse) {
	if !u.list.NextUpdate.IsZero() && r.now.After(u.list.NextUpdate) {
		r.add(u.at, "fetch a new one; the file is read again when it has changed", "%s: %s: the revocation list was to be replaced at %s; the clock here says %s", u.key, quote(u.path),
			stamp(u.list.NextUpdate), stamp(r.now))
	}
	if r.now.Before(u.list.ThisUpdate) {
		r.add(u.at, "correct the clock of this host", "%s: %s: the revocation list is of %s; the clock here says %s", u.key, quote(u.path), stamp(u.list.ThisUpdate), stamp(r.now))
	}
	if !slices.ContainsFunc(u.cas, func(ca *x509.Certificate) bool { return bytes.Equal(ca.RawSubject, u.list.RawIssuer) }) {
		r.add(u.at, "remove it, or name the certificate of that CA", "%s: %s: the revocation list is of %s, a CA that is not known here", u.key, quote(u.path), quote(u.list.Issuer.String()))
	}
}

// anyPolicy is the certificate policy of a CA that may issue under every one (RFC 5280 section 4.2.1.4).
const anyPolicy = "2.5.29.32.0"

// policies says that no CA which is known here issues under the policies that a connection demands.
func (r *remarks) policies(c *Config, n *Connection) {
	trust := c.Set.Accepted(n.Name, 0).Trust
	if len(n.Remote.Policies) == 0 || trust == nil {
		return
	}
	var restricted []string
	for _, ca := range append(slices.Clone(trust.Anchors), trust.Intermediates...) {
		if selfIssued(ca) {
			continue
		}
		if slices.ContainsFunc(ca.Policies, func(p x509.OID) bool {
			return p.String() == anyPolicy || slices.ContainsFunc(n.Remote.Policies, p.Equal)
		}) {
			return
		}
		if name := quote(pki.Subject(ca)); !slices.Contains(restricted, name) {
			restricted = append(restricted, name)
		}
	}
	if len(restricted) > 0 {
		var oids []string
		for _, p := range n.Remote.Policies {
			oids = append(oids, p.String())
		}
		r.add(n.Remote.At("cert_policy"), "write one of theirs, or remove it", "%s.cert_policy is %s, and the CAs below the roots that are known here issue under other policies: %s", n.Remote.name,
			strings.Join(oids, ", "), joinAnd(restricted[:min(len(restricted), maxTakers)]))
	}
}

// sameIdentity says that a connection without certs has several certificates with keys of one kind to choose from.
func (r *remarks) sameIdentity(c *Config) {
	for _, n := range c.Connections {
		own := c.Set.Own(n.Name, 0)
		if n.Local.Has("certs") || n.Local.Has("pubkeys") {
			continue
		}
		first := map[string]string{}
		for _, p := range own {
			kind := fmt.Sprintf("%T", p.Key)
			if other, ok := first[kind]; ok {
				r.add(n.Local.At("auth"), "write certs = "+quote(other)+" to have the one", "%s has two certificates for %s: %s and %s; the first that the peer asks for is taken", n.Local.name,
					quote(n.Local.ID.String()), quote(other), quote(p.Name))
				break
			}
			first[kind] = p.Name
		}
	}
}
