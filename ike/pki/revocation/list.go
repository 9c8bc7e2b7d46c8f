package revocation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"esplanade/ike/pki"
)

// List is a CRL whose signature was not verified yet, as it is in a file or comes from a server. Its entries were not looked at: whatever
// may be in there, it costs nothing beyond its octets before it is known that its CA has written it. It is immutable.
type List struct {
	// Name is that of the file, or the address.
	Name string

	head    *x509.RevocationList // without entries
	scope   scope
	base    *big.Int // the number of the base CRL, if this is a delta
	fresh   []point  // where deltas of it are
	entries []byte   // revokedCertificates: the SEQUENCE OF, without its header
	sum     [sha256.Size]byte
	der     []byte // of one that is short
}

// Sum is the SHA-256 of the list in DER.
func (l *List) Sum() [sha256.Size]byte { return l.sum }

// maxShown is how long a list may be to be kept as a whole for [List.DER]: more does not fit a value of VICI.
const maxShown = 1<<16 - 1

// Issuer is the name of the CA that says to have written the list.
func (l *List) Issuer() string { return issuerOf(l.head) }

// DER is the list, nil if it is longer than what can be shown. It must not be changed.
func (l *List) DER() []byte { return l.der }

// maxListOctets bounds a CRL. A million entries with serial numbers of 20 octets and a reason have about 53,000,000.
const maxListOctets = 64 << 20

// maxNumberOctets bounds a CRL number. https://www.rfc-editor.org/rfc/rfc5280#section-5.2.3: "CRL verifiers MUST be able to handle
// CRLNumber values up to 20 octets."
const maxNumberOctets = 20

// ReadList reads a CRL in DER, or in PEM as some servers have it. An error is a [*Problem].
func ReadList(name string, data []byte) (*List, error) {
	l, p := readList(data)
	if p != nil {
		return nil, p.of(CRL, name)
	}
	l.Name = name
	return l, nil
}

func readList(data []byte) (*List, *Problem) {
	if len(data) > maxListOctets {
		return nil, problem(FaultSize, "it has %d bytes; %d is the most that is kept", len(data), maxListOctets)
	}
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN")) {
		block, _ := pem.Decode(data)
		if block == nil || block.Type != "X509 CRL" {
			return nil, problem(FaultSyntax, "it is PEM, but no CRL")
		}
		data = block.Bytes
	}
	head, tbs, entries, ok := behead(data)
	if !ok {
		return nil, problem(FaultSyntax, "it is not a CRL of version 2")
	}
	l := &List{entries: entries, sum: sha256.Sum256(data)}
	if len(data) <= maxShown {
		l.der = data
	}
	var err error
	if l.head, err = x509.ParseRevocationList(head); err != nil {
		return nil, problem(FaultSyntax, "it is not a CRL: %v", err)
	}
	l.head.RawTBSRevocationList, l.head.Raw = tbs, nil
	if p := l.readExtensions(); p != nil {
		return nil, p
	}
	switch {
	case l.head.NextUpdate.IsZero():
		// https://www.rfc-editor.org/rfc/rfc5280#section-5.1.2.5: "Conforming CRL issuers MUST include the nextUpdate field in all CRLs."
		return nil, problem(FaultSyntax, "it does not say when the next one comes (nextUpdate), so nobody knows when it is out of date")
	case l.head.NextUpdate.Before(l.head.ThisUpdate):
		return nil, problem(FaultSyntax, "its nextUpdate %s is before its thisUpdate %s", stamp(l.head.NextUpdate), stamp(l.head.ThisUpdate))
	case l.head.Number != nil && (l.head.Number.Sign() < 0 || l.head.Number.BitLen() > maxNumberOctets*8):
		return nil, problem(FaultSyntax, "its number is out of bounds")
	case l.base != nil && l.head.Number == nil:
		// https://www.rfc-editor.org/rfc/rfc5280#section-5.2.3: conforming issuers include the number in all CRLs; a delta is of no use
		// without.
		return nil, problem(FaultSyntax, "it is a delta CRL without a number")
	}
	return l, nil
}

// behead takes the entries out of a CRL, so that the standard library parses the rest of it alone, and returns what is signed and the
// entries. Nothing may follow any part.
func behead(der []byte) (head, tbs, entries []byte, ok bool) {
	in := cryptobyte.String(der)
	var outer, signed, alg, sig, part cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Element(&signed, cbasn1.SEQUENCE) ||
		!outer.ReadASN1Element(&alg, cbasn1.SEQUENCE) || !outer.ReadASN1Element(&sig, cbasn1.BIT_STRING) || !outer.Empty() {
		return nil, nil, nil, false
	}
	tbs = signed
	var fields cryptobyte.String
	if !signed.ReadASN1(&fields, cbasn1.SEQUENCE) {
		return nil, nil, nil, false
	}
	var kept []byte
	keep := func(tag cbasn1.Tag) bool {
		if !fields.ReadASN1Element(&part, tag) {
			return false
		}
		kept = append(kept, part...)
		return true
	}
	isTime := func() bool { return fields.PeekASN1Tag(cbasn1.UTCTime) || fields.PeekASN1Tag(cbasn1.GeneralizedTime) }
	anyTime := func() bool { return keep(cbasn1.UTCTime) || keep(cbasn1.GeneralizedTime) }
	if !keep(cbasn1.INTEGER) || !keep(cbasn1.SEQUENCE) || !keep(cbasn1.SEQUENCE) || !isTime() || !anyTime() || isTime() && !anyTime() {
		return nil, nil, nil, false
	}
	if fields.PeekASN1Tag(cbasn1.SEQUENCE) {
		var list cryptobyte.String
		if !fields.ReadASN1(&list, cbasn1.SEQUENCE) {
			return nil, nil, nil, false
		}
		entries = list
	}
	extensions := cbasn1.Tag(0).Constructed().ContextSpecific()
	if fields.PeekASN1Tag(extensions) && !keep(extensions) || !fields.Empty() {
		return nil, nil, nil, false
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(kept) })
		b.AddBytes(alg)
		b.AddBytes(sig)
	})
	head, err := b.Bytes()
	return head, tbs, entries, err == nil
}

// The extensions of a CRL, RFC 5280 section 5.2.
var (
	oidIssuerAltName = asn1.ObjectIdentifier{2, 5, 29, 18}
	oidNumber        = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidDelta         = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidScope         = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidPoints        = asn1.ObjectIdentifier{2, 5, 29, 31} // of a certificate
	oidAuthorityKey  = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidFreshest      = asn1.ObjectIdentifier{2, 5, 29, 46}
	oidAuthorityInfo = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
)

// readExtensions reads those that say what the list is about. https://www.rfc-editor.org/rfc/rfc5280#section-5.2: "If a CRL contains a
// critical extension that the application cannot process, then the application MUST NOT use that CRL to determine the status of
// certificates."
func (l *List) readExtensions() *Problem {
	seen := map[string]bool{}
	for _, e := range l.head.Extensions {
		name := e.Id.String()
		if seen[name] {
			return problem(FaultSyntax, "it has the extension %s twice", name)
		}
		seen[name] = true
		ok := true
		switch {
		case e.Id.Equal(oidNumber), e.Id.Equal(oidAuthorityKey): // the standard library has read them
		case e.Id.Equal(oidIssuerAltName), e.Id.Equal(oidAuthorityInfo):
		case e.Id.Equal(oidDelta):
			in := cryptobyte.String(e.Value)
			l.base = new(big.Int)
			ok = in.ReadASN1Integer(l.base) && in.Empty() && l.base.Sign() >= 0 && l.base.BitLen() <= maxNumberOctets*8
		case e.Id.Equal(oidScope):
			l.scope, ok = readScope(e.Value)
		case e.Id.Equal(oidFreshest):
			l.fresh, ok = readPoints(e.Value)
		case e.Critical:
			return problem(FaultCritical, "it has the critical extension %s, which is not understood", name)
		}
		if !ok {
			return problem(FaultSyntax, "its extension %s is malformed", name)
		}
	}
	switch {
	case l.scope.indirect:
		return problem(FaultCritical, "it is an indirect CRL, which has entries of other CAs; they are not understood")
	case l.scope.attributes:
		return problem(FaultScope, "it is about attribute certificates")
	}
	return nil
}

// maxSkew is by how much the clocks of this host and of a CA may differ.
const maxSkew = 5 * time.Minute

// verify finds out whether a CA has written the list. On success its entries are worth reading.
func (l *List) verify(ca *x509.Certificate) *Problem {
	if !bytes.Equal(l.head.RawIssuer, ca.RawSubject) {
		return problem(FaultOther, "it is of %q, not of %q", issuerOf(l.head), pki.Subject(ca))
	}
	if err := checkSignature(ca, l.head.SignatureAlgorithm, l.head.RawTBSRevocationList, l.head.Signature); err != nil {
		p := problem(FaultSignature, "%v", err)
		p.Err = err
		return p
	}
	// https://www.rfc-editor.org/rfc/rfc5280#section-6.3.3: "If a key usage extension is present in the CRL issuer's certificate, verify
	// that the cRLSign bit is set."
	if ca.KeyUsage != 0 && ca.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return problem(FaultSigner, "the certificate of its CA %q must not sign CRLs (key usage)", pki.Subject(ca))
	}
	return nil
}

// describe names the list in a message.
func (l *List) describe() string {
	text := "the CRL " + l.Name + " ("
	if l.base != nil {
		text = "the delta CRL " + l.Name + " ("
	}
	if l.head.Number != nil {
		text += "number " + l.head.Number.String() + " "
	}
	return text + "of " + stamp(l.head.ThisUpdate) + ")"
}
